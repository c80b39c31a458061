/* Members that moved: into a nested struct, out of it, or from one to another.
 *
 * What pairs is what has the same name in the same struct. Of the members left over on either side,
 * one that has the name of exactly one on the other side, anywhere in the object, is that one. If
 * there are several, none is taken: it is refused. */
#include <stdio.h>
#include <string.h>

#include "libst/annotation.h"
#include "libst/meta.h"
#include "libst/program_build.h"
#include "libst/type.h"

struct loose *loose_add(struct builder *b, struct loose_list *list, struct loose loose) {
  if (list->count == list->cap) {
    unsigned cap = list->cap ? list->cap * 2 : 8;
    struct loose *grown = build_keep(b->set, cap * sizeof(*grown));
    if (!grown) return NULL;
    if (list->count) memcpy(grown, list->items, list->count * sizeof(*grown));
    list->items = grown;
    list->cap = cap;
  }
  list->items[list->count] = loose;
  return &list->items[list->count++];
}

/* Adds the members of the structs in the list, and theirs, behind them. Those of a union cannot
 * move: which one is live is not known. */
static void open_structs(struct builder *b, const struct st_meta *meta, struct loose_list *list) {
  for (unsigned i = 0; i < list->count; i++) {
    struct loose in = list->items[i];
    const struct btf_type *t = type_of(meta, in.member.type);
    for (unsigned k = 0; btf_is_struct(t) && k < type_members(t); k++) {
      struct type_member m = type_member(meta, t, k);
      const char *path = *m.name ? build_text(b->set, "%s.%s", in.path, m.name) : in.path;
      struct loose inner = {m, in.base + in.member.bit / 8, path, .up = (int)i};
      if (!loose_add(b, list, inner)) return;
    }
  }
}

static bool is_numeric(const struct st_meta *meta, const struct btf_type *t) {
  return build_is_number(t) || build_is_real(meta, t);
}

static bool fits(struct builder *b, const struct loose *o, const struct loose *n) {
  const struct btf_type *ot = type_of(b->old, o->member.type);
  const struct btf_type *nt = type_of(b->new, n->member.type);
  if (!*o->member.name && !*n->member.name)
    return type_anonymous_alike(b->old, o->member.type, b->new, n->member.type);
  if (!*o->member.name || strcmp(o->member.name, n->member.name) != 0) return false;
  if (is_numeric(b->old, ot) && is_numeric(b->new, nt)) return true;
  /* What is annotated has another type, which tells what may become of it. */
  if (annotation_mark(b->old, type_strip(b->old, o->member.type)) ||
      annotation_mark(b->new, type_strip(b->new, n->member.type)))
    return true;
  return btf_kind(ot) == btf_kind(nt) && (!btf_is_composite(ot) || build_same_name(b->set, ot, nt));
}

/* Did this, or a struct that it is in, find its counterpart? */
static bool is_taken(const struct loose_list *list, unsigned i) {
  for (int at = (int)i; at >= 0; at = list->items[at].up)
    if (list->items[at].taken) return true;
  return false;
}

bool loose_is_taken(const struct builder *b, const char *name) {
  for (unsigned i = 0; i < b->came.count; i++)
    if (b->came.items[i].taken && strcmp(b->came.items[i].member.name, name) == 0) return true;
  return false;
}

static void add_move(struct builder *b, const struct loose *o, const struct loose *n) {
  struct program *p = b->program;
  struct move *moves = build_keep(b->set, (p->move_count + 1) * sizeof(*moves));
  if (!moves) return;
  if (p->move_count) memcpy(moves, p->moves, p->move_count * sizeof(*moves));
  moves[p->move_count++] = (struct move){
      o->base + o->member.bit / 8, n->base + n->member.bit / 8, o->member.type, n->member.type,
      o->member.bits != 0,         n->member.bits != 0,         o->path,        n->path};
  p->moves = moves;
  p->changed = true;
}

static void pair_loose(struct builder *b, unsigned i) {
  struct loose *o = &b->gone.items[i], *found = NULL;
  const struct loose *second = NULL;
  for (unsigned k = 0; k < b->came.count; k++) {
    if (is_taken(&b->came, k) || !fits(b, o, &b->came.items[k])) continue;
    second = found;
    found = &b->came.items[k];
    if (second) break;
  }
  if (!found) return;
  for (unsigned k = 0; !second && k < b->gone.count; k++)
    if (k != i && !is_taken(&b->gone, k) && fits(b, &b->gone.items[k], found))
      second = &b->gone.items[k];
  if (second) {
    build_refuse(b, o->path,
                 build_text(b->set,
                            "is gone, and what it became is not known: there are `%s` and `%s` of "
                            "this name; give the new ones other names",
                            found->path, second->path));
    o->taken = true;
    return;
  }
  o->taken = found->taken = true;
  add_move(b, o, found);
  if (o->member.bits || found->member.bits)
    build_bits(b, &o->member, &found->member, o->base, found->base, o->path);
  else
    build_pair(b, o->member.type, found->member.type, o->base + o->member.bit / 8,
               found->base + found->member.bit / 8, o->path);
}

static bool holds_taken(const struct loose_list *list, unsigned i) {
  for (unsigned k = i + 1; k < list->count; k++)
    if (list->items[k].taken)
      for (int at = list->items[k].up; at >= 0; at = list->items[at].up)
        if (at == (int)i) return true;
  return false;
}

/* What remains is lost: a struct as a whole, or those of its members that did not move. */
static void drop(struct builder *b) {
  for (unsigned i = 0; i < b->gone.count; i++) {
    const struct loose *o = &b->gone.items[i];
    bool whole = o->up < 0 || holds_taken(&b->gone, (unsigned)o->up);
    if (!whole || is_taken(&b->gone, i) || holds_taken(&b->gone, i)) continue;
    if (o->up < 0) build_check_renamed(b, o);
    build_dropped(b, &(struct dropped){.at = o->base + o->member.bit / 8,
                                       .bytes = (build_bits_of(b->old, &o->member) + 7) / 8,
                                       .path = o->path});
  }
}

/* A flexible array is the last op: it goes on to the object's end. */
static void put_tail_last(struct program *p) {
  for (unsigned i = 0; i + 1 < p->op_count; i++) {
    if (p->ops[i].kind != OP_TAIL) continue;
    struct op tail = p->ops[i];
    memmove(&p->ops[i], &p->ops[i + 1], (p->op_count - i - 1) * sizeof(tail));
    p->ops[p->op_count - 1] = tail;
    return;
  }
}

void build_moves(struct builder *b) {
  if (b->gone.count == 0) return;
  open_structs(b, b->old, &b->gone);
  open_structs(b, b->new, &b->came);
  for (unsigned i = 0; i < b->gone.count; i++)
    if (!is_taken(&b->gone, i)) pair_loose(b, i);
  drop(b);
  put_tail_last(b->program);
}
