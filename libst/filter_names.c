#include "libst/filter_names.h"

#include <string.h>

#include "libst/meta.h"
#include "libst/type.h"

/* True when `scope` is the path or its last parts. */
static bool ends_path(const char *path, const char *scope) {
  size_t p = strlen(path), s = strlen(scope);
  if (s > p || strcmp(path + p - s, scope) != 0) return false;
  return s == p || path[p - s - 1] == '/';
}

static bool in_scope(const struct st_meta *meta, const struct st_variable *v, const char *scope) {
  const char *function = st_meta_string(meta, v->function);
  if (!scope) return *function == '\0';
  return strcmp(function, scope) == 0 ||
         (*function == '\0' && ends_path(st_meta_string(meta, v->file), scope));
}

enum names_result names_variable(const struct st_meta *meta, const char *name, const char *scope,
                                 const struct st_variable **found, const char *several[2]) {
  *found = NULL;
  for (uint32_t i = 0; i < meta->header->variables.count; i++) {
    const struct st_variable *v = &meta->variables[i];
    if (strcmp(st_meta_string(meta, v->name), name) != 0 || !in_scope(meta, v, scope)) continue;
    if (*found) {
      several[0] = st_meta_string(meta, (*found)->file);
      several[1] = st_meta_string(meta, v->file);
      return NAMES_SEVERAL;
    }
    *found = v;
  }
  return *found ? NAMES_FOUND : NAMES_NONE;
}

enum names_result names_enumerator(const struct st_meta *meta, const char *name, int64_t *value,
                                   bool *is_wide) {
  enum names_result result = NAMES_NONE;
  for (uint32_t id = 1; id < btf__type_cnt(meta->btf); id++) {
    const struct btf_type *t = btf__type_by_id(meta->btf, id);
    if (!btf_is_any_enum(t)) continue;
    for (unsigned i = 0; i < btf_vlen(t); i++) {
      int64_t v;
      if (strcmp(type_enumerator(meta, t, i, &v), name) != 0) continue;
      if (result == NAMES_FOUND && v != *value) return NAMES_SEVERAL;
      *value = v;
      *is_wide = v != (int32_t)v;
      result = NAMES_FOUND;
    }
  }
  return result;
}

bool names_member(const struct st_meta *meta, uint32_t composite, const char *name,
                  uint32_t *bit_offset, uint32_t *type, uint32_t *bits) {
  const struct btf_type *t = type_of(meta, composite);
  for (unsigned i = 0; i < type_members(t); i++) {
    struct type_member m = type_member(meta, t, i);
    if (strcmp(m.name, name) == 0) {
      *bit_offset = m.bit;
      *type = m.type;
      *bits = m.bits;
      return true;
    }
    if (*m.name == '\0' && names_member(meta, m.type, name, bit_offset, type, bits)) {
      *bit_offset += m.bit;
      return true;
    }
  }
  return false;
}

/* ---- near names ---- */

enum { MAX_NEAR_BYTES = 63 };

static unsigned smallest(unsigned a, unsigned b, unsigned c) {
  unsigned ab = a < b ? a : b;
  return ab < c ? ab : c;
}

/* Levenshtein's distance; large when a name is too long to be compared. */
static unsigned distance(const char *a, const char *b) {
  size_t an = strlen(a), bn = strlen(b);
  unsigned row[MAX_NEAR_BYTES + 1];
  if (an > MAX_NEAR_BYTES || bn > MAX_NEAR_BYTES) return MAX_NEAR_BYTES;
  for (size_t j = 0; j <= bn; j++)
    row[j] = j;
  for (size_t i = 1; i <= an; i++) {
    unsigned diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= bn; j++) {
      unsigned above = row[j];
      row[j] = smallest(row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
      diagonal = above;
    }
  }
  return row[bn];
}

struct nearest {
  const char *wrong, *name;
  unsigned distance;
};

static struct nearest nearest_to(const char *wrong) {
  return (struct nearest){wrong, "", (unsigned)strlen(wrong) / 3 + 2};
}

static void consider(struct nearest *n, const char *name) {
  unsigned d = *name ? distance(n->wrong, name) : MAX_NEAR_BYTES;
  if (d >= n->distance) return;
  n->name = name;
  n->distance = d;
}

const char *names_near_variable(const struct st_meta *meta, const char *name) {
  struct nearest n = nearest_to(name);
  for (uint32_t i = 0; i < meta->header->variables.count; i++)
    if (!meta->variables[i].function) consider(&n, st_meta_string(meta, meta->variables[i].name));
  for (uint32_t id = 1; id < btf__type_cnt(meta->btf); id++) {
    const struct btf_type *t = btf__type_by_id(meta->btf, id);
    int64_t value;
    if (btf_is_any_enum(t))
      for (unsigned i = 0; i < btf_vlen(t); i++)
        consider(&n, type_enumerator(meta, t, i, &value));
  }
  return n.name;
}

static void consider_members(struct nearest *n, const struct st_meta *meta, uint32_t composite) {
  const struct btf_type *t = type_of(meta, composite);
  for (unsigned i = 0; i < type_members(t); i++) {
    struct type_member m = type_member(meta, t, i);
    if (*m.name)
      consider(n, m.name);
    else
      consider_members(n, meta, m.type);
  }
}

const char *names_near_member(const struct st_meta *meta, uint32_t composite, const char *name) {
  struct nearest n = nearest_to(name);
  consider_members(&n, meta, composite);
  return n.name;
}

const char *names_near_enumerator(const struct st_meta *meta, uint32_t type, const char *name) {
  struct nearest n = nearest_to(name);
  const struct btf_type *t = type_of(meta, type);
  int64_t value;
  if (btf_is_any_enum(t))
    for (unsigned i = 0; i < btf_vlen(t); i++)
      consider(&n, type_enumerator(meta, t, i, &value));
  return n.name;
}

const char *names_near_type(const struct st_meta *meta, unsigned kind, const char *name) {
  struct nearest n = nearest_to(name);
  for (uint32_t id = 1; id < btf__type_cnt(meta->btf); id++) {
    const struct btf_type *t = btf__type_by_id(meta->btf, id);
    if (btf_kind(t) == kind) consider(&n, type_name(meta, t));
  }
  return n.name;
}

const char *names_near_function(const struct st_meta *meta, const char *name) {
  struct nearest n = nearest_to(name);
  for (uint32_t i = 0; i < meta->header->functions.count; i++)
    consider(&n, st_meta_string(meta, meta->functions[i].name));
  return n.name;
}
