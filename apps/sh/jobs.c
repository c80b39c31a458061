#include "apps/sh/jobs.h"

#include <stdlib.h>
#include <string.h>

#include "apps/sh/expand.h"
#include "apps/sh/shell.h"
#include "apps/sh/terminal.h"
#include "libos/os.h"

static struct job jobs[JOBS_MAX];
static struct job *current; /* the one last stopped or sent to the background */

int job_exit_status(int status) {
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  if (WIFSTOPPED(status)) return 128 + WSTOPSIG(status);
  return 128 + WTERMSIG(status);
}

static struct job *find_in(enum job_state state) {
  for (int i = 0; i < JOBS_MAX; i++)
    if (jobs[i].state == state) return &jobs[i];
  return NULL;
}

static struct job *make_free(void) {
  jobs_look();
  struct job *ended = find_in(JOB_DONE);
  if (ended) job_forget(ended);
  return ended;
}

struct job *job_new(const char *text) {
  struct job *job = find_in(JOB_FREE);
  if (!job) job = make_free();
  if (!job) {
    shell_complain("too many jobs");
    return NULL;
  }
  *job = (struct job){.state = JOB_RUNNING, .text = strdup(text)};
  if (!job->text) abort();
  return job;
}

void job_add(struct job *job, pid_t pid) {
  job->processes[job->count++] = pid;
  job->last = pid;
}

int job_number(const struct job *job) {
  return (int)(job - jobs) + 1;
}

void job_forget(struct job *job) {
  if (current == job) current = NULL;
  free(job->text);
  *job = (struct job){0};
}

struct job *job_find(const char *text) {
  if (*text == '%') text++;
  if (!*text || strcmp(text, "%") == 0 || strcmp(text, "+") == 0) {
    for (int i = JOBS_MAX - 1; !current && i >= 0; i--)
      if (jobs[i].state != JOB_FREE) current = &jobs[i];
    if (!current) shell_complain("no job");
    return current;
  }
  long n = strtol(text, NULL, 10);
  if (n >= 1 && n <= JOBS_MAX && jobs[n - 1].state != JOB_FREE) return &jobs[n - 1];
  shell_complain("%%%s: no such job", text);
  return NULL;
}

struct job *job_of(pid_t pid) {
  for (int i = 0; i < JOBS_MAX; i++)
    if (jobs[i].state != JOB_FREE && jobs[i].background && jobs[i].last == pid) return &jobs[i];
  return NULL;
}

static bool ended(const struct job *job) {
  for (unsigned i = 0; i < job->count; i++)
    if (job->processes[i]) return false;
  return true;
}

static void note_in(struct job *job, unsigned process, int status) {
  if (WIFSTOPPED(status)) {
    if (job->state != JOB_STOPPED) job->told = false; /* else by another process of it */
    job->state = JOB_STOPPED;
    job->status = status;
    current = job;
    return;
  }
  if (WIFCONTINUED(status)) {
    job->state = JOB_RUNNING;
    return;
  }
  if (job->processes[process] == job->last) job->status = status;
  job->processes[process] = 0;
  if (!ended(job)) return;
  job->state = JOB_DONE;
  job->told = false;
}

static void note(pid_t pid, int status) {
  for (int i = 0; i < JOBS_MAX; i++)
    for (unsigned k = 0; k < jobs[i].count; k++)
      if (jobs[i].state != JOB_FREE && jobs[i].processes[k] == pid) {
        note_in(&jobs[i], k, status);
        return;
      }
}

/* Children of which there is no trace any more have ended: nobody waits for them for ever. */
static void all_gone(void) {
  for (int i = 0; i < JOBS_MAX; i++)
    for (unsigned k = 0; k < jobs[i].count; k++)
      if (jobs[i].state != JOB_FREE && jobs[i].processes[k]) note_in(&jobs[i], k, 127 << 8);
}

/* @return false when nothing has changed, or it was interrupted */
static bool wait_one(int options) {
  int status;
  pid_t pid = os_waitpid(-1, &status, options | WUNTRACED | WCONTINUED);
  if (pid < 0 && errno != EINTR) all_gone();
  if (pid > 0) note(pid, status);
  return pid > 0;
}

void jobs_look(void) {
  while (wait_one(WNOHANG)) {
  }
}

static void take_console_back(const struct job *job) {
  if (!shell.interactive || !job->group) return;
  os_tcsetpgrp(shell.console, os_getpgrp());
}

static void tell_end(struct job *job) {
  int s = job->status;
  if (WIFSIGNALED(s) && WTERMSIG(s) == SIGINT && shell.interactive) {
    shell.interrupted = true;
    fputc('\n', stderr);
  } else if (WIFSIGNALED(s) && WTERMSIG(s) != SIGPIPE) {
    fprintf(stderr, "%s\n", strsignal(WTERMSIG(s)));
  }
}

int job_wait(struct job *job) {
  while (job->state == JOB_RUNNING) {
    if (shell.interrupted && job->background) return 128 + SIGINT;
    wait_one(0);
  }
  take_console_back(job);
  int status = job_exit_status(job->status);
  if (shell.interactive && job->group && (job->state == JOB_STOPPED || WIFSIGNALED(job->status)))
    terminal_restore();
  if (job->state == JOB_DONE) {
    tell_end(job);
    job_forget(job);
    return status;
  }
  fputc('\n', stderr);
  job->background = true;
  jobs_print(true);
  return status;
}

int job_continue(struct job *job, bool foreground) {
  if (job->state == JOB_DONE) {
    shell_complain("job has ended");
    return 1;
  }
  printf("%s\n", job->text);
  fflush(stdout);
  job->background = !foreground;
  if (foreground && job->group) os_tcsetpgrp(shell.console, job->group);
  job->state = JOB_RUNNING;
  if (job->group && os_kill(-job->group, SIGCONT) < 0 && errno != ESRCH)
    shell_complain("%s: %s", job->text, os_strerror(errno));
  return foreground ? job_wait(job) : 0;
}

static bool goes_on_by(int signal) {
  return signal == SIGTERM || signal == SIGHUP || signal == SIGKILL || signal == SIGCONT;
}

bool job_kill(struct job *job, int signal) {
  pid_t whom = job->group ? -job->group : job->last;
  if (os_kill(whom, signal) < 0) {
    shell_complain("kill: %%%d: %s", job_number(job), os_strerror(errno));
    return false;
  }
  if (job->state != JOB_STOPPED || !goes_on_by(signal)) return true;
  job->state = JOB_RUNNING;
  os_kill(whom, SIGCONT);
  return true;
}

void jobs_hang_up(void) {
  for (int i = 0; i < JOBS_MAX; i++)
    if (jobs[i].state == JOB_STOPPED) job_kill(&jobs[i], SIGHUP);
}

bool jobs_wait(void) {
  bool running = true;
  while (running) {
    running = false;
    for (int i = 0; i < JOBS_MAX; i++)
      running |= jobs[i].state == JOB_RUNNING;
    if (running && shell.interrupted) return false;
    if (running) wait_one(0);
  }
  return true;
}

static void print(struct job *job) {
  char ending[64];
  int s = job->status;
  const char *state = job->state == JOB_RUNNING ? "Running" : "Stopped";
  if (job->state == JOB_DONE && WIFSIGNALED(s))
    state = strsignal(WTERMSIG(s));
  else if (job->state == JOB_DONE && WEXITSTATUS(s)) {
    snprintf(ending, sizeof ending, "Exit %d", WEXITSTATUS(s));
    state = ending;
  } else if (job->state == JOB_DONE)
    state = "Done";
  printf("[%d]%c %-10s %s\n", job_number(job), job == current ? '+' : ' ', state, job->text);
  job->told = true;
  if (job->state == JOB_DONE) job_forget(job);
}

void jobs_print(bool news) {
  for (int i = 0; i < JOBS_MAX; i++) {
    struct job *job = &jobs[i];
    if (job->state == JOB_FREE || !job->background) continue;
    if (!news || (job->state != JOB_RUNNING && !job->told)) print(job);
  }
  fflush(stdout);
}

bool jobs_stopped(void) {
  for (int i = 0; i < JOBS_MAX; i++)
    if (jobs[i].state == JOB_STOPPED) return true;
  return false;
}
