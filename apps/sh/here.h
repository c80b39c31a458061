/* Here-documents (POSIX, Shell Command Language, 2.7.4) as text: where one ends, and what is in it.
 * Which redirection it belongs to, the parser knows. */
#ifndef SH_HERE_H
#define SH_HERE_H

#include <stdbool.h>
#include <stddef.h>

struct here_form {
  const char *delimiter; /* without its quotes */
  bool strip;            /* <<-: tabs at the beginning of lines do not count */
  bool literal;          /* the delimiter was quoted: nothing is expanded */
};

/** Looks for the line that ends a document which begins at `at`.
 * @param line  receives where that line begins
 * @return the offset behind that line, 0: there is none yet */
size_t here_end(const char *text, size_t at, const struct here_form *form, size_t *line);
/** Takes the quotes of a delimiter away, in place. @return whether there were any */
bool here_unquote(char *word);
/** Takes the tabs at the beginning of all lines away, in place. */
void here_strip(char *body);

#endif
