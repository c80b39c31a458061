#include "updmgr/member.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct member *member_new(const char *name, const char *path, const char *filter, int exe_fd) {
  struct member *m = calloc(1, sizeof(*m));
  if (!m) {
    if (exe_fd >= 0) close(exe_fd);
    return NULL;
  }
  m->exe_fd = exe_fd;
  m->self = exe_fd < 0;
  strncpy(m->name, name, sizeof(m->name) - 1);
  m->path = strdup(path);
  m->filter = strdup(filter);
  m->allow = strdup("");
  if (!m->path || !m->filter || !m->allow) {
    member_free(m);
    return NULL;
  }
  return m;
}

bool member_set_allow(struct member *m, const char *text, const void *steps, size_t bytes) {
  free(m->allow);
  m->allow = strdup(text);
  m->steps = malloc(bytes + 1);
  if (!m->allow || !m->steps) return false;
  memcpy(m->steps, steps, bytes);
  m->steps_bytes = bytes;
  return true;
}

/* @param to  receives a copy of `bytes` at `from`, which may be NULL. @return false without memory
 */
static bool copy_bytes(uint8_t **to, size_t *to_bytes, const uint8_t *from, size_t bytes) {
  if (!from) return true;
  *to = malloc(bytes + 1);
  if (!*to) return false;
  memcpy(*to, from, bytes);
  *to_bytes = bytes;
  return true;
}

struct member *member_copy(const struct member *m) {
  int exe = m->self ? -1 : fcntl(m->exe_fd, F_DUPFD_CLOEXEC, 0);
  if (!m->self && exe < 0) return NULL;
  struct member *copy = member_new(m->name, m->path, m->filter, exe);
  if (!copy) return NULL;
  copy->limits = m->limits;
  if (copy_bytes(&copy->options, &copy->options_bytes, m->options, m->options_bytes) &&
      copy_bytes(&copy->signature, &copy->signature_bytes, m->signature, m->signature_bytes) &&
      (!m->steps || member_set_allow(copy, m->allow, m->steps, m->steps_bytes)))
    return copy;
  member_free(copy);
  return NULL;
}

void member_free(struct member *m) {
  if (!m) return;
  if (m->exe_fd >= 0) close(m->exe_fd);
  free(m->path);
  free(m->filter);
  free(m->allow);
  free(m->steps);
  free(m->options);
  free(m->signature);
  free(m);
}

void member_list_free(struct member_list *list) {
  struct member *m;
  while ((m = TAILQ_FIRST(list))) {
    TAILQ_REMOVE(list, m, link);
    member_free(m);
  }
}

struct member *member_find(struct member_list *list, const char *name) {
  struct member *m;
  TAILQ_FOREACH (m, list, link)
    if (strcmp(m->name, name) == 0) return m;
  return NULL;
}

bool member_reached(const struct member *m, enum update_phase phase) {
  return m->reported & (1u << phase);
}

static bool calls(const struct member *a, const struct member *b) {
  for (uint32_t i = 0; i < a->ncalls; i++)
    if (a->calls[i] == b->endpoint) return true;
  return false;
}

/* Whether a member of `list` other than `m` calls it. */
static bool is_called(struct member_list *list, const struct member *m) {
  struct member *other;
  TAILQ_FOREACH (other, list, link)
    if (other != m && calls(other, m)) return true;
  return false;
}

void member_list_order(struct member_list *list) {
  struct member_list sorted = TAILQ_HEAD_INITIALIZER(sorted);
  while (!TAILQ_EMPTY(list)) {
    struct member *m;
    TAILQ_FOREACH (m, list, link)
      if (!is_called(list, m)) break;
    if (!m) m = TAILQ_FIRST(list); /* a cycle: the manifest's check excludes it */
    TAILQ_REMOVE(list, m, link);
    TAILQ_INSERT_TAIL(&sorted, m, link);
  }
  TAILQ_CONCAT(list, &sorted, link);
}
