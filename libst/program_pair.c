/* How the program for a pair of types is made out of their structure. */
#include <stdio.h>
#include <string.h>

#include "libst/meta.h"
#include "libst/program_build.h"
#include "libst/site.h"
#include "libst/type.h"

void build_refuse(struct builder *b, const char *path, const char *text) {
  if (b->program->refusal) return;
  b->program->refused = path;
  b->program->refusal = text;
}

struct op *build_op(struct builder *b, enum op_kind kind, uint32_t old_at, uint32_t new_at,
                    const char *path) {
  struct program *p = b->program;
  if (p->op_count == b->op_cap) {
    unsigned cap = b->op_cap ? b->op_cap * 2 : 8;
    struct op *grown = build_keep(b->set, cap * sizeof(*grown));
    static struct op scrap;
    if (!grown) return &scrap;
    if (p->op_count) memcpy(grown, p->ops, p->op_count * sizeof(*grown));
    p->ops = grown;
    b->op_cap = cap;
  }
  struct op *op = &p->ops[p->op_count++];
  *op = (struct op){.kind = (uint8_t)kind, .old_at = old_at, .new_at = new_at, .path = path};
  if (old_at != new_at) p->changed = true;
  return op;
}

void build_copy(struct builder *b, uint32_t old_at, uint32_t new_at, uint32_t bytes,
                const char *path) {
  struct program *p = b->program;
  if (bytes == 0) return;
  if (p->op_count > 0) {
    struct op *last = &p->ops[p->op_count - 1];
    if (last->kind == OP_COPY && last->old_at + last->old_bytes == old_at &&
        last->new_at + last->old_bytes == new_at) {
      last->old_bytes += bytes;
      return;
    }
  }
  build_op(b, OP_COPY, old_at, new_at, path)->old_bytes = bytes;
}

void build_dropped(struct builder *b, uint32_t at, uint32_t bytes, const char *path) {
  struct program *p = b->program;
  p->changed = true;
  if (bytes == 0) return;
  if (p->dropped_count == b->dropped_cap) {
    unsigned cap = b->dropped_cap ? b->dropped_cap * 2 : 4;
    struct dropped *grown = build_keep(b->set, cap * sizeof(*grown));
    if (!grown) return;
    if (p->dropped_count) memcpy(grown, p->dropped, p->dropped_count * sizeof(*grown));
    p->dropped = grown;
    b->dropped_cap = cap;
  }
  p->dropped[p->dropped_count++] = (struct dropped){at, bytes, path};
}

void build_refuse_types(struct builder *b, uint32_t old_type, uint32_t new_type, const char *path) {
  char old_text[160], new_text[160];
  build_refuse(
      b, path,
      build_text(b->set,
                 "changes from `%s` to `%s`, which has no automatic conversion; keep the type or "
                 "give it a new name",
                 type_text(b->old, old_type, old_text, 160),
                 type_text(b->new, new_type, new_text, 160)));
}

bool build_is_number(const struct btf_type *t) {
  return btf_kind(t) == BTF_KIND_INT || btf_is_any_enum(t);
}

static void pair_enums(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                       uint32_t old_at, uint32_t new_at, const char *path) {
  struct programs *ps = b->set;
  unsigned count = btf_vlen(o), new_count = btf_vlen(n);
  struct enum_value *values = build_keep(ps, (count + 1) * sizeof(*values));
  bool same = o->size == n->size && type_is_signed(o) == type_is_signed(n);
  for (unsigned i = 0; values && i < count; i++) {
    const char *name = type_enumerator(b->old, o, i, &values[i].old_value);
    values[i].gone = true;
    for (unsigned k = 0; k < new_count; k++) {
      int64_t value;
      if (strcmp(type_enumerator(b->new, n, k, &value), name) != 0) continue;
      values[i].gone = false;
      values[i].new_value = value;
    }
    if (values[i].gone || values[i].new_value != values[i].old_value) same = false;
  }
  if (same) {
    build_copy(b, old_at, new_at, o->size, path);
    return;
  }
  struct op *op = build_op(b, OP_ENUM, old_at, new_at, path);
  op->old_bytes = o->size;
  op->new_bytes = n->size;
  op->old_signed = type_is_signed(o);
  op->new_signed = type_is_signed(n);
  op->values = values;
  op->value_count = count;
  b->program->changed = true;
}

static bool is_bool(const struct btf_type *t) {
  return btf_kind(t) == BTF_KIND_INT && (btf_int_encoding(t) & BTF_INT_BOOL);
}

/* `char` is a byte of text, whose sign means nothing. */
static bool is_char(const struct st_meta *meta, const struct btf_type *t) {
  return t->size == 1 && strcmp(type_name(meta, t), "char") == 0;
}

void build_numbers(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                   uint32_t old_at, uint32_t new_at, const char *path) {
  bool os = type_is_signed(o), ns = type_is_signed(n);
  bool text = is_char(b->old, o) || is_char(b->new, n);
  if (btf_is_any_enum(o) && btf_is_any_enum(n)) {
    pair_enums(b, o, n, old_at, new_at, path);
  } else if (o->size == n->size && (os == ns || text) && (is_bool(o) || !is_bool(n))) {
    build_copy(b, old_at, new_at, o->size, path);
  } else {
    struct op *op = build_op(b, OP_NUMBER, old_at, new_at, path);
    op->old_bytes = o->size;
    op->new_bytes = n->size;
    op->new_bits = (uint16_t)(is_bool(n) ? 1 : n->size * 8);
    op->old_signed = os;
    op->new_signed = ns;
    b->program->changed = true;
  }
}

void build_pointers(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                    uint32_t old_at, uint32_t new_at, const char *path) {
  build_correspond(b->set, o->type, n->type);
  struct pointed *to = &build_op(b, OP_POINTER, old_at, new_at, path)->pointed;
  to->old_type = type_strip(b->old, o->type);
  to->new_type = type_strip(b->new, n->type);
  to->retyped =
      to->old_type && to->new_type && !type_fits(b->old, to->old_type, b->new, to->new_type);
  b->program->points = true;
}

static void pair_arrays(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                        uint32_t old_at, uint32_t new_at, const char *path) {
  struct programs *ps = b->set;
  uint32_t old_count = btf_array(o)->nelems, new_count = btf_array(n)->nelems;
  const struct program *e = program_for(ps, btf_array(o)->type, btf_array(n)->type);
  if (!e) return;
  if (e->refusal) {
    build_refuse(b, build_text(ps, "%s[]%s", path, e->refused), e->refusal);
    return;
  }
  if ((old_count == 0) != (new_count == 0)) {
    build_refuse(b, path, "is a flexible array in one version only; keep its kind");
    return;
  }
  uint32_t count = old_count < new_count ? old_count : new_count;
  if (old_count != new_count) b->program->changed = true;
  if (old_count > new_count)
    build_dropped(b, old_at + new_count * e->old_bytes, (old_count - new_count) * e->old_bytes,
                  build_text(ps, "%s[%u]", path, new_count));
  if (e->changed) b->program->changed = true;
  if (e->points) b->program->points = true;
  if (old_count == 0 && new_count == 0) {
    build_op(b, OP_TAIL, old_at, new_at, path)->element = e;
    return;
  }
  if (!e->changed && !e->points) {
    build_copy(b, old_at, new_at, count * e->old_bytes, path);
    return;
  }
  struct op *op = build_op(b, OP_REPEAT, old_at, new_at, path);
  op->element = e;
  op->old_count = count;
  op->new_count = new_count;
}

/* ---- structs ---- */

static uint32_t bits_of(const struct st_meta *meta, const struct type_member *m) {
  return m->bits ? m->bits : (uint32_t)type_bytes(meta, m->type) * 8;
}

static void pair_bits(struct builder *b, const struct type_member *o, const struct type_member *n,
                      uint32_t old_at, uint32_t new_at, const char *path) {
  const struct btf_type *ot = type_of(b->old, o->type), *nt = type_of(b->new, n->type);
  if (!build_is_number(ot) || !build_is_number(nt)) {
    build_refuse_types(b, o->type, n->type, path);
    return;
  }
  uint32_t old_bit = old_at * 8 + o->bit, new_bit = new_at * 8 + n->bit;
  struct op *op = build_op(b, OP_BITS, old_bit / 8, new_bit / 8, path);
  op->old_signed = type_is_signed(ot);
  op->new_signed = type_is_signed(nt);
  op->old_bit = (uint16_t)(old_bit % 8);
  op->old_bits = (uint16_t)bits_of(b->old, o);
  op->new_bit = (uint16_t)(new_bit % 8);
  op->new_bits = (uint16_t)bits_of(b->new, n);
  if (op->old_bit != op->new_bit || op->old_bits != op->new_bits ||
      op->old_signed != op->new_signed)
    b->program->changed = true;
}

/* A member that is gone while another of the same type came in its place was probably renamed. */
static void check_renamed(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                          unsigned i, const char *path) {
  struct programs *ps = b->set;
  struct type_member gone = type_member(b->old, o, i);
  unsigned count = type_members(n);
  char old_text[160], new_text[160];
  type_text(b->old, gone.type, old_text, sizeof(old_text));
  for (unsigned k = 0; k < count; k++) {
    struct type_member came = type_member(b->new, n, k);
    if (type_member_counterpart(b->old, o, b->new, n, k) >= 0) continue;
    if ((k != i && came.bit != gone.bit) || came.bits != gone.bits) continue;
    type_text(b->new, came.type, new_text, sizeof(new_text));
    if (strcmp(old_text, new_text) != 0) continue;
    build_refuse(
        b, build_text(ps, "%s.%s", path, gone.name),
        build_text(ps,
                   "(%s) is gone and `%s` of the same type is in its place: renamed? keep the old "
                   "name, or put the new member elsewhere",
                   old_text, came.name));
  }
}

static void pair_structs(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                         uint32_t old_at, uint32_t new_at, const char *path) {
  struct programs *ps = b->set;
  unsigned old_count = type_members(o), new_count = type_members(n);
  for (unsigned i = 0; i < old_count; i++) {
    struct type_member om = type_member(b->old, o, i);
    const char *member_path = *om.name ? build_text(ps, "%s.%s", path, om.name) : path;
    int k = type_member_counterpart(b->new, n, b->old, o, i);
    if (k < 0) {
      check_renamed(b, o, n, i, path);
      build_dropped(b, old_at + om.bit / 8, (bits_of(b->old, &om) + 7) / 8, member_path);
      continue;
    }
    struct type_member nm = type_member(b->new, n, (unsigned)k);
    if (om.bits || nm.bits)
      pair_bits(b, &om, &nm, old_at, new_at, member_path);
    else
      build_pair(b, om.type, nm.type, old_at + om.bit / 8, new_at + nm.bit / 8, member_path);
  }
  for (unsigned k = 0; k < new_count; k++)
    if (type_member_counterpart(b->old, o, b->new, n, k) < 0) b->program->changed = true;
}

/* Which member of a union is live is not known, so it must stay as it is. */
static void pair_unions(struct builder *b, uint32_t old_type, uint32_t new_type, uint32_t old_at,
                        uint32_t new_at, const char *path) {
  struct programs *ps = b->set;
  const struct btf_type *o = type_of(b->old, old_type), *n = type_of(b->new, new_type);
  unsigned count = type_members(o);
  bool same = o->size == n->size && count == type_members(n);
  for (unsigned i = 0; same && i < count; i++) {
    struct type_member om = type_member(b->old, o, i), nm = type_member(b->new, n, i);
    const struct program *p = program_for(ps, om.type, nm.type);
    same = p && !p->refusal && !p->changed && om.bits == nm.bits && strcmp(om.name, nm.name) == 0;
  }
  if (!same) {
    build_refuse(b, path,
                 "is a union whose layout changes, and which member is live is not known; keep its "
                 "layout");
    return;
  }
  if (!site_may_point(b->old, old_type)) {
    build_copy(b, old_at, new_at, o->size, path);
    return;
  }
  build_op(b, OP_WORDS, old_at, new_at, path)->old_bytes = o->size;
  b->program->points = true;
}

void build_pair(struct builder *b, uint32_t old_type, uint32_t new_type, uint32_t old_at,
                uint32_t new_at, const char *path) {
  struct programs *ps = b->set;
  const struct btf_type *o = type_of(b->old, old_type), *n = type_of(b->new, new_type);
  if (build_is_number(o) && build_is_number(n)) {
    build_numbers(b, o, n, old_at, new_at, path);
    return;
  }
  if (btf_kind(o) != btf_kind(n)) {
    build_refuse_types(b, old_type, new_type, path);
    return;
  }
  switch (btf_kind(o)) {
  case BTF_KIND_PTR:
    build_pointers(b, o, n, old_at, new_at, path);
    return;
  case BTF_KIND_ARRAY:
    pair_arrays(b, o, n, old_at, new_at, path);
    return;
  case BTF_KIND_STRUCT:
    if (!build_same_name(ps, o, n)) break;
    build_correspond(ps, old_type, new_type);
    pair_structs(b, o, n, old_at, new_at, path);
    return;
  case BTF_KIND_UNION:
    pair_unions(b, old_type, new_type, old_at, new_at, path);
    return;
  case BTF_KIND_FLOAT:
    if (o->size != n->size) break;
    build_copy(b, old_at, new_at, o->size, path);
    return;
  default:
    break;
  }
  build_refuse_types(b, old_type, new_type, path);
}
