#include "apps/sh/redirect.h"

#include <stdlib.h>
#include <string.h>

#include "apps/sh/expand.h"

enum { SAVED_NOT = -2, SAVED_CLOSED = -1 };

void plumbing_start(struct plumbing *p) {
  memset(p->ours, 0, sizeof p->ours);
  for (int fd = 0; fd < (int)OS_FDS_MAX; fd++)
    p->at[fd] = fd < 3 ? fd : -1;
}

void plumbing_put(struct plumbing *p, int fd, int to) {
  p->at[fd] = to;
  p->ours[to] = true;
}

static bool open_file(struct plumbing *p, const struct redirection *r, const char *path) {
  static const int flags[] = {[REDIRECT_READ] = O_RDONLY,
                              [REDIRECT_WRITE] = O_WRONLY | O_CREAT | O_TRUNC,
                              [REDIRECT_APPEND] = O_WRONLY | O_CREAT | O_APPEND};
  int fd = os_open(path, flags[r->kind], 0666);
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
  if (*end || !*word || from < 0 || from >= (long)OS_FDS_MAX || p->at[from] < 0) {
    shell_complain("%s: no such descriptor", word);
    return false;
  }
  p->at[r->fd] = p->at[from];
  return true;
}

bool plumbing_redirect(struct plumbing *p, const struct redirection *r) {
  for (; r; r = r->next) {
    if (r->fd >= (int)OS_FDS_MAX) {
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
  for (int fd = 0; fd < (int)OS_FDS_MAX; fd++) {
    struct stat st;
    if (p->at[fd] < 0 || (fd < 3 && p->at[fd] == fd && os_fstat(fd, &st) < 0)) continue;
    list[n++] = (struct os_spawn_fd){fd, p->at[fd]};
  }
  return n;
}

/* All are set aside first: they may lead to one another. */
bool plumbing_enter(const struct plumbing *p, int saved[OS_FDS_MAX]) {
  int to[OS_FDS_MAX];
  bool right = true;
  for (int fd = 0; fd < (int)OS_FDS_MAX; fd++) {
    saved[fd] = SAVED_NOT;
    to[fd] = -1;
  }
  for (int fd = 0; fd < (int)OS_FDS_MAX; fd++) {
    bool same = p->at[fd] == fd || (fd > 2 && p->at[fd] < 0);
    if (same || p->ours[fd]) continue;
    saved[fd] = os_dup(fd);
    if (saved[fd] < 0) saved[fd] = SAVED_CLOSED;
    if (p->at[fd] >= 0 && (to[fd] = os_dup(p->at[fd])) < 0) right = false;
  }
  for (int fd = 0; fd < (int)OS_FDS_MAX; fd++) {
    if (saved[fd] == SAVED_NOT) continue;
    if (to[fd] < 0) {
      os_close(fd);
    } else {
      os_dup2(to[fd], fd);
      os_close(to[fd]);
    }
  }
  if (!right) shell_complain("%s", os_strerror(EMFILE));
  return right;
}

void plumbing_leave(int saved[OS_FDS_MAX]) {
  for (int fd = 0; fd < (int)OS_FDS_MAX; fd++) {
    if (saved[fd] == SAVED_NOT) continue;
    if (saved[fd] == SAVED_CLOSED) {
      os_close(fd);
    } else {
      os_dup2(saved[fd], fd);
      os_close(saved[fd]);
    }
  }
}
