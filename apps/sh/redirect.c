#include "apps/sh/redirect.h"

#include <stdlib.h>
#include <string.h>

#include "apps/sh/expand.h"

enum { SAVED_NOT = -2, SAVED_CLOSED = -1, HERE_MAX = 65536 /* what a pipe holds */ };

static bool here[PLUMBING_NUMBERS]; /* the shell has it, and so have its commands */

void plumbing_init(void) {
  struct stat st;
  for (int fd = 0; fd < PLUMBING_NUMBERS; fd++)
    here[fd] = os_fstat(fd, &st) == 0;
}

int plumbing_own(int fd) {
  int own = fd < 0 ? -1 : os_dup_from(fd, PLUMBING_NUMBERS), error = errno;
  if (fd >= 0) os_close(fd);
  errno = error;
  return own;
}

bool plumbing_pipe(int ends[2]) {
  bool made = os_pipe(ends) == 0;
  for (int i = 0; made && i < 2; i++)
    ends[i] = plumbing_own(ends[i]);
  if (made && ends[0] >= 0 && ends[1] >= 0) return true;
  shell_complain("pipe: %s", os_strerror(errno));
  for (int i = 0; made && i < 2; i++)
    if (ends[i] >= 0) os_close(ends[i]);
  return false;
}

void plumbing_start(struct plumbing *p) {
  memset(p->ours, 0, sizeof p->ours);
  for (int fd = 0; fd < PLUMBING_NUMBERS; fd++)
    p->at[fd] = here[fd] ? fd : -1;
}

void plumbing_put(struct plumbing *p, int fd, int to) {
  p->at[fd] = to;
  p->ours[to] = true;
}

static bool open_file(struct plumbing *p, const struct redirection *r, const char *path) {
  static const int flags[] = {[REDIRECT_READ] = O_RDONLY,
                              [REDIRECT_WRITE] = O_WRONLY | O_CREAT | O_TRUNC,
                              [REDIRECT_APPEND] = O_WRONLY | O_CREAT | O_APPEND};
  int fd = plumbing_own(os_open(path, flags[r->kind], 0666));
  if (fd < 0) {
    shell_complain("%s: %s", path, os_strerror(errno));
    return false;
  }
  plumbing_put(p, r->fd, fd);
  return true;
}

static bool duplicate(struct plumbing *p, const struct redirection *r, const char *word) {
  char *end;
  if (strcmp(word, "-") == 0) {
    p->at[r->fd] = -1;
    return true;
  }
  long from = strtol(word, &end, 10);
  if (*end || !*word || from < 0 || from >= PLUMBING_NUMBERS || p->at[from] < 0) {
    shell_complain("%s: no such descriptor", word);
    return false;
  }
  p->at[r->fd] = p->at[from];
  return true;
}

/* By way of a pipe, which takes it as a whole: nobody reads yet. */
static bool open_here(struct plumbing *p, const struct redirection *r) {
  char *text = r->literal ? strdup(r->word) : expand_here(r->word);
  int ends[2];
  if (!text) return false;
  size_t bytes = strlen(text);
  bool fits = bytes <= HERE_MAX, right = fits && plumbing_pipe(ends);
  if (!fits) shell_complain("here-document: more than %d bytes", HERE_MAX);
  if (right) {
    plumbing_put(p, r->fd, ends[0]);
    right = !bytes || os_write(ends[1], text, bytes) == (ssize_t)bytes;
    if (!right) shell_complain("here-document: %s", os_strerror(errno));
    os_close(ends[1]);
  }
  free(text);
  return right;
}

static bool redirect(struct plumbing *p, const struct redirection *r) {
  if (r->kind == REDIRECT_HERE) return open_here(p, r);
  char *word = expand_single(r->word);
  if (!word) return false;
  bool right = r->kind == REDIRECT_DUPLICATE ? duplicate(p, r, word) : open_file(p, r, word);
  free(word);
  return right;
}

bool plumbing_redirect(struct plumbing *p, const struct redirection *r) {
  for (; r; r = r->next) {
    if (r->fd >= PLUMBING_NUMBERS) {
      shell_complain("%d: no such descriptor", r->fd);
      return false;
    }
    if (!redirect(p, r)) return false;
  }
  return true;
}

void plumbing_end(struct plumbing *p) {
  for (int fd = 0; fd < (int)OS_FDS_MAX; fd++)
    if (p->ours[fd]) os_close(fd);
  memset(p->ours, 0, sizeof p->ours);
}

unsigned plumbing_list(const struct plumbing *p, struct os_spawn_fd *list) {
  unsigned n = 0;
  for (int fd = 0; fd < PLUMBING_NUMBERS; fd++)
    if (p->at[fd] >= 0) list[n++] = (struct os_spawn_fd){fd, p->at[fd]};
  return n;
}

static void move(int from, int to) {
  if (from < 0) {
    os_close(to);
  } else {
    os_dup2(from, to);
    os_close(from);
  }
}

/* All are set aside first: they may lead to one another. */
bool plumbing_enter(const struct plumbing *p, int saved[PLUMBING_NUMBERS]) {
  int to[PLUMBING_NUMBERS];
  bool right = true;
  for (int fd = 0; fd < PLUMBING_NUMBERS; fd++) {
    bool same = p->at[fd] == (here[fd] ? fd : -1);
    saved[fd] = same ? SAVED_NOT : here[fd] ? os_dup_from(fd, PLUMBING_NUMBERS) : SAVED_CLOSED;
    to[fd] = same || p->at[fd] < 0 ? -1 : os_dup_from(p->at[fd], PLUMBING_NUMBERS);
    if (!same && (to[fd] < 0) != (p->at[fd] < 0)) right = false;
  }
  for (int fd = 0; fd < PLUMBING_NUMBERS; fd++) {
    if (saved[fd] == SAVED_NOT) continue;
    move(to[fd], fd);
    here[fd] = to[fd] >= 0;
  }
  if (!right) shell_complain("%s", os_strerror(EMFILE));
  return right;
}

void plumbing_leave(int saved[PLUMBING_NUMBERS]) {
  for (int fd = 0; fd < PLUMBING_NUMBERS; fd++) {
    if (saved[fd] == SAVED_NOT) continue;
    move(saved[fd], fd);
    here[fd] = saved[fd] >= 0;
  }
}
