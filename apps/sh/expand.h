/* Words become fields (POSIX, Shell Command Language, 2.6): parameters, commands, arithmetic,
 * splitting, names of files, quotes. */
#ifndef SH_EXPAND_H
#define SH_EXPAND_H

#include <stdbool.h>
#include <stddef.h>

struct fields {
  char **list; /* ended by NULL; each of malloc() */
  size_t count;
};

/** Adds the fields of a word. @return false when the expansion failed; a message was printed */
bool expand_word(const char *word, struct fields *fields);
/** A word that stays one field: no splitting, no names of files.
 * @return of malloc(), or NULL when the expansion failed */
char *expand_single(const char *word);
/** A word of a case: one field, in which what was quoted has backslashes (glob_matches()).
 * @return of malloc(), or NULL when the expansion failed */
char *expand_pattern(const char *word);
/** A here-document: parameters, commands, arithmetic; quotes mean nothing.
 * @return of malloc(), or NULL when the expansion failed */
char *expand_here(const char *text);
void fields_free(struct fields *fields);

/** Value of an arithmetic expression of C's operators on long long; names are variables.
 * @return false when it is wrong */
bool arithmetic(const char *text, long long *value);

/* ---- what the shell provides ---- */

/** Value of a variable or special parameter, as "name", "1", "?"; NULL: not set. Valid until the
 * next call. */
const char *shell_value(const char *name);
void shell_assign(const char *name, const char *value);
/** The arguments "$1" and so on, ended by NULL. */
char *const *shell_arguments(void);
/** What a command prints, without line feeds at its end. @return of malloc(), or NULL */
char *shell_output(const char *command);
/** The names in a directory ("" is the working directory), in any order; calls `found` for each. */
void shell_list(const char *directory, void (*found)(const char *name, void *arg), void *arg);
bool shell_exists(const char *path);
/** Prints a message of the shell's. */
void shell_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
