#include "types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Members of nameless members are listed with their parent's, but not for ever. */
enum { MOST_NESTING = 16 };

struct collector {
  struct outcome *out;
  const struct st_meta *old, *new;
  bool *seen; /* by old type */
  size_t capacity;
};

enum fate fate_of(const struct program *p) {
  if (p->refusal) return FATE_REFUSED;
  if (p->changed) return FATE_CONVERTED;
  return p->points ? FATE_FOLLOWED : FATE_SAME;
}

static char *path(const char *prefix, const char *name) {
  char *out;
  if (asprintf(&out, *prefix && *name ? "%s.%s" : "%s%s", prefix, name) < 0) abort();
  return out;
}

static struct field *add_field(struct type_outcome *t) {
  if (t->count % 16 == 0) {
    t->fields = realloc(t->fields, (t->count + 16) * sizeof(*t->fields));
    if (!t->fields) abort();
  }
  struct field *f = &t->fields[t->count++];
  *f = (struct field){0};
  return f;
}

static bool is_nameless(const struct st_meta *meta, uint32_t type) {
  const struct btf_type *t = btf__type_by_id(meta->btf, type);
  return t && btf_is_composite(t) && !*type_name(meta, t);
}

static enum fate member_fate(const struct collector *c, const struct type_member *old,
                             const struct type_member *new) {
  const struct program *p = program_for(c->out->plan.programs, old->type, new->type);
  if (!p) return FATE_REFUSED;
  if (p->refusal || p->changed || old->bits != new->bits)
    return p->refusal ? FATE_REFUSED : FATE_CONVERTED;
  return p->points ? FATE_FOLLOWED : FATE_SAME;
}

static void pair_members(struct collector *c, struct type_outcome *t, uint32_t old_type,
                         uint32_t new_type, uint32_t old_bit, uint32_t new_bit, const char *prefix,
                         unsigned depth);

static void add_old(struct collector *c, struct type_outcome *t, const struct btf_type *o,
                    const struct btf_type *n, unsigned i, uint32_t old_bit, uint32_t new_bit,
                    const char *prefix, unsigned depth) {
  struct type_member old = type_member(c->old, o, i);
  int k = type_member_counterpart(c->new, n, c->old, o, i);
  char *name = path(prefix, old.name);
  old.bit += old_bit;
  if (k < 0) {
    struct field *f = add_field(t);
    f->old_name = name;
    f->old = old;
    f->fate = FATE_REMOVED;
    return;
  }
  struct type_member new = type_member(c->new, n, (unsigned)k);
  new.bit += new_bit;
  if (depth < MOST_NESTING && is_nameless(c->old, old.type) && is_nameless(c->new, new.type)) {
    pair_members(c, t, old.type, new.type, old.bit, new.bit, name, depth + 1);
    free(name);
    return;
  }
  struct field *f = add_field(t);
  f->old_name = name;
  f->new_name = path(prefix, new.name);
  f->old = old;
  f->new = new;
  f->fate = member_fate(c, &old, &new);
}

static void pair_members(struct collector *c, struct type_outcome *t, uint32_t old_type,
                         uint32_t new_type, uint32_t old_bit, uint32_t new_bit, const char *prefix,
                         unsigned depth) {
  const struct btf_type *o = type_of(c->old, old_type), *n = type_of(c->new, new_type);
  unsigned old_count = type_members(o), new_count = type_members(n);
  for (unsigned i = 0; i < old_count; i++)
    add_old(c, t, o, n, i, old_bit, new_bit, prefix, depth);
  for (unsigned k = 0; k < new_count; k++) {
    if (type_member_counterpart(c->old, o, c->new, n, k) >= 0) continue;
    struct field *f = add_field(t);
    f->new = type_member(c->new, n, k);
    f->new_name = path(prefix, f->new.name);
    f->new.bit += new_bit;
    f->fate = FATE_ADDED;
  }
}

static const char *without_dot(const char *member) {
  return *member == '.' ? member + 1 : member;
}

static struct field *find_field(struct type_outcome *t, enum fate fate, const char *name) {
  for (size_t i = 0; i < t->count; i++) {
    struct field *f = &t->fields[i];
    if (f->fate == fate && strcmp(fate == FATE_REMOVED ? f->old_name : f->new_name, name) == 0)
      return f;
  }
  return NULL;
}

static void remove_field(struct type_outcome *t, struct field *f) {
  free(f->old_name);
  free(f->new_name);
  memmove(f, f + 1, (size_t)(&t->fields[--t->count] - f) * sizeof(*f));
}

/* A member that went into a nested struct or out of it stands beside what it became. */
static void show_move(struct collector *c, struct type_outcome *t, const struct move *m) {
  const struct program *p = program_for(c->out->plan.programs, m->old_type, m->new_type);
  const char *old_name = without_dot(m->path), *new_name = without_dot(m->new_path);
  struct field moved = {.old_name = path("", old_name),
                        .new_name = path("", new_name),
                        .old = {.name = "", .type = m->old_type, .bit = m->old_at * 8},
                        .new = {.name = "", .type = m->new_type, .bit = m->new_at * 8},
                        .fate = p ? fate_of(p) : FATE_REFUSED};
  struct field *gone = find_field(t, FATE_REMOVED, old_name);
  if (gone) moved.old = gone->old;
  struct field *came = find_field(t, FATE_ADDED, new_name);
  if (came) moved.new = came->new;
  if (came && gone) remove_field(t, came);
  gone = find_field(t, FATE_REMOVED, old_name);
  struct field *at = gone ? gone : came ? came : add_field(t);
  free(at->old_name);
  free(at->new_name);
  *at = moved;
}

static void add_type(struct collector *c, uint32_t old_type, uint32_t new_type, const char *name) {
  const struct program *p = program_for(c->out->plan.programs, old_type, new_type);
  if (!p) return;
  if (c->out->type_count == c->capacity) {
    c->capacity = c->capacity ? c->capacity * 2 : 32;
    c->out->types = realloc(c->out->types, c->capacity * sizeof(*c->out->types));
    if (!c->out->types) abort();
  }
  struct type_outcome *t = &c->out->types[c->out->type_count++];
  *t = (struct type_outcome){
      .name = path("", name), .old = old_type, .new = new_type, .program = p, .fate = fate_of(p)};
  pair_members(c, t, old_type, new_type, 0, 0, "", 0);
  for (unsigned i = 0; i < p->move_count; i++)
    show_move(c, t, &p->moves[i]);
}

static void visit(struct collector *c, uint32_t old_type, uint32_t new_type, const char *name);

static void visit_members(struct collector *c, uint32_t old_type, uint32_t new_type) {
  const struct btf_type *o = type_of(c->old, old_type), *n = type_of(c->new, new_type);
  unsigned count = type_members(o);
  for (unsigned i = 0; i < count; i++) {
    int k = type_member_counterpart(c->new, n, c->old, o, i);
    if (k < 0) continue;
    struct type_member old = type_member(c->old, o, i), new = type_member(c->new, n, (unsigned)k);
    visit(c, old.type, new.type, is_nameless(c->old, old.type) ? NULL : old.name);
  }
}

/* `name` is what to call a type without a name of its own; NULL where its parent shows its members.
 */
static void visit(struct collector *c, uint32_t old_type, uint32_t new_type, const char *name) {
  char text[160];
  const struct btf_type *t = btf__type_by_id(c->old->btf, old_type);
  if (t && btf_is_typedef(t)) name = type_name(c->old, t);
  old_type = type_strip(c->old, old_type);
  new_type = type_strip(c->new, new_type);
  const struct btf_type *o = type_of(c->old, old_type), *n = type_of(c->new, new_type);
  if (btf_is_ptr(o)) {
    uint32_t target = programs_counterpart(c->out->plan.programs, o->type);
    if (target) visit(c, o->type, target, name);
  } else if (btf_is_array(o) && btf_is_array(n)) {
    visit(c, btf_array(o)->type, btf_array(n)->type, name);
  } else if (btf_is_composite(o) && btf_is_composite(n) && !c->seen[old_type]) {
    c->seen[old_type] = true;
    if (*type_name(c->old, o)) name = type_text(c->old, old_type, text, sizeof(text));
    if (name) add_type(c, old_type, new_type, name);
    visit_members(c, old_type, new_type);
  }
}

void types_collect(struct outcome *out) {
  struct collector c = {.out = out, .old = out->plan.old, .new = out->plan.new};
  c.seen = calloc(btf__type_cnt(c.old->btf), sizeof(*c.seen));
  if (!c.seen) abort();
  for (size_t i = 0; i < out->variable_count; i++) {
    const struct variable_outcome *v = &out->variables[i];
    if (v->old && v->new)
      visit(&c, v->old->type, v->new->type, st_meta_string(c.old, v->old->name));
  }
  for (size_t i = 0; i < out->block_count; i++) {
    const struct block_outcome *b = &out->blocks[i];
    if (b->program) visit(&c, b->type, b->program->new_type, "a block's type");
  }
  free(c.seen);
}

void types_free(struct outcome *out) {
  for (size_t i = 0; i < out->type_count; i++) {
    struct type_outcome *t = &out->types[i];
    for (size_t k = 0; k < t->count; k++) {
      free(t->fields[k].old_name);
      free(t->fields[k].new_name);
    }
    free(t->fields);
    free(t->name);
  }
  free(out->types);
}
