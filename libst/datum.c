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

/* Does an object of the type end in a flexible array? */
static bool ends_flexible(const struct st_meta *meta, uint32_t type) {
  const struct btf_type *t = type_of(meta, type);
  if (!btf_is_struct(t) || type_members(t) == 0) return false;
  const struct btf_type *last = type_of(meta, type_member(meta, t, type_members(t) - 1).type);
  return btf_is_array(last) && btf_array(last)->nelems == 0;
}

struct datum datum_at(const struct st_meta *meta, uint32_t type, uint64_t offset) {
  uint64_t bytes = type_bytes(meta, type);
  struct datum d = {.meta = meta, .type = type, .offset = offset};
  if (bytes && offset >= bytes && !ends_flexible(meta, type)) {
    d.object = offset / bytes;
    d.offset = offset % bytes;
  }
  return d;
}

/* The member that contains the offset; there is none in padding. */
static void enter_struct(struct datum *d, const struct btf_type *t) {
  for (unsigned i = 0; i < type_members(t); i++) {
    struct type_member m = type_member(d->meta, t, i);
    uint64_t start = m.bit / 8, end = start + type_bytes(d->meta, m.type);
    if (m.bits) end = (m.bit + m.bits + 7) / 8;
    bool flexible = i + 1 == type_members(t) && end == start;
    if (d->offset < start || (d->offset >= end && !flexible)) continue;
    d->member = m.name;
    d->offset -= start;
    d->type = m.type;
    return;
  }
  d->type = 0;
}

bool datum_enter(struct datum *d) {
  const struct btf_type *t = d->type ? type_of(d->meta, d->type) : NULL;
  if (!t || (!btf_is_array(t) && !btf_is_struct(t))) return false;
  d->in = type_strip(d->meta, d->type);
  d->member = NULL;
  if (btf_is_array(t)) {
    uint64_t size = type_bytes(d->meta, btf_array(t)->type);
    d->index = size ? d->offset / size : 0;
    d->offset = size ? d->offset % size : 0;
    d->type = btf_array(t)->type;
  } else {
    enter_struct(d, t);
  }
  return d->type != 0;
}

const char *datum_path(const struct st_meta *meta, uint32_t type, uint64_t offset, char *out,
                       size_t cap, uint32_t *leaf) {
  struct path p = {out, cap, 0};
  struct datum d = datum_at(meta, type, offset);
  *out = 0;
  if (d.object) add_index(&p, d.object);
  while (datum_enter(&d)) {
    if (d.member)
      add_member(&p, d.member);
    else if (type_bytes(meta, d.type))
      add_index(&p, d.index);
  }
  *leaf = d.type;
  return out;
}

const char *datum_annotation(const struct st_meta *meta, uint32_t type, uint64_t offset,
                             const char *what, char *out, size_t cap) {
  struct datum d = datum_at(meta, type, offset);
  uint32_t owner = 0;
  const char *member = "";
  char text[160];
  *out = 0;
  while (datum_enter(&d)) {
    if (!d.member) continue;
    /* What is in an anonymous member counts as the outer struct's own. */
    bool named = *type_name(meta, type_of(meta, d.in));
    if (named || *member) owner = named ? d.in : 0;
    member = d.member;
  }
  if (owner && *member)
    snprintf(out, cap, "ST_FIELD(%s, %s, %s)", type_text(meta, owner, text, sizeof(text)), member,
             what);
  return out;
}

const char *datum_variable_annotation(const struct st_meta *meta, const struct st_variable *v,
                                      const char *what, char *out, size_t cap) {
  const char *name = st_meta_string(meta, v->name);
  if (v->function)
    snprintf(out, cap, "ST_STATIC(%s, %s, %s)", st_meta_string(meta, v->function), name, what);
  else
    snprintf(out, cap, "ST_VAR(%s, %s)", name, what);
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
