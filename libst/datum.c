#include "libst/datum.h"

#include <stdbool.h>
#include <stdio.h>

#include "libst/meta.h"
#include "libst/transfer.h"
#include "libst/type.h"

struct path {
  char *out;
  size_t cap, used;
};

static void add_index(struct path *p, uint64_t index) {
  int n = snprintf(p->out + p->used, p->cap - p->used, "[%llu]", (unsigned long long)index);
  if (n > 0 && (size_t)n < p->cap - p->used) p->used += (size_t)n;
}

static void add_member(struct path *p, const char *name) {
  if (!*name) return;
  int n = snprintf(p->out + p->used, p->cap - p->used, ".%s", name);
  if (n > 0 && (size_t)n < p->cap - p->used) p->used += (size_t)n;
}

/* The member that contains `*offset`, which becomes one into it. @return its type, 0: padding */
static uint32_t enter_struct(struct path *p, const struct st_meta *meta, const struct btf_type *t,
                             uint64_t *offset) {
  for (unsigned i = 0; i < type_members(t); i++) {
    struct type_member m = type_member(meta, t, i);
    uint64_t start = m.bit / 8, end = start + type_bytes(meta, m.type);
    if (m.bits) end = (m.bit + m.bits + 7) / 8;
    bool flexible = i + 1 == type_members(t) && end == start;
    if (*offset < start || (*offset >= end && !flexible)) continue;
    add_member(p, m.name);
    *offset -= start;
    return m.type;
  }
  return 0;
}

/* Does an object of the type end in a flexible array? */
static bool ends_flexible(const struct st_meta *meta, uint32_t type) {
  const struct btf_type *t = type_of(meta, type);
  if (!btf_is_struct(t) || type_members(t) == 0) return false;
  const struct btf_type *last = type_of(meta, type_member(meta, t, type_members(t) - 1).type);
  return btf_is_array(last) && btf_array(last)->nelems == 0;
}

const char *datum_path(const struct st_meta *meta, uint32_t type, uint64_t offset, char *out,
                       size_t cap, uint32_t *leaf) {
  struct path p = {out, cap, 0};
  uint64_t bytes = type_bytes(meta, type);
  *out = 0;
  *leaf = 0;
  if (bytes && offset >= bytes && !ends_flexible(meta, type)) {
    add_index(&p, offset / bytes);
    offset %= bytes;
  }
  while (type) {
    const struct btf_type *t = type_of(meta, type);
    if (btf_is_array(t)) {
      uint64_t size = type_bytes(meta, btf_array(t)->type);
      if (size) add_index(&p, offset / size);
      offset = size ? offset % size : 0;
      type = btf_array(t)->type;
    } else if (btf_is_struct(t)) {
      type = enter_struct(&p, meta, t, &offset);
    } else {
      *leaf = type;
      return out;
    }
  }
  return out;
}

const char *datum_name(struct transfer *t, const char *name, const struct block *block,
                       const char *path, char *out, size_t cap) {
  char where[256];
  struct place place = {.text = "", .block = block, .index = -1};
  if (name)
    snprintf(out, cap, "%s%s", name, path);
  else
    snprintf(out, cap, "%s%s%s", place_text(t, &place, where, sizeof(where)),
             *path == '.' ? "->" : "", path + (*path == '.'));
  return out;
}
