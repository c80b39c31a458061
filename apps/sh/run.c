#include "apps/sh/run.h"

#include <stdlib.h>
#include <string.h>

#include "apps/sh/builtin.h"
#include "apps/sh/expand.h"
#include "apps/sh/functions.h"
#include "apps/sh/glob.h"
#include "apps/sh/jobs.h"
#include "apps/sh/redirect.h"
#include "apps/sh/shell.h"
#include "apps/sh/text.h"
#include "libos/os.h"

enum { STATUS_NOT_FOUND = 127, STATUS_NOT_EXECUTABLE = 126 };

/* How a program is started beside what it is. */
struct start {
  struct job *job;
  struct plumbing *plumbing;
  char *const *assignments; /* NAME=VALUE for it alone; may be NULL */
  bool background;
};

static bool goes_on(void) {
  return shell.flow == FLOW_ON && !shell.interrupted;
}

/* ---- starting ---- */

static int group_for(const struct start *s) {
  if (!shell.interactive) return PROC_SAME_GROUP;
  return s->job->group; /* 0: one of its own */
}

static pid_t spawn(const struct start *s, char *const *argv, bool all_variables) {
  struct os_spawn_fd fds[PLUMBING_NUMBERS];
  char **env = variables_environment(all_variables, s->assignments);
  struct os_spawn how = {.program = argv[0],
                         .args = argv,
                         .env = env,
                         .fds = fds,
                         .nfds = plumbing_list(s->plumbing, fds),
                         .group = group_for(s),
                         .foreground = shell.interactive && !s->background && !s->job->count};
  pid_t pid = os_spawn(&how);
  if (pid < 0 && how.group > 0 && errno != ENOENT && errno != EACCES && errno != EAGAIN) {
    how.group = 0; /* all of the job have ended already */
    pid = os_spawn(&how);
  }
  int error = errno;
  variables_free(env);
  if (pid < 0 && how.foreground) os_tcsetpgrp(shell.console, os_getpgrp());
  errno = error;
  if (pid < 0) return -1;
  if (shell.interactive && !s->job->group) s->job->group = pid;
  job_add(s->job, pid);
  return pid;
}

static bool is_file(const char *path) {
  struct stat st;
  return os_stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A file of the file system can only be a script. */
static pid_t spawn_script(const struct start *s, char *const *argv) {
  size_t n = 0;
  if (os_access(argv[0], X_OK) < 0) return -1;
  while (argv[n])
    n++;
  char **with_shell = calloc(n + 2, sizeof *with_shell);
  if (!with_shell) abort();
  with_shell[0] = "sh";
  memcpy(with_shell + 1, argv, n * sizeof *argv);
  pid_t pid = spawn(s, with_shell, false);
  free(with_shell);
  return pid;
}

/* To where its messages would have gone. */
static void complain_of_program(const struct start *s, const char *name, int error) {
  int saved[PLUMBING_NUMBERS];
  bool unknown = error == ENOENT && !strchr(name, '/');
  const char *why = unknown           ? "not found"
                    : error == ECHILD ? "ended before it began"
                                      : os_strerror(error);
  if (plumbing_enter(s->plumbing, saved)) shell_complain("%s: %s", name, why);
  plumbing_leave(saved);
}

/* @return 0, or the status of what could not be started; a message was printed */
static int spawn_program(const struct start *s, char *const *argv) {
  bool script = strchr(argv[0], '/') && is_file(argv[0]);
  pid_t pid = script ? spawn_script(s, argv) : spawn(s, argv, false);
  if (pid >= 0) return 0;
  int error = errno;
  complain_of_program(s, argv[0], error);
  /* By ^C, it may be, which is then meant for the loop around it, too. */
  if (error == ECHILD && shell.interactive && !s->background) shell.interrupted = true;
  return error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

/* A shell of its own for a piece of text, with all our variables, functions and arguments. */
static int spawn_subshell(const struct start *s, const char *text) {
  struct text script = {0};
  size_t n = 0;
  functions_write(&script);
  text_add_string(&script, text);
  while (shell.arguments[n])
    n++;
  char **argv = calloc(n + 5, sizeof *argv);
  if (!argv) abort();
  argv[0] = "sh";
  argv[1] = shell.exit_on_error ? "-ec" : "-c";
  argv[2] = script.data;
  argv[3] = (char *)shell.name;
  memcpy(argv + 4, shell.arguments, n * sizeof *argv);
  pid_t pid = spawn(s, argv, true);
  if (pid < 0) shell_complain("subshell: %s", os_strerror(errno));
  free(argv);
  free(script.data);
  return pid < 0 ? STATUS_NOT_EXECUTABLE : 0;
}

/* ---- simple commands ---- */

static bool expand_all(const struct word *words, struct fields *fields) {
  for (; words; words = words->next)
    if (!expand_word(words->text, fields)) return false;
  return true;
}

/* NAME=VALUE with the value expanded. */
static bool expand_assignments(const struct word *words, struct fields *made) {
  for (; words; words = words->next) {
    size_t n = name_length(words->text);
    char *value = expand_single(words->text + n + 1), *both = NULL;
    if (!value) return false;
    if (asprintf(&both, "%.*s=%s", (int)n, words->text, value) < 0) abort();
    free(value);
    made->list = realloc(made->list, (made->count + 2) * sizeof *made->list);
    if (!made->list) abort();
    made->list[made->count++] = both;
    made->list[made->count] = NULL;
  }
  return true;
}

static void assign(const struct fields *assignments) {
  for (size_t i = 0; i < assignments->count; i++) {
    char *equals = strchr(assignments->list[i], '=');
    *equals = 0;
    variable_set(assignments->list[i], equals + 1);
    *equals = '=';
  }
}

static void trace(const struct fields *fields) {
  if (!shell.trace) return;
  fputc('+', stderr);
  for (size_t i = 0; i < fields->count; i++)
    fprintf(stderr, " %s", fields->list[i]);
  fputc('\n', stderr);
}

/* A function or a command of the shell's. @param builtin  NULL: a function */
static int run_here(const struct builtin *builtin, struct fields *fields,
                    const struct plumbing *plumbing) {
  int saved[PLUMBING_NUMBERS], status = 1;
  fflush(stdout);
  if (plumbing_enter(plumbing, saved)) {
    status = builtin ? builtin->run((int)fields->count, fields->list) : function_call(fields->list);
    fflush(stdout);
  }
  plumbing_leave(saved);
  return status;
}

static int wait_for(struct job *job, int failed) {
  if (!job->count) {
    job_forget(job);
    return failed;
  }
  int status = job_wait(job);
  return failed ? failed : status;
}

static int start_in_background(struct job *job, int failed) {
  if (!job->count) {
    job_forget(job);
    return failed;
  }
  job->background = true;
  shell.last_background = job->last;
  if (shell.interactive) printf("[%d] %d\n", job_number(job), job->last);
  return 0;
}

static int run_program(const struct node *node, struct fields *fields, struct fields *assignments,
                       struct plumbing *plumbing) {
  struct job *job = job_new(node->source);
  if (!job) return 1;
  struct start start = {job, plumbing, assignments->list, false};
  int failed = spawn_program(&start, fields->list);
  plumbing_end(plumbing); /* or a pipe would have us as its writer */
  return wait_for(job, failed);
}

static int run_expanded(const struct node *node, struct fields *fields,
                        struct fields *assignments) {
  struct plumbing plumbing;
  int status = 1;
  plumbing_start(&plumbing);
  trace(fields);
  if (!plumbing_redirect(&plumbing, node->redirections)) {
    status = 1;
  } else if (!fields->count) {
    assign(assignments);
    status = shell.status; /* of a command in $( ) */
  } else {
    bool function = function_exists(fields->list[0]);
    const struct builtin *builtin = function ? NULL : builtin_find(fields->list[0]);
    if (function || builtin) {
      assign(assignments);
      status = run_here(builtin, fields, &plumbing);
    } else {
      status = run_program(node, fields, assignments, &plumbing);
    }
  }
  plumbing_end(&plumbing);
  return status;
}

static int run_command(const struct node *node) {
  struct fields fields = {0}, assignments = {0};
  int status = 1;
  if (!node->words) shell.status = 0;
  if (expand_all(node->words, &fields) && expand_assignments(node->assignments, &assignments))
    status = run_expanded(node, &fields, &assignments);
  else if (!shell.interactive)
    shell.flow = FLOW_EXIT;
  fields_free(&fields);
  fields_free(&assignments);
  return status;
}

/* ---- pipelines and jobs ---- */

/* Whether no shell is needed to run it. */
static bool is_program(const char *name) {
  const struct builtin *builtin = builtin_find(name);
  return !function_exists(name) && (!builtin || builtin->program);
}

/* Whether it says, as it is written, that a shell runs it: that expands its words, and not this
 * one. */
static bool needs_shell(const struct node *node) {
  const char *name = node->words ? node->words->text : NULL;
  return node->kind != NODE_COMMAND || !name ||
         (!strpbrk(name, "$`\"'\\*?[~") && !is_program(name));
}

/* Starts a command that nobody in this shell waits for, or that is part of a pipeline. */
static int start_part(struct start *s, const struct node *node) {
  struct fields fields = {0}, assignments = {0};
  bool program = false;
  int failed = 1;
  if (!needs_shell(node)) {
    if (!expand_all(node->words, &fields) || !expand_assignments(node->assignments, &assignments))
      goto out;
    program = fields.count && is_program(fields.list[0]);
  }
  if (!program) {
    failed = spawn_subshell(s, node->script);
  } else if (plumbing_redirect(s->plumbing, node->redirections)) {
    s->assignments = assignments.list;
    trace(&fields);
    failed = spawn_program(s, fields.list);
  }
out:
  fields_free(&fields);
  fields_free(&assignments);
  return failed;
}

/* Starts the parts, each reading what the one before it writes. @return of the last: 0, or the
 * status of what could not be started */
static int start_pipeline(struct job *job, const struct node *parts, bool background) {
  int reader = -1, failed = 0;
  for (const struct node *part = parts; part; part = part->next) {
    struct plumbing plumbing;
    int ends[2] = {-1, -1};
    plumbing_start(&plumbing);
    if (job->count == JOB_PROCESSES_MAX) {
      shell_complain("pipeline too long");
      failed = 1;
      break;
    }
    if (part->next && !plumbing_pipe(ends)) {
      failed = 1;
      break;
    }
    if (reader >= 0)
      plumbing_put(&plumbing, 0, reader);
    else if (background && !shell.interactive &&
             (reader = plumbing_own(os_open("/dev/null", O_RDONLY))) >= 0)
      plumbing_put(&plumbing, 0, reader);
    if (part->next) plumbing_put(&plumbing, 1, ends[1]);
    struct start start = {job, &plumbing, NULL, background};
    failed = start_part(&start, part);
    plumbing_end(&plumbing);
    reader = ends[0];
  }
  if (reader >= 0) os_close(reader);
  return failed;
}

static int run_pipeline(const struct node *node) {
  struct job *job = job_new(node->source);
  return job ? wait_for(job, start_pipeline(job, node->parts, false)) : 1;
}

static int run_background(const struct node *node) {
  const struct node *what = node->first;
  struct job *job = job_new(node->source);
  if (!job) return 1;
  const struct node alone = {.kind = what->kind,
                             .words = what->words,
                             .assignments = what->assignments,
                             .redirections = what->redirections,
                             .source = what->source,
                             .script = what->script};
  bool pipeline = what->kind == NODE_PIPELINE;
  return start_in_background(job, start_pipeline(job, pipeline ? what->parts : &alone, true));
}

static int run_subshell(const struct node *node) {
  struct plumbing plumbing;
  struct job *job = job_new(node->source);
  if (!job) return 1;
  plumbing_start(&plumbing);
  int failed = 1;
  struct start start = {job, &plumbing, NULL, false};
  if (plumbing_redirect(&plumbing, node->redirections))
    failed = spawn_subshell(&start, node->first->script);
  plumbing_end(&plumbing);
  return wait_for(job, failed);
}

char *shell_output(const char *command) {
  struct plumbing plumbing;
  struct text output = {0};
  char piece[4096];
  int ends[2];
  ssize_t n;
  struct job *job = job_new(command);
  if (!job) return NULL;
  if (!plumbing_pipe(ends)) {
    job_forget(job);
    return NULL;
  }
  plumbing_start(&plumbing);
  plumbing_put(&plumbing, 1, ends[1]);
  struct start start = {job, &plumbing, NULL, false};
  int failed = spawn_subshell(&start, command);
  plumbing_end(&plumbing);
  while (!failed && ((n = os_read(ends[0], piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR)))
    if (n > 0) text_add(&output, piece, (size_t)n);
  os_close(ends[0]);
  shell.status = wait_for(job, failed);
  while (output.used && output.data[output.used - 1] == '\n')
    output.data[--output.used] = 0;
  return text_take(&output);
}

/* ---- compound commands ---- */

static int condition(const struct node *node) {
  shell.conditions++;
  int status = run(node);
  shell.conditions--;
  return status;
}

static int run_list(const struct node *list) {
  int status = 0;
  for (const struct node *part = list->parts; part && goes_on(); part = part->next)
    status = run(part);
  return status;
}

static int run_if(const struct node *node) {
  if (condition(node->first) == 0) return goes_on() ? run(node->second) : shell.status;
  return node->third && goes_on() ? run(node->third) : 0;
}

/* @return whether the loop ends here */
static bool leaves_loop(void) {
  if (shell.flow != FLOW_BREAK && shell.flow != FLOW_CONTINUE) return !goes_on();
  if (--shell.levels > 0) return true;
  bool ends = shell.flow == FLOW_BREAK;
  shell.flow = FLOW_ON;
  return ends;
}

static int run_while(const struct node *node) {
  int status = 0;
  bool wanted = node->kind == NODE_WHILE;
  shell.loops++;
  while ((condition(node->first) == 0) == wanted && goes_on()) {
    status = run(node->second);
    if (leaves_loop()) break;
  }
  shell.loops--;
  return status;
}

static int run_for(const struct node *node) {
  struct fields fields = {0};
  int status = 0;
  if (node->all_arguments ? !expand_word("\"$@\"", &fields) : !expand_all(node->words, &fields)) {
    fields_free(&fields);
    return 1;
  }
  shell.loops++;
  for (size_t i = 0; i < fields.count; i++) {
    variable_set(node->variable, fields.list[i]);
    status = run(node->first);
    if (leaves_loop()) break;
  }
  shell.loops--;
  fields_free(&fields);
  return status;
}

/* @return 1: it is one of the patterns, 0: it is not, -1: an expansion failed */
static int matches(const struct word *patterns, const char *subject) {
  for (; patterns; patterns = patterns->next) {
    char *pattern = expand_pattern(patterns->text);
    if (!pattern) return -1;
    bool right = glob_matches(pattern, subject);
    free(pattern);
    if (right) return 1;
  }
  return 0;
}

static int run_case(const struct node *node) {
  char *subject = expand_single(node->words->text);
  const struct node *choice;
  int found = subject ? 0 : -1;
  for (choice = node->parts; found == 0 && choice; choice = choice->next)
    if ((found = matches(choice->words, subject)) != 0) break;
  free(subject);
  if (found < 0 && !shell.interactive) shell.flow = FLOW_EXIT;
  if (found < 0) return shell.status = 1;
  return found && choice->first ? run(choice->first) : 0;
}

static int define(const struct node *node) {
  const struct builtin *builtin = builtin_find(node->variable);
  if (builtin && builtin->special) {
    shell_complain("%s: a command of the shell that no function can replace", node->variable);
    return 1;
  }
  function_define(node->variable, node->first->script);
  return 0;
}

static int run_compound(const struct node *node) {
  switch (node->kind) {
  case NODE_IF:
    return run_if(node);
  case NODE_WHILE:
  case NODE_UNTIL:
    return run_while(node);
  case NODE_FOR:
    return run_for(node);
  case NODE_CASE:
    return run_case(node);
  default:
    return run(node->first);
  }
}

/* With its redirections in place of the shell's descriptors. */
static int run_redirected(const struct node *node) {
  struct plumbing plumbing;
  int saved[PLUMBING_NUMBERS], status = 1;
  if (!node->redirections) return run_compound(node);
  plumbing_start(&plumbing);
  fflush(stdout);
  if (plumbing_redirect(&plumbing, node->redirections)) {
    if (plumbing_enter(&plumbing, saved)) status = run_compound(node);
    fflush(stdout);
    plumbing_leave(saved);
  }
  plumbing_end(&plumbing);
  return status;
}

static int run_kind(const struct node *node) {
  int status;
  switch (node->kind) {
  case NODE_COMMAND:
    return run_command(node);
  case NODE_PIPELINE:
    return run_pipeline(node);
  case NODE_NOT:
    return !condition(node->first);
  case NODE_AND:
    status = condition(node->first);
    return status == 0 && goes_on() ? run(node->second) : status;
  case NODE_OR:
    status = condition(node->first);
    return status != 0 && goes_on() ? run(node->second) : status;
  case NODE_LIST:
    return run_list(node);
  case NODE_BACKGROUND:
    return run_background(node);
  case NODE_SUBSHELL:
    return run_subshell(node);
  case NODE_FUNCTION:
    return define(node);
  default:
    return run_redirected(node);
  }
}

/* What set -e looks at: && and || decide by themselves, lists were looked at inside. */
static bool counts(const struct node *node) {
  return node->kind == NODE_COMMAND || node->kind == NODE_PIPELINE || node->kind == NODE_SUBSHELL;
}

/* `exit` and `return` have said the status already, to whatever they stand in. */
static bool is_left(const struct node *node) {
  return node->kind != NODE_COMMAND && (shell.flow == FLOW_RETURN || shell.flow == FLOW_EXIT);
}

int run(const struct node *node) {
  int status = run_kind(node);
  if (is_left(node)) return shell.status;
  shell.status = status;
  if (status && shell.exit_on_error && !shell.conditions && counts(node) && shell.flow == FLOW_ON)
    shell.flow = FLOW_EXIT;
  return status;
}
