#include "bus/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/lifecycle.h"
#include "bus/loop.h"

#define CHUNK_BYTES     16384u
#define LAST_LINE_BYTES 512u

static struct file {
  int fd;
  size_t bytes;
  char last[LAST_LINE_BYTES]; /* the newest whole line */
  size_t partial;             /* bytes of the one that has not ended, in `line` */
  char line[LAST_LINE_BYTES];
} files[ENDPOINTS_MAX];

static void path_of(const struct endpoint *e, const char *suffix, char path[PATH_MAX]) {
  snprintf(path, PATH_MAX, "%s/log/%s.log%s", bus.runtime_dir, e->component->name, suffix);
}

static int open_file(const struct endpoint *e) {
  struct file *f = &files[e->id];
  char path[PATH_MAX];
  struct stat st;
  path_of(e, "", path);
  f->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (f->fd < 0 || fstat(f->fd, &st) < 0) return -errno;
  f->bytes = (size_t)st.st_size;
  return 0;
}

static void rotate(const struct endpoint *e) {
  struct file *f = &files[e->id];
  char path[PATH_MAX], older[PATH_MAX];
  path_of(e, "", path);
  path_of(e, ".1", older);
  rename(path, older);
  close(f->fd);
  if (open_file(e) < 0) bus_log("%s cannot be opened: its component's output is lost", path);
}

/* Remembers the newest line for people. */
static void follow_lines(struct file *f, const char *text, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (text[i] != '\n') {
      if (f->partial < sizeof(f->line) - 1) f->line[f->partial++] = text[i];
      continue;
    }
    f->line[f->partial] = 0;
    memcpy(f->last, f->line, f->partial + 1);
    f->partial = 0;
  }
}

static void append(const struct endpoint *e, const char *text, size_t n) {
  struct file *f = &files[e->id];
  if (f->bytes + n > LOG_MAX_BYTES) rotate(e);
  ssize_t written = write(f->fd, text, n);
  if (written > 0) f->bytes += (size_t)written;
}

/* @return whether there was anything */
static bool read_pipe(const struct endpoint *e) {
  char text[CHUNK_BYTES];
  ssize_t n = read(e->log_pipe[0], text, sizeof(text));
  if (n <= 0) return false;
  append(e, text, (size_t)n);
  follow_lines(&files[e->id], text, (size_t)n);
  return true;
}

static void pipe_ready(int fd, void *endpoint) {
  (void)fd;
  read_pipe(endpoint);
}

/* What was printed before now comes before what is noted now. The amount is bounded: others can
 * print, but not for ever into a pipe that busd does not read. */
static void drain(const struct endpoint *e) {
  for (unsigned i = 0; i < 64 && read_pipe(e); i++) {
  }
}

int log_open(struct endpoint *e) {
  int error = open_file(e);
  if (error) return error;
  if (pipe2(e->log_pipe, O_CLOEXEC) < 0) return -errno;
  /* Only busd's end: a component that prints faster than that waits. */
  fcntl(e->log_pipe[0], F_SETFL, O_NONBLOCK);
  return loop_add(e->log_pipe[0], LOOP_READ, false, pipe_ready, e);
}

void log_close(struct endpoint *e) {
  if (e->log_pipe[0] >= 0) loop_forget(e->log_pipe[0]);
  if (files[e->id].fd >= 0) close(files[e->id].fd);
  files[e->id].fd = -1;
}

__attribute__((format(printf, 2, 3))) static void note(const struct endpoint *e, const char *fmt,
                                                       ...) {
  char line[512];
  time_t now = time(NULL);
  struct tm tm;
  va_list ap;
  size_t n = strftime(line, sizeof(line), "-- %F %T ", localtime_r(&now, &tm));
  va_start(ap, fmt);
  n += (size_t)vsnprintf(line + n, sizeof(line) - n, fmt, ap);
  va_end(ap);
  if (n > sizeof(line) - 2) n = sizeof(line) - 2;
  line[n++] = '\n';
  append(e, line, n);
}

void log_version(struct endpoint *e, const struct version *v, const char *what) {
  drain(e);
  note(e, "%s %s: build id %s, process %d, %s", e->component->name, what, v->build_id, v->pid,
       v->path ? v->path : "?");
}

static void note_history(const struct endpoint *e) {
  uint64_t now = bus_now_us();
  for (unsigned i = 0;; i++) {
    char text[256];
    endpoint_t peer = history_peer(&e->history, i);
    const char *name = peer == SYS_KERNEL ? "bus" : bus_endpoint(peer)->component->name;
    if (!history_format(&e->history, i, now, name, text, sizeof(text))) return;
    if (i == 0) note(e, "its last messages:");
    note(e, "  %s", text);
  }
}

void log_end(struct endpoint *e, const struct version *v, int wait_status) {
  char how[128];
  bool is_next = e->next == v;
  bool in_order = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
  lifecycle_describe_end(wait_status, how, sizeof(how));
  drain(e);
  note(e, "%s%s, process %d, build id %s, %s", e->component->name, is_next ? " (new version)" : "",
       v->pid, v->build_id, how);
  if (!in_order && !is_next) note_history(e);
}

void log_forget_line(const struct endpoint *e) {
  drain(e);
  files[e->id].last[0] = 0;
}

void log_last_line(const struct endpoint *e, char *line, size_t cap) {
  drain(e);
  snprintf(line, cap, "%s", files[e->id].last);
}
