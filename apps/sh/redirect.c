#include "apps/sh/redirect.h"

#include <stdlib.h>
#include <string.h>

#include "apps/sh/expand.h"

enum { SAVED_NOT = -2, SAVED_CLOSED = -1 };

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

bool plumbing_redirect(struct plumbing *p, const struct redirection *r) {
  for (; r; r = r->next) {
    if (r->fd >= PLUMBING_NUMBERS) {
      shell_complain("%d: no such descriptor", r->fd);
      return false;
    }
    char *word = expand_single(r->word);
    if (!word) return false;
    bool right = r->kind == REDIRECT_DUPLICATE ? duplicate(p, r, word) : open_file(p, r, word);
    free(word);
    if (!right) return false;
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
