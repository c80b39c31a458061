/* How arrays pair: element by element, by index.
 *
 * Where the number of dimensions changes, elements keep their order in memory (C's row-major
 * order): `int a[6]` becomes `int a[2][3]`, `int a[3]` the first row of `int a[2][3]`, and back.
 * But `int a[8]` that becomes `int a[8][2]` may as well gain a second value for each element; that
 * is refused. */
#include <string.h>

#include "libst/meta.h"
#include "libst/program_build.h"
#include "libst/type.h"

enum { DIMENSIONS_MAX = 16 };

struct shape {
  uint32_t element; /* what is no array */
  unsigned rank;
  uint32_t extent[DIMENSIONS_MAX]; /* outermost first */
  uint64_t count;
};

static struct shape shape_of(const struct st_meta *meta, uint32_t type) {
  struct shape s = {.count = 1};
  const struct btf_type *t = type_of(meta, type);
  while (btf_is_array(t) && s.rank < DIMENSIONS_MAX) {
    s.extent[s.rank++] = btf_array(t)->nelems;
    s.count *= btf_array(t)->nelems;
    type = btf_array(t)->type;
    t = type_of(meta, type);
  }
  s.element = type;
  return s;
}

/* Are `a`'s dimensions those of `b` from its `at`th? */
static bool is_part(const struct shape *a, const struct shape *b, unsigned at) {
  return memcmp(a->extent, b->extent + at, a->rank * sizeof(a->extent[0])) == 0;
}

static bool keeps_order(const struct shape *o, const struct shape *n) {
  if (o->count == 0 || n->count == 0) return false;
  if (o->count == n->count) return true;
  const struct shape *low = o->rank < n->rank ? o : n, *high = low == o ? n : o;
  return is_part(low, high, high->rank - low->rank) && !is_part(low, high, 0);
}

struct array_pair array_pair(const struct st_meta *old, uint32_t old_type,
                             const struct st_meta *new, uint32_t new_type) {
  struct shape o = shape_of(old, old_type), n = shape_of(new, new_type);
  const struct btf_type *ot = type_of(old, old_type), *nt = type_of(new, new_type);
  if (!o.rank || !n.rank) return (struct array_pair){0};
  if (o.rank == n.rank)
    return (struct array_pair){btf_array(ot)->type, btf_array(nt)->type, btf_array(ot)->nelems,
                               btf_array(nt)->nelems};
  if (!keeps_order(&o, &n) || o.count > UINT32_MAX || n.count > UINT32_MAX)
    return (struct array_pair){0};
  return (struct array_pair){o.element, n.element, (uint32_t)o.count, (uint32_t)n.count};
}

/* Integers in longer arrays are not looked at one by one, unless their type's name says that they
 * may hold pointers: such arrays are tables of numbers, and their bytes need not be touched. */
enum { LOOKED_AT = 16 };

static bool has_integers(const struct program *p) {
  for (unsigned i = 0; i < p->op_count; i++)
    if (p->ops[i].kind == OP_INTEGER || p->ops[i].kind == OP_REPEAT) return true;
  return false;
}

void build_arrays(struct builder *b, uint32_t old_type, uint32_t new_type, uint32_t old_at,
                  uint32_t new_at, const char *path) {
  struct programs *ps = b->set;
  struct array_pair a = array_pair(b->old, old_type, b->new, new_type);
  const struct program *e = a.old_element ? program_for(ps, a.old_element, a.new_element) : NULL;
  if (!a.old_element) build_refuse_types(b, old_type, new_type, path);
  if (!e) return;
  if (e->refusal) {
    build_refuse(b, build_text(ps, "%s[]%s", path, e->refused), e->refusal);
    return;
  }
  if ((a.old_count == 0) != (a.new_count == 0)) {
    build_refuse(b, path, "is a flexible array in one version only; keep its kind");
    return;
  }
  uint32_t count = a.old_count < a.new_count ? a.old_count : a.new_count;
  if (a.old_count != a.new_count) b->program->changed = true;
  if (a.old_count > a.new_count)
    build_dropped(b, &(struct dropped){.at = old_at + a.new_count * e->old_bytes,
                                       .bytes = (a.old_count - a.new_count) * e->old_bytes,
                                       .old_array = old_type,
                                       .new_array = new_type,
                                       .path = build_text(ps, "%s[%u]", path, a.new_count)});
  if (e->changed) b->program->changed = true;
  if (e->retyped) b->program->retyped = true;
  if (e->points || type_is_address(b->old, a.old_element)) b->program->points = true;
  if (a.old_count == 0) {
    build_op(b, OP_TAIL, old_at, new_at, path)->element = e;
    return;
  }
  bool named = type_is_address(b->old, a.old_element);
  if (program_is_integer(e) && (named || count <= LOOKED_AT)) {
    build_integers(b, old_at, new_at, count, path);
    return;
  }
  if (!e->changed && !e->points && !(has_integers(e) && count <= LOOKED_AT)) {
    build_copy(b, old_at, new_at, count * e->old_bytes, path);
    return;
  }
  struct op *op = build_op(b, OP_REPEAT, old_at, new_at, path);
  op->element = e;
  op->old_count = count;
  op->new_count = a.new_count;
}
