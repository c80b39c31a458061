/* Completion of words: names of commands where a command begins, else names of files. */
#ifndef SH_COMPLETE_H
#define SH_COMPLETE_H

#include <stdbool.h>
#include <stddef.h>

struct completion {
  char *added;  /* what all choices go on with, quoted; and what follows the only one */
  char **names; /* the choices, in the order of their bytes */
  size_t count;
};

/** Completes the word that a text ends with. A word with quotes other than backslashes, or with
 * parameters, has no choices. */
void complete(const char *text, struct completion *made);
void completion_free(struct completion *made);

/* ---- what the shell provides, beside shell_list() of expand.h ---- */

/** Calls `found` for each name of a command, in any order, some twice. */
void shell_commands(void (*found)(const char *name, void *arg), void *arg);
bool shell_is_directory(const char *path);

#endif
