#include "bus/grants.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct list {
  char *bytes;
  size_t used;
  bool overflow;
};

static void add_string(struct list *l, const char *text) {
  size_t n = strlen(text) + 1;
  if (l->overflow || n > NEEDS_GIVEN_MAX - l->used) {
    l->overflow = true;
    return;
  }
  memcpy(l->bytes + l->used, text, n);
  l->used += n;
}

static void add(struct list *l, const char *kind, const char *name) {
  add_string(l, kind);
  add_string(l, name);
}

static void add_all(struct list *l, const char *kind, char *const *names, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    add(l, kind, names[i]);
}

static void add_regions(struct list *l, const struct manifest *m,
                        const struct manifest_component *c) {
  for (unsigned i = 0; i < m->regions_count; i++)
    for (unsigned j = 0; j < m->regions[i].share_count; j++)
      if (strcmp(m->regions[i].share[j], c->name) == 0) add(l, "region", m->regions[i].name);
}

size_t grants_list(const struct manifest *m, const struct manifest_component *c,
                   char bytes[NEEDS_GIVEN_MAX]) {
  struct list l = {.bytes = bytes};
  add_all(&l, "argument", c->args, c->args_count);
  for (unsigned i = 0; i < c->calls_count; i++) {
    add(&l, "call", c->calls[i].to);
    add(&l, "send", c->calls[i].to);
  }
  add_all(&l, "send", c->sends, c->sends_count);
  if (c->kernel & MANIFEST_KERNEL_UPDATE) add(&l, "kernel", "update");
  if (c->kernel & MANIFEST_KERNEL_PROCESSES) add(&l, "kernel", "processes");
  add_all(&l, "syscall", c->syscalls, c->syscalls_count);
  add_regions(&l, m, c);
  return l.used;
}

bool grants_suffice_for(const struct manifest *m, const struct manifest_component *c, int exe,
                        const char *subject, char *why, size_t cap) {
  char list[NEEDS_GIVEN_MAX];
  size_t bytes = grants_list(m, c, list);
  return needs_check(exe, subject, list, bytes, why, cap) == 0;
}

bool grants_suffice(const struct manifest *m, const struct manifest_component *c, char *why,
                    size_t cap) {
  int exe = open(c->executable, O_RDONLY | O_CLOEXEC);
  if (exe < 0) {
    snprintf(why, cap, "component %s: %s: %s", c->name, c->executable, strerror(errno));
    return false;
  }
  bool suffice = grants_suffice_for(m, c, exe, c->name, why, cap);
  close(exe);
  return suffice;
}
