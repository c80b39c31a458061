/* What annotations say of a pair of types. Those of the new version hold for the old one's data
 * too; what the old version says of its own data must not be lost. */
#include <stdio.h>
#include <string.h>

#include "libst/annotation.h"
#include "libst/program_build.h"

uint32_t build_old_of(const struct builder *b, uint32_t new_type) {
  const struct btf_type *n = type_of(b->new, new_type);
  const char *name = type_name(b->new, n);
  for (uint32_t id = 1; *name && id < btf__type_cnt(b->old->btf); id++) {
    const struct btf_type *o = btf__type_by_id(b->old->btf, id);
    if (btf_kind(o) == btf_kind(n) && strcmp(type_name(b->old, o), name) == 0) return id;
  }
  return 0;
}

static void add_opaque(struct builder *b, uint32_t old_type, uint32_t new_type, uint32_t old_at,
                       uint32_t new_at, const char *path) {
  uint32_t old_bytes = (uint32_t)type_bytes(b->old, old_type);
  uint32_t new_bytes = (uint32_t)type_bytes(b->new, new_type);
  if (old_bytes == new_bytes)
    build_copy(b, old_at, new_at, old_bytes, path);
  else
    build_refuse(b, path,
                 build_text(b->set,
                            "is opaque, and its size changes from %u to %u bytes; keep the size, "
                            "or say what it holds",
                            old_bytes, new_bytes));
}

static void add_own(struct builder *b, uint32_t old_type, uint32_t new_type, uint32_t old_at,
                    uint32_t new_at, const char *path) {
  uint32_t bytes = (uint32_t)type_bytes(b->new, new_type);
  build_op(b, OP_OWN, old_at, new_at, path)->new_bytes = bytes;
  b->program->points = true; /* it must be visited */
  if (type_bytes(b->old, old_type) != bytes) b->program->changed = true;
}

/* The old version says something of its data that the new one does not. */
static void refuse_lost(struct builder *b, const struct st_mark *old, const char *path) {
  char text[400];
  build_refuse(b, path,
               build_text(b->set,
                          "is annotated in the old version (%s) and not, or otherwise, in the new "
                          "one; annotate it alike",
                          annotation_text(b->old, old->by, text, sizeof(text))));
}

static void add_tagged(struct builder *b, const struct st_mark *mark, uint32_t old_type,
                       uint32_t new_type, uint32_t old_at, uint32_t new_at, const char *path) {
  const struct st_mark *om = annotation_mark(b->old, old_type);
  const struct btf_type *o = type_of(b->old, old_type);
  if (om && (om->kind != ST_ANNOTATE_TAGGED_POINTER || om->mask != mark->mask)) {
    refuse_lost(b, om, path);
    return;
  }
  uint32_t target = type_of(b->new, new_type)->type;
  if (btf_is_ptr(o)) build_correspond(b->set, o->type, target);
  struct op *op = build_op(b, OP_TAGGED, old_at, new_at, path);
  op->pointed = build_pointed(b, btf_is_ptr(o) ? o->type : build_old_of(b, target), target);
  op->mask = mark->mask;
  b->program->points = true;
}

/* ---- unions ---- */

/* Finds the discriminator in the old object: in the union, or in what is around it. */
static bool find_discriminator(const struct builder *b, const struct st_mark *mark,
                               uint32_t old_type, uint32_t union_at, struct live *live,
                               uint32_t *type) {
  const char *path = mark->discriminator;
  uint32_t bit = 0, bits = 0, base = union_at;
  bool found = mark->inside && annotation_path(b->old, old_type, path, &bit, type, &bits);
  for (const struct enclosing *e = mark->inside ? NULL : b->in; e && !found; e = e->up) {
    found = annotation_path(b->old, e->old_type, path, &bit, type, &bits);
    base = e->old_at;
  }
  if (!found) return false;
  const struct btf_type *t = type_of(b->old, *type);
  if (!build_is_number(t) || t->size > 8) return false;
  live->is_signed = type_is_signed(t);
  live->bits = (uint16_t)bits;
  live->at = (int32_t)(base + bit / 8) - (int32_t)union_at;
  live->bit = (uint16_t)(bit % 8);
  live->bytes = (uint8_t)t->size;
  return true;
}

struct united {
  struct builder *b;
  const struct btf_type *o, *n;
  bool changes;
};

static void fill_choice(struct united *u, const char *member, struct live_choice *out) {
  struct builder *b = u->b;
  if (!member) return;
  int i = type_member_named(b->old, u->o, member), k = type_member_named(b->new, u->n, member);
  if (i < 0 || k < 0) {
    out->gone = member;
    return;
  }
  out->program = program_for(b->set, type_member(b->old, u->o, (unsigned)i).type,
                             type_member(b->new, u->n, (unsigned)k).type);
  if (!out->program) return;
  if (out->program->refusal)
    build_refuse(b, build_text(b->set, ".%s%s", member, out->program->refused),
                 out->program->refusal);
  if (out->program->changed) u->changes = true;
}

static void fill_choices(struct united *u, const struct st_mark *mark, uint32_t discriminator,
                         struct live *live) {
  struct programs *set = u->b->set;
  struct live_choice *otherwise = build_keep(set, sizeof(*otherwise));
  live->choices = build_keep(set, (mark->case_count + 1) * sizeof(*live->choices));
  for (unsigned i = 0; live->choices && i < mark->case_count; i++) {
    const struct live_case *c = &mark->cases[i];
    struct live_choice *choice = &live->choices[live->count];
    choice->value = c->value;
    /* Values go by the enumerator's name; what the old version cannot have said needs no case. */
    if (*c->enumerator &&
        !annotation_enumerator(u->b->old, discriminator, c->enumerator, &choice->value))
      continue;
    fill_choice(u, c->member, choice);
    live->count++;
  }
  if (!mark->has_default || !otherwise) return;
  fill_choice(u, mark->otherwise.member, otherwise);
  live->otherwise = otherwise;
}

static bool same_members(const struct united *u) {
  if (u->o->size != u->n->size || type_members(u->o) != type_members(u->n)) return false;
  for (unsigned i = 0; i < type_members(u->o); i++)
    if (type_member_counterpart(u->b->new, u->n, u->b->old, u->o, i) < 0) return false;
  return true;
}

static void add_live(struct builder *b, const struct st_mark *mark, uint32_t old_type,
                     uint32_t new_type, uint32_t old_at, uint32_t new_at, const char *path) {
  struct united u = {b, type_of(b->old, old_type), type_of(b->new, new_type), false};
  struct live *live = build_keep(b->set, sizeof(*live));
  uint32_t type;
  if (!live) return;
  if (!btf_is_union(u.o)) {
    build_refuse_types(b, old_type, new_type, path);
    return;
  }
  if (!find_discriminator(b, mark, old_type, old_at, live, &type)) {
    build_refuse(b, path,
                 build_text(b->set,
                            "is a union whose discriminator `%s` the old version does not have; "
                            "say what it was called (renamed_from), or write a handler",
                            mark->discriminator));
    return;
  }
  fill_choices(&u, mark, type, live);
  if (u.changes || !same_members(&u)) b->program->changed = true;
  struct op *op = build_op(b, OP_LIVE, old_at, new_at, path);
  op->old_bytes = u.o->size;
  op->live = live;
  b->program->points = true; /* each value must have a case */
}

/* The name of the first sibling that could tell which member is live. */
static const char *likely_discriminator(const struct builder *b) {
  const struct btf_type *t = type_of(b->new, b->in->new_type);
  for (unsigned i = 0; i < type_members(t); i++) {
    struct type_member m = type_member(b->new, t, i);
    if (*m.name && build_is_number(type_of(b->new, m.type))) return m.name;
  }
  return "FIELD";
}

const char *build_union_advice(struct builder *b, uint32_t union_type, const char *path) {
  const struct btf_type *u = type_of(b->new, union_type);
  const char *dot = strrchr(path, '.');
  char outer[160], cases[256] = "";
  size_t used = 0;
  for (unsigned i = 0; i < type_members(u) && used < sizeof(cases); i++)
    used += (size_t)snprintf(cases + used, sizeof(cases) - used, ", VALUE = %s",
                             type_member(b->new, u, i).name);
  if (!b->in)
    return build_text(b->set, "ST_TYPE(%s, live_by(FIELD%s)), if a member of it tells",
                      type_text(b->new, union_type, outer, sizeof(outer)), cases);
  const struct btf_type *t = type_of(b->new, b->in->new_type);
  const char *name = dot && type_member_named(b->new, t, dot + 1) >= 0 ? dot + 1 : NULL;
  if (!name && type_members(u) > 0) name = type_member(b->new, u, 0).name;
  return build_text(b->set, "ST_FIELD(%s, %s, live_by(%s%s))",
                    type_text(b->new, b->in->new_type, outer, sizeof(outer)), name ? name : "",
                    likely_discriminator(b), cases);
}

/* ---- all ---- */

static bool build_new_mark(struct builder *b, const struct st_mark *mark, uint32_t old_type,
                           uint32_t new_type, uint32_t old_at, uint32_t new_at, const char *path) {
  const struct btf_type *o = type_of(b->old, old_type);
  const struct st_mark *om = annotation_mark(b->old, old_type);
  uint32_t target;
  switch (mark->kind) {
  case ST_ANNOTATE_OPAQUE:
    add_opaque(b, old_type, new_type, old_at, new_at, path);
    return true;
  case ST_ANNOTATE_DONT_TRANSFER:
    add_own(b, old_type, new_type, old_at, new_at, path);
    return true;
  case ST_ANNOTATE_LIVE_BY:
    add_live(b, mark, old_type, new_type, old_at, new_at, path);
    return true;
  case ST_ANNOTATE_TAGGED_POINTER:
    if (!type_holds_pointer(o)) return false;
    add_tagged(b, mark, old_type, new_type, old_at, new_at, path);
    return true;
  case ST_ANNOTATE_POINTER_TO:
    if (om || !type_holds_pointer(o) || btf_is_ptr(o)) return false;
    target = type_of(b->new, new_type)->type;
    build_op(b, OP_POINTER, old_at, new_at, path)->pointed =
        build_pointed(b, build_old_of(b, target), target);
    b->program->points = true;
    return true;
  case ST_ANNOTATE_NOT_POINTER:
    if ((om && om->kind != ST_ANNOTATE_NOT_POINTER) || !type_holds_pointer(o)) return false;
    build_copy(b, old_at, new_at, sizeof(void *), path);
    return true;
  default:
    return false;
  }
}

bool build_marked(struct builder *b, uint32_t old_type, uint32_t new_type, uint32_t old_at,
                  uint32_t new_at, const char *path) {
  old_type = type_strip(b->old, old_type);
  new_type = type_strip(b->new, new_type);
  const struct st_mark *om = annotation_mark(b->old, old_type);
  const struct st_mark *nm = annotation_mark(b->new, new_type);
  if (nm && build_new_mark(b, nm, old_type, new_type, old_at, new_at, path)) return true;
  if (!om || om->kind == ST_ANNOTATE_LIVE_BY || (nm && nm->kind == om->kind)) return false;
  /* What held a pointer may have become one, what held a number a number. */
  bool is_pointer = btf_is_ptr(type_of(b->new, new_type));
  if (om->kind == ST_ANNOTATE_POINTER_TO && is_pointer) return false;
  if (om->kind == ST_ANNOTATE_NOT_POINTER && !is_pointer) {
    if (!type_holds_pointer(type_of(b->new, new_type))) return false;
    build_copy(b, old_at, new_at, sizeof(void *), path);
    return true;
  }
  refuse_lost(b, om, path);
  return true;
}
