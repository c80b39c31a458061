/* How numbers pair: integers, enumerations, floating point, bit-fields. */
#include <stdlib.h>
#include <string.h>

#include "libst/meta.h"
#include "libst/program_build.h"
#include "libst/type.h"

bool build_is_number(const struct btf_type *t) {
  return btf_kind(t) == BTF_KIND_INT || btf_is_any_enum(t);
}

bool build_is_real(const struct st_meta *meta, const struct btf_type *t) {
  if (btf_kind(t) != BTF_KIND_FLOAT) return false;
  return t->size == sizeof(float) || t->size == sizeof(double) ||
         (t->size == sizeof(long double) && strcmp(type_name(meta, t), "long double") == 0);
}

/* What becomes of a value by one of its names. */
static void map_name(const struct st_meta *meta, const struct btf_type *n, const char *name,
                     struct enum_value *v) {
  for (unsigned k = 0; k < btf_vlen(n); k++) {
    int64_t value;
    if (strcmp(type_enumerator(meta, n, k, &value), name) != 0) continue;
    if (v->fate == ENUM_GONE)
      v->fate = ENUM_FOUND;
    else if (v->new_value != value)
      v->fate = ENUM_PARTED;
    v->new_value = value;
  }
}

/* Values by all of their names, or NULL when each keeps its value. */
static const struct enum_map *map_enumerators(struct builder *b, const struct btf_type *o,
                                              const struct btf_type *n) {
  unsigned names = btf_vlen(o);
  struct enum_map *map = build_keep(b->set, sizeof(*map) + names * sizeof(map->values[0]));
  bool same = true;
  for (unsigned i = 0; map && i < names; i++) {
    int64_t value;
    const char *name = type_enumerator(b->old, o, i, &value);
    uint32_t at = 0;
    while (at < map->count && map->values[at].old_value != value)
      at++;
    if (at == map->count) map->values[map->count++] = (struct enum_value){.old_value = value};
    map_name(b->new, n, name, &map->values[at]);
  }
  for (unsigned k = 0; map && k < btf_vlen(n); k++) {
    int64_t value;
    type_enumerator(b->new, n, k, &value);
    if (value == 0) map->names_zero = true;
  }
  for (uint32_t i = 0; map && i < map->count; i++)
    if (map->values[i].fate != ENUM_FOUND || map->values[i].new_value != map->values[i].old_value)
      same = false;
  return same ? NULL : map;
}

static void build_real(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                       uint32_t old_at, uint32_t new_at, const char *path) {
  struct op *op = build_op(b, OP_REAL, old_at, new_at, path);
  op->old_bytes = o->size;
  op->new_bytes = n->size;
  op->old_real = !build_is_number(o);
  op->new_real = !build_is_number(n);
  op->old_signed = type_is_signed(o);
  op->new_signed = type_is_signed(n);
  op->new_bits = (uint16_t)(type_is_bool(n) ? 1 : n->size * 8);
  b->program->changed = true;
}

void build_integers(struct builder *b, uint32_t old_at, uint32_t new_at, uint32_t count,
                    const char *path) {
  build_op(b, OP_INTEGER, old_at, new_at, path)->old_bytes = count * (uint32_t)sizeof(void *);
}

void build_numbers(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                   uint32_t old_at, uint32_t new_at, const char *path) {
  bool real = !build_is_number(o) || !build_is_number(n);
  bool os = type_is_signed(o), ns = type_is_signed(n);
  bool text = !real && (type_is_plain_char(b->old, o) || type_is_plain_char(b->new, n));
  bool enums = btf_is_any_enum(o) && btf_is_any_enum(n);
  const struct enum_map *map = enums ? map_enumerators(b, o, n) : NULL;
  bool narrows = type_is_bool(n) && !type_is_bool(o);
  if (btf_kind(o) == btf_kind(n) && real && o->size == n->size) {
    build_copy(b, old_at, new_at, o->size, path);
  } else if (real) {
    build_real(b, o, n, old_at, new_at, path);
  } else if (type_is_wide(o) && type_is_wide(n) && os == ns) {
    build_integers(b, old_at, new_at, 1, path);
  } else if (!map && o->size == n->size && (os == ns || text) && !narrows) {
    build_copy(b, old_at, new_at, o->size, path);
  } else {
    struct op *op = build_op(b, map ? OP_ENUM : OP_NUMBER, old_at, new_at, path);
    op->old_bytes = o->size;
    op->new_bytes = n->size;
    op->new_bits = (uint16_t)(type_is_bool(n) ? 1 : n->size * 8);
    op->old_signed = os;
    op->new_signed = ns;
    op->map = map;
    b->program->changed = true;
  }
}

uint32_t build_bits_of(const struct st_meta *meta, const struct type_member *m) {
  if (m->bits) return m->bits;
  const struct btf_type *t = type_of(meta, m->type);
  return type_is_bool(t) ? 1 : (uint32_t)type_bytes(meta, m->type) * 8;
}

void build_bits(struct builder *b, const struct type_member *o, const struct type_member *n,
                uint32_t old_at, uint32_t new_at, const char *path) {
  const struct btf_type *ot = type_of(b->old, o->type), *nt = type_of(b->new, n->type);
  if (!build_is_number(ot) || !build_is_number(nt)) {
    build_refuse_types(b, o->type, n->type, path);
    return;
  }
  uint32_t old_bit = old_at * 8 + o->bit, new_bit = new_at * 8 + n->bit;
  bool enums = btf_is_any_enum(ot) && btf_is_any_enum(nt);
  struct op *op = build_op(b, OP_BITS, old_bit / 8, new_bit / 8, path);
  op->old_signed = type_is_signed(ot);
  op->new_signed = type_is_signed(nt);
  op->old_bit = (uint16_t)(old_bit % 8);
  op->old_bits = (uint16_t)build_bits_of(b->old, o);
  op->new_bit = (uint16_t)(new_bit % 8);
  op->new_bits = (uint16_t)build_bits_of(b->new, n);
  op->map = enums ? map_enumerators(b, ot, nt) : NULL;
  if (op->map || op->old_bit != op->new_bit || op->old_bits != op->new_bits ||
      op->old_signed != op->new_signed)
    b->program->changed = true;
}
