#include "libst/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "libst/process.h"
#include "libst/site.h"
#include "libst/st.h"
#include "libst/type.h"

enum {
  BLOCKS_MAX = 100000,
  SHOWN_MAX = 6, /* pointers of a chain; of a longer one the first: */
  SHOWN_FIRST = 2,
};

struct reached {
  struct block block;
  uint32_t from; /* index of the block that points to it; 0 = a variable */
  char *label;   /* expression for the pointer, relative to `from` */
};

struct search {
  struct transfer *t; /* NULL: this version's own state */
  const struct st_meta *meta;
  uintptr_t wanted;
  const unsigned char *heap; /* the old version's, whatever the transfer has changed since */
  struct reached *queue;     /* [0] is unused */
  uint32_t count, cap, from, found;
  uint8_t *seen; /* a bit for each 16 bytes of the arena */
  char label[256];
};

static void reach(struct search *s, uint64_t value) {
  struct block b;
  if (s->found || !arena_find(value, false, &b)) return;
  uint64_t unit = (b.address - ARENA_BASE) / 16;
  if (s->seen[unit / 8] >> unit % 8 & 1) return;
  s->seen[unit / 8] |= (uint8_t)(1 << unit % 8);
  if (s->count == s->cap) {
    uint32_t cap = s->cap ? s->cap * 2 : 256;
    struct reached *grown = cap > BLOCKS_MAX ? NULL : realloc(s->queue, cap * sizeof(*grown));
    if (!grown) return;
    s->queue = grown;
    s->cap = cap;
    if (s->count == 0) s->count = 1;
  }
  s->queue[s->count] = (struct reached){b, s->from, strdup(s->label)};
  if (b.address == s->wanted) s->found = s->count;
  s->count++;
}

/* Visits the pointers of an object; `length` is of the label so far. */
static void walk(struct search *s, uint32_t type, const unsigned char *data, size_t length) {
  const struct st_meta *meta = s->meta;
  const struct btf_type *t = type_of(meta, type);
  char *end = s->label + length;
  size_t room = sizeof(s->label) - length;
  if (btf_is_ptr(t)) {
    uint64_t value;
    memcpy(&value, data, sizeof(value));
    reach(s, value);
  } else if (btf_is_array(t)) {
    size_t size = type_bytes(meta, btf_array(t)->type);
    for (uint32_t i = 0; i < btf_array(t)->nelems; i++) {
      int n = snprintf(end, room, "[%u]", i);
      if ((size_t)n < room) walk(s, btf_array(t)->type, data + i * size, length + (size_t)n);
    }
  } else if (btf_is_struct(t)) {
    for (unsigned i = 0; i < type_members(t); i++) {
      struct type_member m = type_member(meta, t, i);
      int n = *m.name ? snprintf(end, room, ".%s", m.name) : 0;
      if (!m.bits && (size_t)n < room) walk(s, m.type, data + m.bit / 8, length + (size_t)n);
    }
  }
  *end = 0;
}

static void walk_block(struct search *s, const struct block *b) {
  const struct site *site = &ARENA_SITE[b->site];
  size_t size = site->type ? type_bytes(s->meta, site->type) : 0;
  if (size == 0 || !site_may_point(s->meta, site->type)) return;
  const unsigned char *data = s->heap + (b->address - ARENA_BASE);
  size_t count = site->flags & SITE_FLEXIBLE ? 1 : b->bytes / size;
  for (size_t i = 0; i < count && !s->found; i++) {
    int n = count > 1 ? snprintf(s->label, sizeof(s->label), "[%zu]", i) : 0;
    s->label[n] = 0;
    walk(s, site->type, data + i * size, (size_t)n);
  }
}

static const unsigned char *variable_data(const struct search *s, const struct st_variable *v) {
  if (!s->t) return (const unsigned char *)(st_image_base() + v->address);
  return transfer_snapshot(s->t, s->t->old.image[0].base + v->address, v->size);
}

static void walk_variables(struct search *s) {
  const struct st_meta *meta = s->meta;
  for (uint32_t i = 0; i < meta->header->variables.count && !s->found; i++) {
    const struct st_variable *v = &meta->variables[i];
    if (v->flags & ST_VAR_CONST) continue;
    const unsigned char *data = variable_data(s, v);
    if (!data || v->size < type_bytes(meta, v->type)) continue;
    size_t n = (size_t)snprintf(s->label, sizeof(s->label), "%s", st_meta_string(meta, v->name));
    if (n < sizeof(s->label)) walk(s, v->type, data, n);
  }
}

/* `conns[3]` and the member `.peer` of what it points to make `conns[3]->peer`. */
static size_t print(const struct search *s, uint32_t i, char *out, size_t cap) {
  const struct reached *r = &s->queue[i];
  size_t at = r->from ? print(s, r->from, out, cap) : 0;
  if (at >= cap) return at;
  bool member = r->from && r->label[0] == '.';
  int n = snprintf(out + at, cap - at, "%s%s", member ? "->" : "", r->label + member);
  return at + (n > 0 ? (size_t)n : 0);
}

/* The middle of a long list tells nothing. */
static void print_short(const struct search *s, char *out, size_t cap) {
  uint32_t i = s->found, length = 0, more = 0;
  for (uint32_t k = i; k; k = s->queue[k].from)
    length++;
  for (; length - more > SHOWN_FIRST && length > SHOWN_MAX; more++)
    i = s->queue[i].from;
  size_t at = print(s, i, out, cap);
  if (more && at < cap) snprintf(out + at, cap - at, "->(%u more)", more);
}

static const char *search(struct search *s, char *out, size_t cap) {
  size_t seen_bytes = ARENA_BYTES / 16 / 8;
  void *seen = mmap(NULL, seen_bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (seen == MAP_FAILED) return out;
  s->seen = seen;
  walk_variables(s);
  for (s->from = 1; s->from < s->count && !s->found; s->from++) {
    struct block from = s->queue[s->from].block;
    walk_block(s, &from);
  }
  if (s->found) print_short(s, out, cap);
  for (uint32_t i = 1; i < s->count; i++)
    free(s->queue[i].label);
  free(s->queue);
  munmap(seen, seen_bytes);
  return out;
}

const char *path_to_block(struct transfer *t, const struct block *block, char *out, size_t cap) {
  struct search s = {.t = t, .meta = t->plan->old, .wanted = block->address};
  void *heap = mmap(NULL, ARENA_BYTES, PROT_READ, MAP_SHARED | MAP_NORESERVE, st_process.heap, 0);
  *out = 0;
  if (heap == MAP_FAILED) return out;
  s.heap = heap;
  search(&s, out, cap);
  munmap(heap, ARENA_BYTES);
  return out;
}

const char *path_to_own_block(const struct st_meta *meta, const struct block *block, char *out,
                              size_t cap) {
  struct search s = {.meta = meta, .wanted = block->address, .heap = (void *)ARENA_BASE};
  *out = 0;
  return search(&s, out, cap);
}
