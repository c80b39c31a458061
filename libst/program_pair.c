/* How the program for a pair of types is made out of their structure. */
#include <stdio.h>
#include <string.h>

#include "libst/handler_plan.h"
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

void build_dropped(struct builder *b, const struct dropped *dropped) {
  struct program *p = b->program;
  p->changed = true;
  if (dropped->bytes == 0) return;
  if (p->dropped_count == b->dropped_cap) {
    unsigned cap = b->dropped_cap ? b->dropped_cap * 2 : 4;
    struct dropped *grown = build_keep(b->set, cap * sizeof(*grown));
    if (!grown) return;
    if (p->dropped_count) memcpy(grown, p->dropped, p->dropped_count * sizeof(*grown));
    p->dropped = grown;
    b->dropped_cap = cap;
  }
  p->dropped[p->dropped_count++] = *dropped;
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

/* Is what a pointer pointed to still what it points to? Of structs the names count, since their
 * contents are transferred. */
static bool pointed_fits(const struct builder *b, uint32_t old_type, uint32_t new_type) {
  const struct btf_type *o = type_of(b->old, old_type), *n = type_of(b->new, new_type);
  if (btf_is_composite(o) && btf_is_composite(n))
    return btf_kind(o) == btf_kind(n) && (strcmp(type_name(b->old, o), type_name(b->new, n)) == 0 ||
                                          build_is_renamed(b->set, o, n));
  if (btf_is_ptr(o) && btf_is_ptr(n))
    return !o->type || !n->type || pointed_fits(b, o->type, n->type);
  return type_fits(b->old, old_type, b->new, new_type);
}

struct pointed build_pointed(const struct builder *b, uint32_t old_type, uint32_t new_type) {
  struct pointed to = {.old_type = type_strip(b->old, old_type),
                       .new_type = type_strip(b->new, new_type)};
  if (!to.old_type && btf_is_composite(type_of(b->new, new_type))) {
    /* It pointed to anything, and now to that. */
    to.old_type = build_old_of(b, new_type);
    to.strict = true;
  }
  to.retyped = to.old_type && to.new_type && !pointed_fits(b, to.old_type, to.new_type);
  return to;
}

void build_pointers(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                    uint32_t old_at, uint32_t new_at, const char *path) {
  build_correspond(b->set, o->type, n->type);
  struct pointed pointed = build_pointed(b, o->type, n->type);
  build_op(b, OP_POINTER, old_at, new_at, path)->pointed = pointed;
  b->program->points = true;
  if (pointed.retyped) b->program->retyped = true;
}

/* ---- structs ---- */

/* A member that is gone while another of the same type came in its place was probably renamed. */
void build_check_renamed(struct builder *b, const struct loose *gone) {
  struct programs *ps = b->set;
  const struct type_member *was = &gone->member;
  unsigned count = type_members(gone->other);
  char old_text[160], new_text[160];
  type_text(b->old, was->type, old_text, sizeof(old_text));
  for (unsigned k = 0; k < count; k++) {
    struct type_member came = type_member(b->new, gone->other, k);
    if (type_member_counterpart(b->old, gone->in, b->new, gone->other, k) >= 0) continue;
    if ((k != gone->index && came.bit != was->bit) || came.bits != was->bits) continue;
    type_text(b->new, came.type, new_text, sizeof(new_text));
    if (!*came.name || strcmp(old_text, new_text) != 0 || loose_is_taken(b, came.name)) continue;
    build_refuse(
        b, gone->path,
        build_text(ps,
                   "(%s) is gone and `%s` of the same type is in its place: renamed? say so with "
                   "ST_FIELD(%s %s, %s, renamed_from(%s)), or put the new member elsewhere",
                   old_text, came.name, btf_is_union(gone->other) ? "union" : "struct",
                   type_name(b->new, gone->other), came.name, was->name));
  }
}

/* What a handler declares and what does not pair as it is, is its own. */
static bool is_handlers_own(struct builder *b, const struct type_member *om,
                            const struct btf_type *n, int k) {
  const struct enclosing *in = b->in;
  if (!in->handler || !handler_declares(in->handler, in->old_type, om->name)) return false;
  if (k < 0) return true;
  struct type_member nm = type_member(b->new, n, (unsigned)k);
  const struct program *p = program_for(b->set, om->type, nm.type);
  return om->bits != nm.bits || (p && (p->refusal || p->changed || p->retyped));
}

static void pair_structs(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                         uint32_t old_at, uint32_t new_at, const char *path) {
  struct programs *ps = b->set;
  unsigned old_count = type_members(o), new_count = type_members(n);
  for (unsigned i = 0; i < old_count; i++) {
    struct type_member om = type_member(b->old, o, i);
    const char *member_path = *om.name ? build_text(ps, "%s.%s", path, om.name) : path;
    int k = type_member_counterpart(b->new, n, b->old, o, i);
    if (is_handlers_own(b, &om, n, k)) continue;
    if (k < 0) {
      loose_add(b, &b->gone, (struct loose){om, old_at, member_path, -1, false, i, o, n});
      continue;
    }
    struct type_member nm = type_member(b->new, n, (unsigned)k);
    if (om.bits || nm.bits)
      build_bits(b, &om, &nm, old_at, new_at, member_path);
    else
      build_pair(b, om.type, nm.type, old_at + om.bit / 8, new_at + nm.bit / 8, member_path);
  }
  for (unsigned k = 0; k < new_count; k++) {
    struct type_member nm = type_member(b->new, n, k);
    if (type_member_counterpart(b->old, o, b->new, n, k) >= 0) continue;
    const char *member_path = *nm.name ? build_text(ps, "%s.%s", path, nm.name) : path;
    loose_add(b, &b->came, (struct loose){nm, new_at, member_path, -1, false, k, o, n});
    b->program->changed = true;
  }
}

/* Has it a pointer where no word of the union around it begins? */
static bool has_crooked_pointer(const struct st_meta *meta, uint32_t type, uint32_t at) {
  const struct btf_type *t = type_of(meta, type);
  if (btf_is_ptr(t)) return at % sizeof(void *) != 0;
  if (btf_is_array(t)) {
    uint32_t size = (uint32_t)type_bytes(meta, btf_array(t)->type);
    return has_crooked_pointer(meta, btf_array(t)->type, at) ||
           (btf_array(t)->nelems > 1 && has_crooked_pointer(meta, btf_array(t)->type, at + size));
  }
  for (unsigned i = 0; i < type_members(t); i++) {
    struct type_member m = type_member(meta, t, i);
    if (has_crooked_pointer(meta, m.type, at + m.bit / 8)) return true;
  }
  return false;
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
  if (has_crooked_pointer(b->old, old_type, 0)) {
    build_refuse(
        b, path,
        build_text(ps,
                   "is a union with a pointer in a packed struct, and which member is live "
                   "is not known; say so with %s",
                   build_union_advice(b, new_type, path)));
    return;
  }
  if (!same) {
    build_refuse(b, path,
                 build_text(ps,
                            "is a union whose layout changes, and which member is live is not "
                            "known; say so with %s",
                            build_union_advice(b, new_type, path)));
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
  if (build_marked(b, old_type, new_type, old_at, new_at, path)) return;
  if ((build_is_number(o) || build_is_real(b->old, o)) &&
      (build_is_number(n) || build_is_real(b->new, n))) {
    build_numbers(b, o, n, old_at, new_at, path);
    /* It must be visited to be seen. */
    if (type_is_address(b->old, old_type)) b->program->points = true;
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
    build_arrays(b, old_type, new_type, old_at, new_at, path);
    return;
  case BTF_KIND_STRUCT:
    if (!build_same_name(ps, o, n) && !build_is_renamed(ps, o, n)) break;
    build_correspond(ps, old_type, new_type);
    struct enclosing in = {b->in,
                           type_strip(b->old, old_type),
                           type_strip(b->new, new_type),
                           old_at,
                           new_at,
                           programs_handler(ps, old_type, new_type)};
    b->in = &in;
    pair_structs(b, o, n, old_at, new_at, path);
    b->in = in.up;
    if (in.handler) {
      build_op(b, OP_HANDLER, old_at, new_at, path)->handler = in.handler;
      b->program->changed = b->program->points = true;
    }
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
