#include "apps/sh/builtin.h"

#include <string.h>

#include "apps/sh/expand.h"
#include "apps/sh/functions.h"
#include "apps/sh/jobs.h"
#include "apps/sh/parse.h"
#include "apps/sh/redirect.h"
#include "apps/sh/shell.h"
#include "apps/sh/text.h"
#include "apps/tools/signal_names.h"
#include "libos/os.h"

static int run_true(int argc, char **argv) {
  (void)argc;
  (void)argv;
  return 0;
}

static int run_false(int argc, char **argv) {
  (void)argc;
  (void)argv;
  return 1;
}

static int run_echo(int argc, char **argv) {
  bool end = !(argc > 1 && strcmp(argv[1], "-n") == 0);
  for (int i = end ? 1 : 2; i < argc; i++)
    printf("%s%s", argv[i], i + 1 < argc ? " " : "");
  if (end) putchar('\n');
  return fflush(stdout) ? 1 : 0;
}

static int run_cd(int argc, char **argv) {
  const char *to = argc > 1 ? argv[1] : variable_get("HOME");
  bool back = to && strcmp(to, "-") == 0;
  char *before = variable_get("PWD") ? strdup(variable_get("PWD")) : NULL;
  if (back) to = variable_get("OLDPWD");
  if (!to) to = "/";
  if (os_chdir(to) < 0) {
    shell_complain("cd: %s: %s", to, os_strerror(errno));
    free(before);
    return 1;
  }
  variable_set("PWD", getenv("PWD"));
  variable_export("PWD");
  if (before) variable_set("OLDPWD", before);
  if (back) puts(getenv("PWD"));
  free(before);
  return 0;
}

static int run_pwd(int argc, char **argv) {
  char path[4096];
  (void)argc;
  (void)argv;
  if (!os_getcwd(path, sizeof path)) {
    shell_complain("pwd: %s", os_strerror(errno));
    return 1;
  }
  puts(path);
  return 0;
}

static bool number(const char *text, long *value) {
  char *end;
  *value = strtol(text, &end, 10);
  return *text && !*end;
}

static int run_exit(int argc, char **argv) {
  long status = shell.status;
  static bool warned;
  if (argc > 1 && !number(argv[1], &status)) {
    shell_complain("exit: %s: no number", argv[1]);
    return 2;
  }
  if (shell.interactive && jobs_stopped() && !warned) {
    warned = true;
    shell_complain("there are stopped jobs");
    return 1;
  }
  shell.flow = FLOW_EXIT;
  return (int)(status & 255);
}

/* A part of a function may run in a shell of its own, which ends then. */
static int run_return(int argc, char **argv) {
  long status = shell.status;
  if (argc > 1 && !number(argv[1], &status)) {
    shell_complain("return: %s: no number", argv[1]);
    return 2;
  }
  if (!shell.calls && shell.interactive) {
    shell_complain("return: not in a function");
    return 1;
  }
  shell.flow = shell.calls ? FLOW_RETURN : FLOW_EXIT;
  return (int)(status & 255);
}

static void print_exported(const char *name, const char *value, bool exported) {
  if (exported) printf("export %s='%s'\n", name, value);
}

static void print_variable(const char *name, const char *value, bool exported) {
  (void)exported;
  printf("%s='%s'\n", name, value);
}

static int run_export(int argc, char **argv) {
  if (argc == 1) variables_each(print_exported);
  for (int i = 1; i < argc; i++) {
    size_t n = name_length(argv[i]);
    if (!n || (argv[i][n] && argv[i][n] != '=')) {
      shell_complain("export: %s: no name", argv[i]);
      return 1;
    }
    bool value = argv[i][n] == '=';
    argv[i][n] = 0;
    if (value) variable_set(argv[i], argv[i] + n + 1);
    variable_export(argv[i]);
  }
  return 0;
}

/* -v, as without an option, variables; -f functions. */
static int run_unset(int argc, char **argv) {
  bool function = argc > 1 && strcmp(argv[1], "-f") == 0;
  bool option = function || (argc > 1 && strcmp(argv[1], "-v") == 0);
  for (int i = option ? 2 : 1; i < argc; i++) {
    if (function)
      function_unset(argv[i]);
    else
      variable_unset(argv[i]);
  }
  return 0;
}

static int run_umask(int argc, char **argv) {
  char *end;
  if (argc == 1) {
    mode_t mask = os_umask(0);
    os_umask(mask);
    printf("%04o\n", mask);
    return 0;
  }
  unsigned long mask = strtoul(argv[1], &end, 8);
  if (!*argv[1] || *end || mask > 0777) {
    shell_complain("umask: %s: no octal number up to 777", argv[1]);
    return 1;
  }
  os_umask((mode_t)mask);
  variable_set("UMASK", getenv("UMASK"));
  variable_export("UMASK");
  return 0;
}

static int run_jobs(int argc, char **argv) {
  (void)argc;
  (void)argv;
  jobs_look();
  jobs_print(false);
  return 0;
}

static int go_on(int argc, char **argv, bool foreground) {
  if (!shell.interactive) {
    shell_complain("%s: no job control", argv[0]);
    return 1;
  }
  struct job *job = job_find(argc > 1 ? argv[1] : "");
  return job ? job_continue(job, foreground) : 1;
}

static int run_fg(int argc, char **argv) {
  return go_on(argc, argv, true);
}

static int run_bg(int argc, char **argv) {
  return go_on(argc, argv, false);
}

static int run_wait(int argc, char **argv) {
  int status = 0;
  if (argc == 1) return jobs_wait() ? 0 : 128 + SIGINT;
  for (int i = 1; i < argc && !shell.interrupted; i++) {
    struct job *job = *argv[i] == '%' ? job_find(argv[i]) : job_of((pid_t)atol(argv[i]));
    status = job ? job_wait(job) : 127;
  }
  return status;
}

static int kill_one(const char *who, int signal) {
  long pid;
  if (*who == '%') {
    struct job *job = job_find(who);
    return job && job_kill(job, signal) ? 0 : 1;
  }
  if (!number(who, &pid)) {
    shell_complain("kill: %s: no process number", who);
    return 1;
  }
  if (os_kill((pid_t)pid, signal) == 0) return 0;
  shell_complain("kill: %s: %s", who, os_strerror(errno));
  return 1;
}

static int run_kill(int argc, char **argv) {
  int signal, status = 0, i;
  if (argc == 2 && strcmp(argv[1], "-l") == 0) {
    signals_print();
    return 0;
  }
  const char *said = signal_option(argc, argv, &i, &signal);
  if (signal < 0) {
    shell_complain("kill: %s: no such signal", said);
    return 2;
  }
  if (i >= argc) {
    shell_complain("usage: kill [-SIGNAL | -s SIGNAL] PROCESS|%%JOB...");
    return 2;
  }
  for (; i < argc; i++)
    status |= kill_one(argv[i], signal);
  return status;
}

static int leave(int argc, char **argv, enum flow flow) {
  long levels = 1;
  if ((argc > 1 && !number(argv[1], &levels)) || levels < 1) {
    shell_complain("%s: %s: no number", argv[0], argv[1]);
    return 1;
  }
  if (!shell.loops) return 0;
  shell.levels = (unsigned)levels < shell.loops ? (unsigned)levels : shell.loops;
  shell.flow = flow;
  return 0;
}

static int run_break(int argc, char **argv) {
  return leave(argc, argv, FLOW_BREAK);
}

static int run_continue(int argc, char **argv) {
  return leave(argc, argv, FLOW_CONTINUE);
}

static bool set_option(const char *text) {
  bool on = *text == '-';
  for (const char *c = text + 1; *c; c++) {
    if (*c == 'e')
      shell.exit_on_error = on;
    else if (*c == 'x')
      shell.trace = on;
    else
      return false;
  }
  return true;
}

static int run_set(int argc, char **argv) {
  int i = 1;
  if (argc == 1) variables_each(print_variable);
  for (; i < argc && strchr("-+", *argv[i]) && argv[i][1]; i++) {
    if (strcmp(argv[i], "--") == 0) {
      shell_set_arguments(argv + i + 1);
      return 0;
    }
    if (set_option(argv[i])) continue;
    shell_complain("set: %s: only e and x are known", argv[i]);
    return 2;
  }
  if (i < argc) shell_set_arguments(argv + i);
  return 0;
}

static int run_shift(int argc, char **argv) {
  long n = 1;
  if ((argc > 1 && !number(argv[1], &n)) || n < 0) return 2;
  long have = 0;
  while (shell.arguments[have])
    have++;
  if (n > have) return 1;
  shell_set_arguments(shell.arguments + n);
  return 0;
}

/* Byte by byte: what follows the line is others' to read. */
static bool read_line(struct text *line) {
  char c;
  ssize_t n;
  while ((n = os_read(0, &c, 1)) > 0 && c != '\n')
    text_add_char(line, c);
  text_add(line, "", 0);
  return n > 0;
}

static int run_read(int argc, char **argv) {
  struct text line = {0};
  int i = argc > 1 && strcmp(argv[1], "-r") == 0 ? 2 : 1;
  bool whole = read_line(&line);
  char *at = line.data + strspn(line.data, " \t");
  for (; i < argc; i++) {
    size_t n = i + 1 < argc ? strcspn(at, " \t") : strlen(at);
    char *end = at + n, *next = end + strspn(end, " \t");
    if (i + 1 == argc)
      while (end > at && strchr(" \t", end[-1]))
        end--;
    *end = 0;
    variable_set(argv[i], at);
    at = next;
  }
  free(line.data);
  return whole ? 0 : 1;
}

static char *read_file(const char *path) {
  struct text content = {0};
  char piece[4096];
  ssize_t n;
  int fd = plumbing_own(os_open(path, O_RDONLY));
  while (fd >= 0 && (n = os_read(fd, piece, sizeof piece)) > 0)
    text_add(&content, piece, (size_t)n);
  if (fd < 0) return NULL;
  os_close(fd);
  return text_take(&content);
}

static int run_source(int argc, char **argv) {
  char *content = argc > 1 ? read_file(argv[1]) : NULL;
  if (!content) {
    shell_complain("%s: %s", argc > 1 ? argv[1] : ".", argc > 1 ? os_strerror(errno) : "no file");
    return 1;
  }
  shell.calls++;
  int status = shell_run(content);
  shell.calls--;
  if (shell.flow == FLOW_RETURN) shell.flow = FLOW_ON;
  free(content);
  return status;
}

static int run_eval(int argc, char **argv) {
  struct text all = {0};
  for (int i = 1; i < argc; i++) {
    if (i > 1) text_add_char(&all, ' ');
    text_add_string(&all, argv[i]);
  }
  char *text = text_take(&all);
  int status = shell_run(text);
  free(text);
  return status;
}

static int run_help(int argc, char **argv);

static const struct builtin builtins[] = {
    {".", run_source, false, true},
    {":", run_true, false, true},
    {"[", builtin_test, false, false},
    {"bg", run_bg, false, false},
    {"break", run_break, false, true},
    {"cd", run_cd, false, false},
    {"continue", run_continue, false, true},
    {"echo", run_echo, true, false},
    {"eval", run_eval, false, true},
    {"exit", run_exit, false, true},
    {"export", run_export, false, true},
    {"false", run_false, true, false},
    {"fg", run_fg, false, false},
    {"help", run_help, false, false},
    {"jobs", run_jobs, false, false},
    {"kill", run_kill, true, false},
    {"pwd", run_pwd, true, false},
    {"read", run_read, false, false},
    {"return", run_return, false, true},
    {"set", run_set, false, true},
    {"shift", run_shift, false, true},
    {"test", builtin_test, false, false},
    {"true", run_true, true, false},
    {"umask", run_umask, false, false},
    {"unset", run_unset, false, true},
    {"wait", run_wait, false, false},
};
enum { BUILTINS = sizeof builtins / sizeof *builtins };

static int run_help(int argc, char **argv) {
  (void)argc;
  (void)argv;
  printf("commands of the shell:");
  for (unsigned i = 0; i < BUILTINS; i++)
    printf(" %s", builtins[i].name);
  printf("\nand if, case, while, until, for, name(), { }, ( ), !, |, &&, ||, &, <, <<, >, >>, $(( "
         "))\n");
  return 0;
}

const struct builtin *builtin_find(const char *name) {
  for (unsigned i = 0; i < BUILTINS; i++)
    if (strcmp(builtins[i].name, name) == 0) return &builtins[i];
  return NULL;
}

void builtins_each(void (*found)(const char *name, void *arg), void *arg) {
  for (unsigned i = 0; i < BUILTINS; i++)
    found(builtins[i].name, arg);
}
