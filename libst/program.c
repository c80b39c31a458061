#include "libst/program.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libst/meta.h"
#include "libst/site.h"
#include "libst/type.h"

/* Everything of a set lives as long as the set: one chain of chunks. */
struct chunk {
  struct chunk *next;
  size_t used, cap;
  char bytes[] __attribute__((aligned(16)));
};

struct programs {
  const struct st_meta *old, *new;
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

static void *keep(struct programs *ps, size_t bytes) {
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

static const char *keep_text(struct programs *ps, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static const char *keep_text(struct programs *ps, const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  int length = vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  if (length >= (int)sizeof(text)) length = sizeof(text) - 1;
  char *p = keep(ps, (size_t)length + 1);
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

/* ---- building one program ---- */

struct builder {
  struct programs *set;
  struct program *program;
  unsigned op_cap, dropped_cap;
};

static void refuse(struct builder *b, const char *path, const char *text) {
  if (b->program->refusal) return;
  b->program->refused = path;
  b->program->refusal = text;
}

static struct op *add_op(struct builder *b, enum op_kind kind, uint32_t old_at, uint32_t new_at,
                         const char *path) {
  struct program *p = b->program;
  if (p->op_count == b->op_cap) {
    unsigned cap = b->op_cap ? b->op_cap * 2 : 8;
    struct op *grown = keep(b->set, cap * sizeof(*grown));
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

static void add_copy(struct builder *b, uint32_t old_at, uint32_t new_at, uint32_t bytes,
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
  add_op(b, OP_COPY, old_at, new_at, path)->old_bytes = bytes;
}

static void add_dropped(struct builder *b, uint32_t at, uint32_t bytes, const char *path) {
  struct program *p = b->program;
  p->changed = true;
  if (bytes == 0) return;
  if (p->dropped_count == b->dropped_cap) {
    unsigned cap = b->dropped_cap ? b->dropped_cap * 2 : 4;
    struct dropped *grown = keep(b->set, cap * sizeof(*grown));
    if (!grown) return;
    if (p->dropped_count) memcpy(grown, p->dropped, p->dropped_count * sizeof(*grown));
    p->dropped = grown;
    b->dropped_cap = cap;
  }
  p->dropped[p->dropped_count++] = (struct dropped){at, bytes, path};
}

static void pair(struct builder *b, uint32_t old_type, uint32_t new_type, uint32_t old_at,
                 uint32_t new_at, const char *path);

static void refuse_types(struct builder *b, uint32_t old_type, uint32_t new_type,
                         const char *path) {
  char old_text[160], new_text[160];
  refuse(b, path,
         keep_text(b->set,
                   "changes from `%s` to `%s`, which has no automatic conversion; keep the type or "
                   "give it a new name",
                   type_text(b->set->old, old_type, old_text, 160),
                   type_text(b->set->new, new_type, new_text, 160)));
}

/* Notes that two types are each other's, so that blocks of the old one find the new one. */
static void correspond(struct programs *ps, uint32_t old_type, uint32_t new_type) {
  old_type = type_strip(ps->old, old_type);
  new_type = type_strip(ps->new, new_type);
  const struct btf_type *o = type_of(ps->old, old_type), *n = type_of(ps->new, new_type);
  if (old_type >= ps->old_types || ps->counterpart[old_type] || btf_kind(o) != btf_kind(n) ||
      !btf_is_composite(o) || strcmp(type_name(ps->old, o), type_name(ps->new, n)) != 0)
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

static bool is_number(const struct btf_type *t) {
  return btf_kind(t) == BTF_KIND_INT || btf_is_any_enum(t);
}

static void pair_enums(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                       uint32_t old_at, uint32_t new_at, const char *path) {
  struct programs *ps = b->set;
  unsigned count = btf_vlen(o), new_count = btf_vlen(n);
  struct enum_value *values = keep(ps, (count + 1) * sizeof(*values));
  bool same = o->size == n->size && type_is_signed(o) == type_is_signed(n);
  for (unsigned i = 0; values && i < count; i++) {
    const char *name = type_enumerator(ps->old, o, i, &values[i].old_value);
    values[i].gone = true;
    for (unsigned k = 0; k < new_count; k++) {
      int64_t value;
      if (strcmp(type_enumerator(ps->new, n, k, &value), name) != 0) continue;
      values[i].gone = false;
      values[i].new_value = value;
    }
    if (values[i].gone || values[i].new_value != values[i].old_value) same = false;
  }
  if (same) {
    add_copy(b, old_at, new_at, o->size, path);
    return;
  }
  struct op *op = add_op(b, OP_ENUM, old_at, new_at, path);
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

static void pair_numbers(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                         uint32_t old_at, uint32_t new_at, const char *path) {
  bool os = type_is_signed(o), ns = type_is_signed(n);
  bool text = is_char(b->set->old, o) || is_char(b->set->new, n);
  if (btf_is_any_enum(o) && btf_is_any_enum(n)) {
    pair_enums(b, o, n, old_at, new_at, path);
  } else if (o->size == n->size && (os == ns || text) && (is_bool(o) || !is_bool(n))) {
    add_copy(b, old_at, new_at, o->size, path);
  } else {
    struct op *op = add_op(b, OP_NUMBER, old_at, new_at, path);
    op->old_bytes = o->size;
    op->new_bytes = n->size;
    op->new_bits = (uint16_t)(is_bool(n) ? 1 : n->size * 8);
    op->old_signed = os;
    op->new_signed = ns;
    b->program->changed = true;
  }
}

static void pair_pointers(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                          uint32_t old_at, uint32_t new_at, const char *path) {
  correspond(b->set, o->type, n->type);
  add_op(b, OP_POINTER, old_at, new_at, path)->pointee = type_strip(b->set->old, o->type);
  b->program->points = true;
}

static void pair_arrays(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                        uint32_t old_at, uint32_t new_at, const char *path) {
  struct programs *ps = b->set;
  uint32_t old_count = btf_array(o)->nelems, new_count = btf_array(n)->nelems;
  const struct program *e = program_for(ps, btf_array(o)->type, btf_array(n)->type);
  if (!e) return;
  if (e->refusal) {
    refuse(b, keep_text(ps, "%s[]%s", path, e->refused), e->refusal);
    return;
  }
  if ((old_count == 0) != (new_count == 0)) {
    refuse(b, path, "is a flexible array in one version only; keep its kind");
    return;
  }
  uint32_t count = old_count < new_count ? old_count : new_count;
  if (old_count != new_count) b->program->changed = true;
  if (old_count > new_count)
    add_dropped(b, old_at + new_count * e->old_bytes, (old_count - new_count) * e->old_bytes,
                keep_text(ps, "%s[%u]", path, new_count));
  if (e->changed) b->program->changed = true;
  if (e->points) b->program->points = true;
  if (old_count == 0 && new_count == 0) {
    add_op(b, OP_TAIL, old_at, new_at, path)->element = e;
    return;
  }
  if (!e->changed && !e->points) {
    add_copy(b, old_at, new_at, count * e->old_bytes, path);
    return;
  }
  struct op *op = add_op(b, OP_REPEAT, old_at, new_at, path);
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
  struct programs *ps = b->set;
  const struct btf_type *ot = type_of(ps->old, o->type), *nt = type_of(ps->new, n->type);
  if (!is_number(ot) || !is_number(nt)) {
    refuse_types(b, o->type, n->type, path);
    return;
  }
  uint32_t old_bit = old_at * 8 + o->bit, new_bit = new_at * 8 + n->bit;
  struct op *op = add_op(b, OP_BITS, old_bit / 8, new_bit / 8, path);
  op->old_signed = type_is_signed(ot);
  op->new_signed = type_is_signed(nt);
  op->old_bit = (uint16_t)(old_bit % 8);
  op->old_bits = (uint16_t)bits_of(ps->old, o);
  op->new_bit = (uint16_t)(new_bit % 8);
  op->new_bits = (uint16_t)bits_of(ps->new, n);
  if (op->old_bit != op->new_bit || op->old_bits != op->new_bits ||
      op->old_signed != op->new_signed)
    b->program->changed = true;
}

/* A member that is gone while another of the same type came in its place was probably renamed. */
static void check_renamed(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                          unsigned i, const char *path) {
  struct programs *ps = b->set;
  struct type_member gone = type_member(ps->old, o, i);
  unsigned count = type_members(n);
  char old_text[160], new_text[160];
  type_text(ps->old, gone.type, old_text, sizeof(old_text));
  for (unsigned k = 0; k < count; k++) {
    struct type_member came = type_member(ps->new, n, k);
    if (type_member_counterpart(ps->old, o, ps->new, n, k) >= 0) continue;
    if ((k != i && came.bit != gone.bit) || came.bits != gone.bits) continue;
    type_text(ps->new, came.type, new_text, sizeof(new_text));
    if (strcmp(old_text, new_text) != 0) continue;
    refuse(
        b, keep_text(ps, "%s.%s", path, gone.name),
        keep_text(ps,
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
    struct type_member om = type_member(ps->old, o, i);
    const char *member_path = *om.name ? keep_text(ps, "%s.%s", path, om.name) : path;
    int k = type_member_counterpart(ps->new, n, ps->old, o, i);
    if (k < 0) {
      check_renamed(b, o, n, i, path);
      add_dropped(b, old_at + om.bit / 8, (bits_of(ps->old, &om) + 7) / 8, member_path);
      continue;
    }
    struct type_member nm = type_member(ps->new, n, (unsigned)k);
    if (om.bits || nm.bits)
      pair_bits(b, &om, &nm, old_at, new_at, member_path);
    else
      pair(b, om.type, nm.type, old_at + om.bit / 8, new_at + nm.bit / 8, member_path);
  }
  for (unsigned k = 0; k < new_count; k++)
    if (type_member_counterpart(ps->old, o, ps->new, n, k) < 0) b->program->changed = true;
}

/* Which member of a union is live is not known, so it must stay as it is. */
static void pair_unions(struct builder *b, uint32_t old_type, uint32_t new_type, uint32_t old_at,
                        uint32_t new_at, const char *path) {
  struct programs *ps = b->set;
  const struct btf_type *o = type_of(ps->old, old_type), *n = type_of(ps->new, new_type);
  unsigned count = type_members(o);
  bool same = o->size == n->size && count == type_members(n);
  for (unsigned i = 0; same && i < count; i++) {
    struct type_member om = type_member(ps->old, o, i), nm = type_member(ps->new, n, i);
    const struct program *p = program_for(ps, om.type, nm.type);
    same = p && !p->refusal && !p->changed && om.bits == nm.bits && strcmp(om.name, nm.name) == 0;
  }
  if (!same) {
    refuse(b, path,
           "is a union whose layout changes, and which member is live is not known; keep its "
           "layout");
    return;
  }
  if (!site_may_point(ps->old, old_type)) {
    add_copy(b, old_at, new_at, o->size, path);
    return;
  }
  add_op(b, OP_WORDS, old_at, new_at, path)->old_bytes = o->size;
  b->program->points = true;
}

static bool same_name(struct programs *ps, const struct btf_type *o, const struct btf_type *n) {
  const char *old_name = type_name(ps->old, o), *new_name = type_name(ps->new, n);
  return !*old_name || !*new_name || strcmp(old_name, new_name) == 0;
}

static void pair(struct builder *b, uint32_t old_type, uint32_t new_type, uint32_t old_at,
                 uint32_t new_at, const char *path) {
  struct programs *ps = b->set;
  const struct btf_type *o = type_of(ps->old, old_type), *n = type_of(ps->new, new_type);
  if (is_number(o) && is_number(n)) {
    pair_numbers(b, o, n, old_at, new_at, path);
    return;
  }
  if (btf_kind(o) != btf_kind(n)) {
    refuse_types(b, old_type, new_type, path);
    return;
  }
  switch (btf_kind(o)) {
  case BTF_KIND_PTR:
    pair_pointers(b, o, n, old_at, new_at, path);
    return;
  case BTF_KIND_ARRAY:
    pair_arrays(b, o, n, old_at, new_at, path);
    return;
  case BTF_KIND_STRUCT:
    if (!same_name(ps, o, n)) break;
    correspond(ps, old_type, new_type);
    pair_structs(b, o, n, old_at, new_at, path);
    return;
  case BTF_KIND_UNION:
    pair_unions(b, old_type, new_type, old_at, new_at, path);
    return;
  case BTF_KIND_FLOAT:
    if (o->size != n->size) break;
    add_copy(b, old_at, new_at, o->size, path);
    return;
  default:
    break;
  }
  refuse_types(b, old_type, new_type, path);
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
  p = keep(ps, sizeof(*p));
  if (!p) return NULL;
  p->old_type = old_type;
  p->new_type = new_type;
  p->old_bytes = (uint32_t)type_bytes(ps->old, old_type);
  p->new_bytes = (uint32_t)type_bytes(ps->new, new_type);
  ps->table[slot_of(ps, old_type, new_type)] = p;
  ps->count++;
  struct builder b = {.set = ps, .program = p};
  if (p->old_bytes != p->new_bytes) p->changed = true;
  ps->compiling++;
  pair(&b, old_type, new_type, 0, 0, "");
  ps->compiling--;
  while (ps->compiling == 0 && ps->pending_count > 0) {
    uint32_t next = ps->pending[--ps->pending_count];
    program_for(ps, next, ps->counterpart[next]);
  }
  return ps->out_of_memory ? NULL : p;
}

/* Types without identity of their own pair by structure; the others by name. */
static uint32_t find_counterpart(struct programs *ps, uint32_t id) {
  const struct btf_type *o = btf__type_by_id(ps->old->btf, id);
  uint32_t count = btf__type_cnt(ps->new->btf), found = 0;
  const char *name = type_name(ps->old, o);
  for (uint32_t k = 1; k < count; k++) {
    const struct btf_type *n = btf__type_by_id(ps->new->btf, k);
    if (btf_kind(n) != btf_kind(o) || strcmp(type_name(ps->new, n), name) != 0) continue;
    if (btf_is_ptr(o) || btf_is_array(o)) {
      uint32_t inner = btf_is_ptr(o) ? o->type : btf_array(o)->type;
      uint32_t new_inner = btf_is_ptr(n) ? n->type : btf_array(n)->type;
      if (btf_is_array(o) && btf_array(o)->nelems != btf_array(n)->nelems) continue;
      const struct btf_type *target = type_of(ps->old, inner), *other = type_of(ps->new, new_inner);
      if (btf_kind(target) != btf_kind(other) || !same_name(ps, target, other)) continue;
      if (btf_is_ptr(o)) return k; /* what it points to is decided by each target */
    } else if (!*name) {
      continue;
    }
    const struct program *p = program_for(ps, id, k);
    if (!p) return 0;
    if (!p->refusal && !p->changed) return k;
    if (!found) found = k;
  }
  return found;
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

const struct st_meta *programs_target(const struct programs *ps) {
  return ps->new;
}
