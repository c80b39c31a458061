#include "libst/type.h"

#include <stdio.h>
#include <string.h>

#include "libst/meta.h"

static bool is_modifier(const struct btf_type *t) {
  switch (btf_kind(t)) {
  case BTF_KIND_TYPEDEF:
  case BTF_KIND_VOLATILE:
  case BTF_KIND_CONST:
  case BTF_KIND_RESTRICT:
  case BTF_KIND_TYPE_TAG:
    return true;
  default:
    return false;
  }
}

uint32_t type_strip(const struct st_meta *meta, uint32_t id) {
  for (;;) {
    const struct btf_type *t = btf__type_by_id(meta->btf, id);
    if (!t || !is_modifier(t)) return id;
    id = t->type;
  }
}

const struct btf_type *type_of(const struct st_meta *meta, uint32_t id) {
  static const struct btf_type nothing;
  const struct btf_type *t = btf__type_by_id(meta->btf, type_strip(meta, id));
  return t ? t : &nothing;
}

size_t type_bytes(const struct st_meta *meta, uint32_t id) {
  const struct btf_type *t = type_of(meta, id);
  switch (btf_kind(t)) {
  case BTF_KIND_INT:
  case BTF_KIND_FLOAT:
  case BTF_KIND_ENUM:
  case BTF_KIND_ENUM64:
  case BTF_KIND_STRUCT:
  case BTF_KIND_UNION:
    return t->size;
  case BTF_KIND_PTR:
    return sizeof(void *);
  case BTF_KIND_ARRAY:
    return btf_array(t)->nelems * type_bytes(meta, btf_array(t)->type);
  default:
    return 0;
  }
}

const char *type_name(const struct st_meta *meta, const struct btf_type *t) {
  const char *name = btf__name_by_offset(meta->btf, t->name_off);
  return name ? name : "";
}

/* In C's order: outermost dimension first. */
static void array_text(const struct st_meta *meta, const struct btf_type *t, char *out,
                       size_t cap) {
  char extents[64] = "", element[128];
  uint32_t inner = 0;
  for (size_t used = 0; btf_is_array(t) && used < sizeof(extents); t = type_of(meta, inner)) {
    inner = btf_array(t)->type;
    used += (size_t)snprintf(extents + used, sizeof(extents) - used, "[%u]", btf_array(t)->nelems);
  }
  snprintf(out, cap, "%s%s", type_text(meta, inner, element, sizeof(element)), extents);
}

const char *type_text(const struct st_meta *meta, uint32_t id, char *out, size_t cap) {
  const struct btf_type *t = btf__type_by_id(meta->btf, id);
  const char *name = t ? type_name(meta, t) : "";
  char inner[128];
  if (!t || id == 0) {
    snprintf(out, cap, "void");
    return out;
  }
  switch (btf_kind(t)) {
  case BTF_KIND_PTR:
    if (btf_is_func_proto(type_of(meta, t->type)))
      snprintf(out, cap, "pointer to function");
    else
      snprintf(out, cap, "%s *", type_text(meta, t->type, inner, sizeof(inner)));
    break;
  case BTF_KIND_ARRAY:
    array_text(meta, t, out, cap);
    break;
  case BTF_KIND_STRUCT:
    snprintf(out, cap, "struct %s", *name ? name : "{...}");
    break;
  case BTF_KIND_UNION:
    snprintf(out, cap, "union %s", *name ? name : "{...}");
    break;
  case BTF_KIND_FWD:
    snprintf(out, cap, "struct %s (incomplete)", name);
    break;
  case BTF_KIND_ENUM:
  case BTF_KIND_ENUM64:
    snprintf(out, cap, "enum %s", *name ? name : "{...}");
    break;
  case BTF_KIND_VOLATILE:
  case BTF_KIND_RESTRICT:
    return type_text(meta, t->type, out, cap);
  case BTF_KIND_CONST:
    snprintf(out, cap, "const %s", type_text(meta, t->type, inner, sizeof(inner)));
    break;
  case BTF_KIND_FUNC_PROTO:
    snprintf(out, cap, "function");
    break;
  default:
    snprintf(out, cap, "%s", name);
    break;
  }
  return out;
}

unsigned type_members(const struct btf_type *t) {
  return btf_is_composite(t) ? btf_vlen(t) : 0;
}

struct type_member type_member(const struct st_meta *meta, const struct btf_type *t, unsigned i) {
  const struct btf_member *m = &btf_members(t)[i];
  const char *name = btf__name_by_offset(meta->btf, m->name_off);
  return (struct type_member){name ? name : "", m->type, btf_member_bit_offset(t, i),
                              btf_member_bitfield_size(t, i)};
}

int type_member_named(const struct st_meta *meta, const struct btf_type *t, const char *name) {
  unsigned count = type_members(t);
  for (unsigned i = 0; i < count; i++)
    if (strcmp(type_member(meta, t, i).name, name) == 0) return (int)i;
  return -1;
}

bool type_anonymous_alike(const struct st_meta *in, uint32_t a, const struct st_meta *of,
                          uint32_t b) {
  const struct btf_type *ta = type_of(in, a), *tb = type_of(of, b);
  if (btf_kind(ta) != btf_kind(tb)) return false;
  for (unsigned i = 0; i < type_members(tb); i++) {
    const char *name = type_member(of, tb, i).name;
    if (*name && type_member_named(in, ta, name) >= 0) return true;
  }
  return false;
}

/* The anonymous member of `t` that is alike to one of type `type`; -1 when there is none. */
static int anonymous_like(const struct st_meta *in, const struct btf_type *t,
                          const struct st_meta *of, uint32_t type) {
  for (unsigned k = 0; k < type_members(t); k++) {
    struct type_member m = type_member(in, t, k);
    if (!*m.name && type_anonymous_alike(in, m.type, of, type)) return (int)k;
  }
  return -1;
}

/* By what is in them; those that have nothing in common with any, by their order. */
static int anonymous_counterpart(const struct st_meta *in, const struct btf_type *t,
                                 const struct st_meta *of, const struct btf_type *other,
                                 unsigned i) {
  uint32_t type = type_member(of, other, i).type;
  int found = anonymous_like(in, t, of, type);
  unsigned nth = 0;
  if (found >= 0) return found;
  for (unsigned k = 0; k < i; k++)
    nth += !*type_member(of, other, k).name;
  for (unsigned k = 0; k < type_members(t); k++) {
    struct type_member m = type_member(in, t, k);
    if (*m.name || nth-- != 0) continue;
    bool fits = btf_kind(type_of(in, m.type)) == btf_kind(type_of(of, type)) &&
                anonymous_like(of, other, in, m.type) < 0;
    return fits ? (int)k : -1;
  }
  return -1;
}

int type_member_counterpart(const struct st_meta *in, const struct btf_type *t,
                            const struct st_meta *of, const struct btf_type *other, unsigned i) {
  const char *name = type_member(of, other, i).name;
  return *name ? type_member_named(in, t, name) : anonymous_counterpart(in, t, of, other, i);
}

bool type_is_address(const struct st_meta *meta, uint32_t id) {
  bool named = false;
  for (const struct btf_type *t; (t = btf__type_by_id(meta->btf, id)); id = t->type) {
    if (!is_modifier(t)) return named && type_is_wide(t);
    const char *name = btf_is_typedef(t) ? type_name(meta, t) : "";
    if (strcmp(name, "uintptr_t") == 0 || strcmp(name, "intptr_t") == 0) named = true;
  }
  return false;
}

bool type_is_signed(const struct btf_type *t) {
  switch (btf_kind(t)) {
  case BTF_KIND_INT:
    return btf_int_encoding(t) & BTF_INT_SIGNED;
  case BTF_KIND_ENUM:
  case BTF_KIND_ENUM64:
    return btf_kflag(t);
  default:
    return false;
  }
}

const char *type_enumerator(const struct st_meta *meta, const struct btf_type *t, unsigned i,
                            int64_t *value) {
  const char *name;
  if (btf_kind(t) == BTF_KIND_ENUM64) {
    const struct btf_enum64 *e = &btf_enum64(t)[i];
    *value = (int64_t)btf_enum64_value(e);
    name = btf__name_by_offset(meta->btf, e->name_off);
  } else {
    const struct btf_enum *e = &btf_enum(t)[i];
    *value = btf_kflag(t) ? (int64_t)e->val : (int64_t)(uint32_t)e->val;
    name = btf__name_by_offset(meta->btf, e->name_off);
  }
  return name ? name : "";
}

static bool is_number(const struct btf_type *t) {
  return btf_kind(t) == BTF_KIND_INT || btf_is_any_enum(t);
}

static bool is_tagged(const struct btf_type *t) {
  return btf_is_composite(t) || btf_kind(t) == BTF_KIND_FWD;
}

bool type_is_bool(const struct btf_type *t) {
  return btf_is_int(t) && (btf_int_encoding(t) & BTF_INT_BOOL);
}

bool type_is_wide(const struct btf_type *t) {
  return btf_is_int(t) && t->size == sizeof(void *);
}

bool type_holds_pointer(const struct btf_type *t) {
  return btf_is_ptr(t) || type_is_wide(t);
}

bool type_is_plain_char(const struct st_meta *meta, const struct btf_type *t) {
  return btf_is_int(t) && t->size == 1 && strcmp(type_name(meta, t), "char") == 0;
}

bool type_is_char(const struct st_meta *meta, uint32_t id) {
  const struct btf_type *t = type_of(meta, id);
  while (btf_is_array(t))
    t = type_of(meta, btf_array(t)->type);
  return type_is_plain_char(meta, t);
}

static bool has_enumerator(const struct st_meta *meta, const struct btf_type *t, const char *name,
                           int64_t value) {
  for (unsigned i = 0; i < btf_vlen(t); i++) {
    int64_t here;
    if (strcmp(type_enumerator(meta, t, i, &here), name) == 0) return here == value;
  }
  return false;
}

/* Does each enumerator of `a` mean the same in `b`? */
static bool enumerators_fit(const struct st_meta *meta_a, const struct btf_type *a,
                            const struct st_meta *meta_b, const struct btf_type *b) {
  for (unsigned i = 0; i < btf_vlen(a); i++) {
    int64_t value;
    const char *name = type_enumerator(meta_a, a, i, &value);
    if (!has_enumerator(meta_b, b, name, value)) return false;
  }
  return true;
}

static bool numbers_fit(const struct st_meta *meta_a, const struct btf_type *a,
                        const struct st_meta *meta_b, const struct btf_type *b) {
  if (a->size != b->size) return false;
  if (btf_is_any_enum(a) && btf_is_any_enum(b)) return enumerators_fit(meta_a, a, meta_b, b);
  if (btf_is_any_enum(a) || btf_is_any_enum(b)) return true;
  if (type_is_bool(a) || type_is_plain_char(meta_a, a) || type_is_plain_char(meta_b, b))
    return !type_is_bool(b) || type_is_bool(a);
  return !type_is_bool(b) && type_is_signed(a) == type_is_signed(b);
}

static bool fits(const struct st_meta *meta_a, uint32_t a, const struct st_meta *meta_b, uint32_t b,
                 unsigned depth) {
  enum { DEEPEST = 16 };
  const struct btf_type *ta = type_of(meta_a, a), *tb = type_of(meta_b, b);
  if (is_number(ta) && is_number(tb)) return numbers_fit(meta_a, ta, meta_b, tb);
  if (is_tagged(ta) && is_tagged(tb))
    return strcmp(type_name(meta_a, ta), type_name(meta_b, tb)) == 0;
  if (btf_kind(ta) != btf_kind(tb)) return false;
  if (btf_is_array(ta)) {
    uint32_t count_a = btf_array(ta)->nelems, count_b = btf_array(tb)->nelems;
    return (count_a == count_b || count_a == 0 || count_b == 0) &&
           fits(meta_a, btf_array(ta)->type, meta_b, btf_array(tb)->type, depth);
  }
  if (btf_is_ptr(ta) && depth < DEEPEST) {
    bool any = btf_kind(type_of(meta_a, ta->type)) == BTF_KIND_UNKN ||
               btf_kind(type_of(meta_b, tb->type)) == BTF_KIND_UNKN;
    return any || fits(meta_a, ta->type, meta_b, tb->type, depth + 1);
  }
  return btf_kind(ta) != BTF_KIND_FLOAT || ta->size == tb->size;
}

bool type_fits(const struct st_meta *meta_a, uint32_t a, const struct st_meta *meta_b, uint32_t b) {
  return fits(meta_a, a, meta_b, b, 0);
}
