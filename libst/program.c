#include "libst/handler_plan.h"
#include "libst/program_build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libst/meta.h"
#include "libst/type.h"

/* Everything of a set lives as long as the set: one chain of chunks. */
struct chunk {
  struct chunk *next;
  size_t used, cap;
  char bytes[] __attribute__((aligned(16)));
};

struct programs {
  const struct st_meta *old, *new;
  const struct handler *handlers;
  struct program **table; /* open addressing by pair of types */
  size_t cap, count;
  uint32_t *counterpart; /* by stripped old type id; 0 = not known */
  uint32_t old_types;
  uint32_t *pending; /* old types whose counterpart was found but not compiled for */
  size_t pending_count, pending_cap;
  unsigned compiling; /* depth */
  struct chunk *chunks;
  bool out_of_memory;
};

void *build_keep(struct programs *ps, size_t bytes) {
  struct chunk *c = ps->chunks;
  bytes = (bytes + 15) & ~15ul;
  if (!c || c->cap - c->used < bytes) {
    size_t cap = bytes > 16000 ? bytes : 16000;
    c = malloc(sizeof(*c) + cap);
    if (!c) {
      ps->out_of_memory = true;
      return NULL;
    }
    *c = (struct chunk){ps->chunks, 0, cap};
    ps->chunks = c;
  }
  void *p = c->bytes + c->used;
  c->used += bytes;
  return memset(p, 0, bytes);
}

const char *build_text(struct programs *ps, const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  int length = vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  if (length >= (int)sizeof(text)) length = sizeof(text) - 1;
  char *p = build_keep(ps, (size_t)length + 1);
  return p ? memcpy(p, text, (size_t)length + 1) : "";
}

struct programs *programs_new(const struct st_meta *old, const struct st_meta *new) {
  struct programs *ps = calloc(1, sizeof(*ps));
  if (!ps) return NULL;
  ps->old = old;
  ps->new = new;
  ps->old_types = btf__type_cnt(old->btf);
  ps->counterpart = calloc(ps->old_types, sizeof(*ps->counterpart));
  ps->cap = 256;
  ps->table = calloc(ps->cap, sizeof(*ps->table));
  if (ps->counterpart && ps->table) return ps;
  programs_free(ps);
  return NULL;
}

void programs_free(struct programs *ps) {
  if (!ps) return;
  for (struct chunk *c = ps->chunks, *next; c; c = next) {
    next = c->next;
    free(c);
  }
  free(ps->pending);
  free(ps->counterpart);
  free(ps->table);
  free(ps);
}

/* Notes that two types are each other's, so that blocks of the old one find the new one. */
void build_correspond(struct programs *ps, uint32_t old_type, uint32_t new_type) {
  old_type = type_strip(ps->old, old_type);
  new_type = type_strip(ps->new, new_type);
  const struct btf_type *o = type_of(ps->old, old_type), *n = type_of(ps->new, new_type);
  if (old_type >= ps->old_types || ps->counterpart[old_type] || btf_kind(o) != btf_kind(n) ||
      !btf_is_composite(o) ||
      (strcmp(type_name(ps->old, o), type_name(ps->new, n)) != 0 && !build_is_renamed(ps, o, n)))
    return;
  ps->counterpart[old_type] = new_type;
  /* Its members' types pair too, but not now: one of them may be the type being compiled. */
  if (ps->pending_count == ps->pending_cap) {
    size_t cap = ps->pending_cap ? ps->pending_cap * 2 : 64;
    uint32_t *grown = realloc(ps->pending, cap * sizeof(*grown));
    if (!grown) {
      ps->out_of_memory = true;
      return;
    }
    ps->pending = grown;
    ps->pending_cap = cap;
  }
  ps->pending[ps->pending_count++] = old_type;
}

bool build_same_name(struct programs *ps, const struct btf_type *o, const struct btf_type *n) {
  const char *old_name = type_name(ps->old, o), *new_name = type_name(ps->new, n);
  return !*old_name || !*new_name || strcmp(old_name, new_name) == 0;
}

/* ---- the set ---- */

static size_t slot_of(const struct programs *ps, uint32_t old_type, uint32_t new_type) {
  size_t at = (old_type * 0x9e3779b1u ^ new_type * 0x85ebca6bu) & (ps->cap - 1);
  while (ps->table[at] &&
         (ps->table[at]->old_type != old_type || ps->table[at]->new_type != new_type))
    at = (at + 1) & (ps->cap - 1);
  return at;
}

static bool grow(struct programs *ps) {
  struct program **old = ps->table;
  size_t cap = ps->cap;
  struct program **table = calloc(cap * 2, sizeof(*table));
  if (!table) return false;
  ps->table = table;
  ps->cap = cap * 2;
  for (size_t i = 0; i < cap; i++)
    if (old[i]) ps->table[slot_of(ps, old[i]->old_type, old[i]->new_type)] = old[i];
  free(old);
  return true;
}

const struct program *program_for(struct programs *ps, uint32_t old_type, uint32_t new_type) {
  old_type = type_strip(ps->old, old_type);
  new_type = type_strip(ps->new, new_type);
  struct program *p = ps->table[slot_of(ps, old_type, new_type)];
  if (p) return p;
  if (ps->count * 2 >= ps->cap && !grow(ps)) return NULL;
  p = build_keep(ps, sizeof(*p));
  if (!p) return NULL;
  p->old_type = old_type;
  p->new_type = new_type;
  p->old_bytes = (uint32_t)type_bytes(ps->old, old_type);
  p->new_bytes = (uint32_t)type_bytes(ps->new, new_type);
  ps->table[slot_of(ps, old_type, new_type)] = p;
  ps->count++;
  struct builder b = {.set = ps, .old = ps->old, .new = ps->new, .program = p};
  if (p->old_bytes != p->new_bytes) p->changed = true;
  ps->compiling++;
  build_pair(&b, old_type, new_type, 0, 0, "");
  build_moves(&b);
  ps->compiling--;
  while (ps->compiling == 0 && ps->pending_count > 0) {
    uint32_t next = ps->pending[--ps->pending_count];
    program_for(ps, next, ps->counterpart[next]);
  }
  return ps->out_of_memory ? NULL : p;
}

void programs_each(const struct programs *ps,
                   void (*visit)(const struct program *program, void *ctx), void *ctx) {
  for (size_t i = 0; i < ps->cap; i++)
    if (ps->table[i]) visit(ps->table[i], ctx);
}

/* Types without identity of their own pair by structure; the others by name. */
static uint32_t find_counterpart(struct programs *ps, uint32_t id) {
  const struct btf_type *o = btf__type_by_id(ps->old->btf, id);
  uint32_t count = btf__type_cnt(ps->new->btf), found = 0;
  bool fits = false, several = false;
  const char *name = type_name(ps->old, o);
  for (uint32_t k = 1; k < count; k++) {
    const struct btf_type *n = btf__type_by_id(ps->new->btf, k);
    if (btf_kind(n) != btf_kind(o) || strcmp(type_name(ps->new, n), name) != 0) continue;
    if (btf_is_ptr(o) || btf_is_array(o)) {
      uint32_t inner = btf_is_ptr(o) ? o->type : btf_array(o)->type;
      uint32_t new_inner = btf_is_ptr(n) ? n->type : btf_array(n)->type;
      if (btf_is_array(o) && btf_array(o)->nelems != btf_array(n)->nelems) continue;
      const struct btf_type *target = type_of(ps->old, inner), *other = type_of(ps->new, new_inner);
      if (btf_kind(target) != btf_kind(other) ||
          !(build_same_name(ps, target, other) || build_is_renamed(ps, target, other)))
        continue;
      if (btf_is_ptr(o)) return k; /* what it points to is decided by each target */
    } else if (!*name) {
      continue;
    }
    const struct program *p = program_for(ps, id, k);
    if (!p) return 0;
    if (!p->refusal && !p->changed) return k;
    if (fits && !p->refusal) several = true;
    if (!found || (!fits && !p->refusal)) found = k;
    fits |= !p->refusal;
  }
  /* Several of that name, and no variable or member has shown which is which. */
  return several ? 0 : found;
}

uint32_t programs_counterpart(struct programs *ps, uint32_t old_type) {
  const struct btf_type *t = btf__type_by_id(ps->old->btf, old_type);
  if (!t) return 0;
  uint32_t stripped = type_strip(ps->old, old_type);
  if (stripped >= ps->old_types || stripped == 0) return 0;
  if (ps->counterpart[stripped]) return ps->counterpart[stripped];
  uint32_t found = btf_is_typedef(t) ? find_counterpart(ps, old_type) : 0;
  if (!found && stripped) found = find_counterpart(ps, stripped);
  found = found ? type_strip(ps->new, found) : 0;
  ps->counterpart[stripped] = found;
  return found;
}

const struct st_meta *programs_old(const struct programs *ps) {
  return ps->old;
}

void programs_set_handlers(struct programs *ps, const struct handler *handlers) {
  ps->handlers = handlers;
}

const struct handler *programs_handler(const struct programs *ps, uint32_t old_type,
                                       uint32_t new_type) {
  old_type = type_strip(ps->old, old_type);
  new_type = type_strip(ps->new, new_type);
  for (const struct handler *h = ps->handlers; h; h = h->next)
    if (!h->target && h->old_type == old_type && h->new_type == new_type) return h;
  return NULL;
}

const struct st_meta *programs_target(const struct programs *ps) {
  return ps->new;
}
