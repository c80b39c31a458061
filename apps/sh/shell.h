/* The shell's own state. */
#ifndef SH_SHELL_H
#define SH_SHELL_H

#include <stdbool.h>
#include <stddef.h>

/** What a command that leaves loops, a function or the shell is about. */
enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE, FLOW_RETURN, FLOW_EXIT };

struct shell {
  const char *name;    /* $0 */
  char **arguments;    /* "$1" and so on, ended by NULL */
  int status;          /* $? */
  int last_background; /* $!, 0: none */
  bool interactive;    /* reads from the console: prompts, and jobs have groups of their own */
  int console;         /* interactive: a descriptor of its own for it */
  bool exit_on_error;  /* set -e */
  bool trace;          /* set -x */
  unsigned conditions; /* how many conditions are being tried: set -e waits */
  enum flow flow;
  unsigned levels;  /* FLOW_BREAK, FLOW_CONTINUE: how many loops are left to leave */
  unsigned loops;   /* how many are running */
  unsigned calls;   /* how many functions and `.` scripts are running */
  bool interrupted; /* SIGINT came */
};
extern struct shell shell;

/** Runs all commands of a text. @return the last status */
int shell_run(const char *text);
/** Sets "$1" and so on to copies; the former ones are freed. NULL: to nothing at all. */
void shell_set_arguments(char *const *arguments);

/* ---- variables ---- */

/** Makes variables of the environment. */
void variables_start(void);
void variable_set(const char *name, const char *value);
void variable_unset(const char *name);
void variable_export(const char *name);
/** @return NULL when it is not set */
const char *variable_get(const char *name);
/** NAME=VALUE of exported variables, or of all; ended by NULL. `more` (NAME=VALUE, may be NULL) go
 * first. @return of malloc(), with its strings: variables_free() */
char **variables_environment(bool all, char *const *more);
void variables_free(char **environment);
/** Calls `each` for every variable, in the order of names. */
void variables_each(void (*each)(const char *name, const char *value, bool exported));

#endif
