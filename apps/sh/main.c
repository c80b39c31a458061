/* sh: a shell in the manner of POSIX (docs/applications.md says what it leaves out).
 *
 *   sh [-ex]                  commands from its input; with prompts when that is the console
 *   sh [-ex] FILE [ARG...]    a script
 *   sh [-ex] -c TEXT [NAME [ARG...]]
 *
 * There is no fork here: ( ), $( ), and whatever is part of a pipeline or goes to the background
 * without being a program, runs in a new sh that is given the text, all variables and arguments. */
#include <stdarg.h>
#include <string.h>

#include "apps/sh/builtin.h"
#include "apps/sh/complete.h"
#include "apps/sh/expand.h"
#include "apps/sh/functions.h"
#include "apps/sh/jobs.h"
#include "apps/sh/parse.h"
#include "apps/sh/programs.h"
#include "apps/sh/redirect.h"
#include "apps/sh/run.h"
#include "apps/sh/shell.h"
#include "apps/sh/terminal.h"
#include "apps/sh/text.h"
#include "libos/os.h"

enum { STATUS_SYNTAX = 2, NESTING_MAX = 500 /* of functions, eval and . */ };

struct shell shell = {.name = "sh"};

void shell_complain(const char *format, ...) {
  va_list args;
  fflush(stdout);
  fprintf(stderr, "%s: ", shell.name);
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fputc('\n', stderr);
}

static char **copy_arguments(char *const *arguments) {
  size_t n = 0;
  while (arguments[n])
    n++;
  char **copy = calloc(n + 1, sizeof *copy);
  if (!copy) abort();
  for (size_t i = 0; i < n; i++)
    if (!(copy[i] = strdup(arguments[i]))) abort();
  return copy;
}

void shell_set_arguments(char *const *arguments) {
  char **former = shell.arguments; /* `arguments` may be a part of it */
  shell.arguments = arguments ? copy_arguments(arguments) : NULL;
  for (char **a = former; a && *a; a++)
    free(*a);
  free(former);
}

/* ---- what expansions ask for ---- */

char *const *shell_arguments(void) {
  return shell.arguments;
}

static const char *special(const char *name) {
  static char text[24];
  long long value;
  size_t count = 0;
  while (shell.arguments[count])
    count++;
  switch (*name) {
  case '?':
    value = shell.status;
    break;
  case '$':
    value = os_getpid();
    break;
  case '#':
    value = (long long)count;
    break;
  case '!':
    if (!shell.last_background) return NULL;
    value = shell.last_background;
    break;
  case '0':
    return shell.name;
  default:
    value = atoll(name);
    return value >= 1 && (size_t)value <= count ? shell.arguments[value - 1] : NULL;
  }
  snprintf(text, sizeof text, "%lld", value);
  return text;
}

const char *shell_value(const char *name) {
  return name_length(name) ? variable_get(name) : special(name);
}

void shell_assign(const char *name, const char *value) {
  if (name_length(name)) variable_set(name, value);
}

bool shell_exists(const char *path) {
  struct stat st;
  return os_lstat(path, &st) == 0;
}

void shell_list(const char *directory, void (*found)(const char *name, void *arg), void *arg) {
  const struct os_dirent *e;
  OS_DIR *dir = os_opendir(*directory ? directory : ".");
  if (!dir) return;
  while ((e = os_readdir(dir)))
    found(e->name, arg);
  os_closedir(dir);
}

/* ---- what completion asks for ---- */

bool shell_is_directory(const char *path) {
  struct stat st;
  return os_stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

void shell_commands(void (*found)(const char *name, void *arg), void *arg) {
  static const char *const programs[] = {SHELL_PROGRAMS};
  for (unsigned i = 0; i < sizeof programs / sizeof *programs; i++)
    found(programs[i], arg);
  builtins_each(found, arg);
  functions_each(found, arg);
}

/* ---- running text ---- */

int shell_run(const char *text) {
  static unsigned nesting;
  struct parse parse;
  int status = 0;
  if (nesting == NESTING_MAX) {
    shell_complain("too deep");
    if (shell.interactive)
      shell.interrupted = true;
    else
      shell.flow = FLOW_EXIT;
    return STATUS_SYNTAX;
  }
  nesting++;
  while (*text && shell.flow == FLOW_ON && !shell.interrupted) {
    parse_line(text, &parse);
    if (parse.result == PARSE_DONE) {
      status = run(parse.node);
    } else if (parse.result != PARSE_EMPTY) {
      bool wrong = parse.result == PARSE_WRONG;
      shell_complain("%s", wrong ? parse.message : "unexpected end of text");
      status = shell.status = STATUS_SYNTAX;
      if (!shell.interactive) shell.flow = FLOW_EXIT;
    }
    text += parse.next;
    bool stop = parse.result == PARSE_WRONG || parse.result == PARSE_UNFINISHED;
    parse_free(&parse);
    if (stop) break;
  }
  nesting--;
  return status;
}

static void interrupt(int signal) {
  (void)signal;
  shell.interrupted = true;
}

static void nothing(int signal) {
  (void)signal;
}

/* Caught, not ignored: children begin with the default. */
static void start_interactive(void) {
  shell.console = os_dup_from(0, PLUMBING_NUMBERS);
  if (shell.console < 0) return;
  shell.interactive = true;
  os_signal(SIGINT, interrupt);
  os_signal(SIGQUIT, nothing);
  os_signal(SIGTSTP, nothing);
  os_signal(SIGTERM, nothing);
  os_setpgid(0, 0);
  os_tcsetpgrp(shell.console, os_getpgrp());
}

/* @return of malloc() */
static char *prompt(bool more) {
  const char *text = variable_get(more ? "PS2" : "PS1"), *pwd = variable_get("PWD");
  char *made = NULL;
  if (text)
    made = expand_single(text);
  else if (asprintf(&made, "%s%s", more ? "" : pwd ? pwd : "?", more ? "> " : " $ ") < 0)
    abort();
  if (!made && !(made = strdup("$ "))) abort();
  return made;
}

/* One line with its line feed, from the console. @return false at the end, or when SIGINT came */
static bool edit_line(bool more, struct text *line) {
  char *text = prompt(more);
  bool there = terminal_read_line(text, line);
  free(text);
  return there;
}

/* The same from elsewhere. What follows the line is not ours: it is read byte by byte. */
static bool read_line(struct text *line) {
  char byte;
  ssize_t n;
  while ((n = os_read(0, &byte, 1)) > 0 || (n < 0 && errno == EINTR)) {
    if (n > 0) text_add_char(line, byte);
    if (n > 0 && byte == '\n') return true;
  }
  return false;
}

/* @return whether `text` is a command that needs more lines */
static bool unfinished(const char *text) {
  struct parse parse;
  parse_line(text, &parse);
  bool more = parse.result == PARSE_UNFINISHED;
  parse_free(&parse);
  return more;
}

/* @return false at the end of the input */
static bool run_next(void) {
  struct text text = {0};
  bool more = false, there;
  shell.interrupted = false;
  do {
    there = shell.interactive ? edit_line(more, &text) : read_line(&text);
    more = there && unfinished(text.data);
  } while (more);
  bool interrupted = shell.interrupted;
  if (interrupted) {
    shell.interrupted = false;
    shell.status = 128 + SIGINT;
    fputc('\n', stderr);
  } else if (text.used) {
    shell_run(text.data);
  }
  free(text.data);
  return there || interrupted;
}

static void run_input(void) {
  while (shell.flow == FLOW_ON && run_next()) {
    if (!shell.interactive) continue;
    jobs_look();
    jobs_print(true);
  }
  if (shell.interactive && shell.flow == FLOW_ON) fputs("exit\n", stderr);
}

static void run_script(const char *path) {
  struct text content = {0};
  char piece[16384];
  ssize_t n = -1;
  int fd = plumbing_own(os_open(path, O_RDONLY));
  while (fd >= 0 && (n = os_read(fd, piece, sizeof piece)) > 0)
    text_add(&content, piece, (size_t)n);
  if (n < 0) {
    shell_complain("%s: %s", path, os_strerror(errno));
    exit(127);
  }
  os_close(fd);
  if (content.used && strlen(content.data) < content.used) {
    shell_complain("%s: no script", path);
    exit(126);
  }
  char *text = text_take(&content);
  shell_run(text);
  free(text);
}

int main(int argc, char **argv) {
  bool command = false;
  int option;
  os_start();
  while ((option = getopt(argc, argv, "+cex")) != -1) {
    if (option == '?') return STATUS_SYNTAX;
    command |= option == 'c';
    shell.exit_on_error |= option == 'e';
    shell.trace |= option == 'x';
  }
  argv += optind;
  argc -= optind;
  plumbing_init();
  variables_start();
  shell_set_arguments(argc > (command ? 2 : 1) ? argv + (command ? 2 : 1) : (char *[]){NULL});
  if (command && !argc) {
    shell_complain("-c: text is missing");
    return STATUS_SYNTAX;
  }
  if (command) {
    if (argc > 1) shell.name = argv[1];
    shell_run(argv[0]);
  } else if (argc) {
    shell.name = argv[0];
    run_script(argv[0]);
  } else {
    if (os_isatty(0) && os_isatty(1)) start_interactive();
    run_input();
    if (shell.interactive) jobs_hang_up();
  }
  return shell.status;
}
