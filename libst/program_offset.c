/* Where a place in an old object lies in the new one.
 *
 * One address can be several things: the start of an object, that of its first member, the end of
 * an array before it. The type of the pointer tells which; what it leaves open is only a question
 * when the new version puts them at different places. */
#include "libst/annotation.h"
#include "libst/meta.h"
#include "libst/program.h"
#include "libst/site.h"
#include "libst/type.h"

struct search {
  struct programs *programs;
  const struct st_meta *old, *new;
  const struct pointed *pointed;
  struct pointed element; /* of the array that the pointer points to, when that is not there */
  bool ends_only;         /* what begins there is found already */
  bool found;
  int64_t result;
};

/* Memory for rows of an array is often allocated as an array of elements.
 * @return whether the pointer is now taken for one to an element */
static bool decay(struct search *s) {
  const struct btf_type *o = type_of(s->old, s->pointed->old_type);
  const struct btf_type *n = type_of(s->new, s->pointed->new_type);
  if (s->found || s->pointed->retyped || !btf_is_array(o)) return false;
  s->element = *s->pointed;
  s->element.old_type = type_strip(s->old, btf_array(o)->type);
  s->element.new_type = btf_is_array(n) ? type_strip(s->new, btf_array(n)->type) : 0;
  s->pointed = &s->element;
  return true;
}

/* Notes one thing that the pointer may mean. @param at  where that is; negative when it is gone */
static void add_reading(struct search *s, int64_t at, uint32_t new_type) {
  if (at >= 0 && s->pointed->new_type && !type_fits(s->new, new_type, s->new, s->pointed->new_type))
    at = PROGRAM_RETYPED;
  if (s->found && s->result != at) at = PROGRAM_AMBIGUOUS;
  s->found = true;
  s->result = at;
}

static void find(struct search *s, uint32_t old_type, uint32_t new_type, uint64_t offset,
                 int64_t at);

/* What lies at an offset of an array, or ends there. */
static void find_in_elements(struct search *s, uint32_t old_type, uint32_t new_type, uint64_t count,
                             uint64_t new_count, uint64_t offset, int64_t at) {
  uint64_t size = type_bytes(s->old, old_type), new_size = type_bytes(s->new, new_type);
  if (size == 0) return;
  uint64_t index = offset / size, rest = offset % size;
  bool ends = rest == 0 && index > 0 && index <= count;
  if (index < count)
    find(s, old_type, new_type, rest,
         at < 0 || index >= new_count ? -1 : at + (int64_t)(index * new_size));
  else if (ends && type_strip(s->old, old_type) == s->pointed->old_type)
    add_reading(s, at < 0 || index > new_count ? -1 : at + (int64_t)(index * new_size), new_type);
  if (ends)
    find(s, old_type, new_type, size,
         at < 0 || index > new_count ? -1 : at + (int64_t)((index - 1) * new_size));
}

static bool moves_place(const struct search *s, const struct move *m, uint64_t offset) {
  return !m->was_bits && offset >= m->old_at &&
         offset - m->old_at < type_bytes(s->old, m->old_type);
}

/* @return whether the pointer means something that moved */
static bool find_moved(struct search *s, const struct program *p, uint64_t offset, int64_t at) {
  bool before = s->found, moved = false;
  s->found = false;
  int64_t result = s->result;
  for (unsigned i = 0; p && i < p->move_count; i++) {
    const struct move *m = &p->moves[i];
    if (!moves_place(s, m, offset)) continue;
    find(s, m->old_type, m->new_type, offset - m->old_at, m->is_bits ? -1 : at + m->new_at);
  }
  moved = s->found;
  if (before && moved && s->result != result) s->result = PROGRAM_AMBIGUOUS;
  if (before && !moved) s->result = result;
  s->found |= before;
  return moved;
}

static bool moves_from(const struct program *p, uint64_t old_at) {
  for (unsigned i = 0; p && i < p->move_count; i++)
    if (!p->moves[i].was_bits && p->moves[i].old_at == old_at) return true;
  return false;
}

/* @param moved  its moves have been looked at; or NULL */
static void find_in_members(struct search *s, const struct btf_type *o, const struct btf_type *n,
                            const struct program *moved, uint64_t offset, int64_t at) {
  for (unsigned i = 0; i < type_members(o); i++) {
    struct type_member m = type_member(s->old, o, i);
    uint64_t start = m.bit / 8;
    if (m.bits || offset < start || offset > start + type_bytes(s->old, m.type)) continue;
    int k = at < 0 ? -1 : type_member_counterpart(s->new, n, s->old, o, i);
    if (k < 0 && moves_from(moved, start)) continue;
    struct type_member nm = k < 0 ? (struct type_member){0} : type_member(s->new, n, (unsigned)k);
    if (k < 0 || nm.bits)
      find(s, m.type, 0, offset - start, -1);
    else
      find(s, m.type, nm.type, offset - start, at + nm.bit / 8);
  }
}

/* Where something that moved begins, an array may end, which has moved or not. */
static void find_ends(struct search *s, const struct btf_type *o, const struct btf_type *n,
                      const struct program *p, uint64_t offset, int64_t at) {
  s->ends_only = true;
  for (unsigned i = 0; i < p->move_count; i++) {
    const struct move *m = &p->moves[i];
    if (!m->was_bits && offset - m->old_at == type_bytes(s->old, m->old_type))
      find(s, m->old_type, m->new_type, offset - m->old_at, m->is_bits ? -1 : at + m->new_at);
  }
  find_in_members(s, o, n, p, offset, at);
  s->ends_only = false;
}

/* Is it annotated so that places in it stay where they are? */
static bool stays_whole(const struct search *s, uint32_t new_type) {
  const struct st_mark *mark = annotation_mark(s->new, type_strip(s->new, new_type));
  return mark && (mark->kind == ST_ANNOTATE_OPAQUE || mark->kind == ST_ANNOTATE_DONT_TRANSFER);
}

static void find_in_array(struct search *s, uint32_t old_type, uint32_t new_type, uint64_t offset,
                          int64_t at) {
  struct array_pair a =
      at < 0 ? (struct array_pair){0} : array_pair(s->old, old_type, s->new, new_type);
  const struct btf_array *o = btf_array(type_of(s->old, old_type));
  if (a.old_element)
    find_in_elements(s, a.old_element, a.new_element, a.old_count, a.new_count, offset, at);
  else
    find_in_elements(s, o->type, 0, o->nelems, 0, offset, -1);
}

/* Finds objects of the pointer's type at an offset, and ends of arrays of them.
 * @param at  where the new object is; negative when there is none */
static void find(struct search *s, uint32_t old_type, uint32_t new_type, uint64_t offset,
                 int64_t at) {
  old_type = type_strip(s->old, old_type);
  new_type = type_strip(s->new, new_type);
  if (offset == 0 && s->ends_only) return;
  if (offset == 0 && old_type == s->pointed->old_type) {
    add_reading(s, at, new_type);
    return;
  }
  if (stays_whole(s, new_type)) return;
  const struct btf_type *o = type_of(s->old, old_type), *n = type_of(s->new, new_type);
  if (btf_kind(o) != btf_kind(n)) at = -1;
  const struct program *p = btf_is_struct(o) && at >= 0 && !s->ends_only
                                ? program_for(s->programs, old_type, new_type)
                                : NULL;
  if (find_moved(s, p, offset, at))
    find_ends(s, o, n, p, offset, at);
  else if (btf_is_composite(o))
    find_in_members(s, o, n, NULL, offset, at);
  else if (btf_is_array(o))
    find_in_array(s, old_type, new_type, offset, at);
}

/* ---- pointers whose type is not what is there: the outermost object that begins there ---- */

static int64_t map_offset(const struct search *s, uint32_t old_type, uint32_t new_type,
                          uint64_t offset);

static int64_t map_element(const struct search *s, uint32_t old_type, uint32_t new_type,
                           uint64_t offset) {
  struct array_pair a = array_pair(s->old, old_type, s->new, new_type);
  uint64_t size = a.old_element ? type_bytes(s->old, a.old_element) : 0;
  uint64_t index = size ? offset / size : 0, new_size = type_bytes(s->new, a.new_element);
  if (size == 0) return -1;
  if (index == a.old_count && offset % size == 0 && index <= a.new_count)
    return (int64_t)(index * new_size);
  if (index >= a.new_count) return -1;
  int64_t inner = map_offset(s, a.old_element, a.new_element, offset % size);
  return inner < 0 ? inner : inner + (int64_t)(index * new_size);
}

static int64_t map_moved(const struct search *s, const struct program *p, uint64_t offset) {
  for (unsigned i = 0; p && i < p->move_count; i++) {
    const struct move *m = &p->moves[i];
    if (!moves_place(s, m, offset)) continue;
    int64_t inner = m->is_bits ? -1 : map_offset(s, m->old_type, m->new_type, offset - m->old_at);
    return inner < 0 ? inner : inner + m->new_at;
  }
  return -1;
}

/* Does an object that the new version still has where it was begin at an offset? It is what a
 * pointer there means, and not its first member, which may have moved. */
static bool begins_object(const struct search *s, const struct btf_type *o,
                          const struct btf_type *n, uint64_t offset) {
  for (unsigned i = 0; btf_is_struct(o) && btf_is_struct(n) && i < type_members(o); i++) {
    struct type_member m = type_member(s->old, o, i);
    uint64_t start = m.bit / 8;
    int k = type_member_counterpart(s->new, n, s->old, o, i);
    if (m.bits || k < 0 || offset < start || offset - start >= type_bytes(s->old, m.type)) continue;
    struct type_member nm = type_member(s->new, n, (unsigned)k);
    if (nm.bits) continue;
    return offset == start ||
           begins_object(s, type_of(s->old, m.type), type_of(s->new, nm.type), offset - start);
  }
  return false;
}

static int64_t map_member(const struct search *s, const struct btf_type *o,
                          const struct btf_type *n, uint64_t offset) {
  for (unsigned i = 0; i < type_members(o); i++) {
    struct type_member m = type_member(s->old, o, i);
    uint64_t start = m.bit / 8, bytes = type_bytes(s->old, m.type);
    if (m.bits || offset < start || offset >= start + (bytes ? bytes : 1)) continue;
    int k = type_member_counterpart(s->new, n, s->old, o, i);
    if (k < 0) return -1;
    struct type_member nm = type_member(s->new, n, (unsigned)k);
    int64_t inner = nm.bits ? -1 : map_offset(s, m.type, nm.type, offset - start);
    return inner < 0 ? inner : inner + nm.bit / 8;
  }
  return -1;
}

/* Which member of the union the place is in is not known here: all must have stayed. */
static bool union_stays(const struct search *s, const struct btf_type *o,
                        const struct btf_type *n) {
  for (unsigned i = 0; i < type_members(o); i++) {
    int k = type_member_counterpart(s->new, n, s->old, o, i);
    const struct program *p = k < 0 ? NULL
                                    : program_for(s->programs, type_member(s->old, o, i).type,
                                                  type_member(s->new, n, (unsigned)k).type);
    if (!p || p->changed) return false;
  }
  return true;
}

static int64_t map_offset(const struct search *s, uint32_t old_type, uint32_t new_type,
                          uint64_t offset) {
  const struct btf_type *o = type_of(s->old, old_type), *n = type_of(s->new, new_type);
  if (offset == 0) return 0;
  if (stays_whole(s, new_type)) return offset < type_bytes(s->new, new_type) ? (int64_t)offset : -1;
  if (btf_kind(o) != btf_kind(n)) return -1;
  if (btf_is_union(o) && !union_stays(s, o, n)) return -1;
  if (btf_is_struct(o)) {
    int64_t moved = -1;
    if (!begins_object(s, o, n, offset))
      moved = map_moved(s, program_for(s->programs, old_type, new_type), offset);
    return moved >= 0 ? moved : map_member(s, o, n, offset);
  }
  if (btf_is_array(o)) return map_element(s, old_type, new_type, offset);
  return offset < type_bytes(s->new, new_type) ? (int64_t)offset : -1;
}

/* The smallest object around `bytes` from an offset on. */
static uint32_t enclosing_type(const struct st_meta *meta, uint32_t type, uint64_t offset,
                               uint64_t bytes) {
  for (;;) {
    const struct btf_type *t = type_of(meta, type);
    uint32_t inner = 0;
    uint64_t size = 0;
    if (btf_is_array(t)) {
      inner = btf_array(t)->type;
      size = type_bytes(meta, inner);
      if (size) offset %= size;
    }
    for (unsigned i = 0; btf_is_struct(t) && !inner && i < type_members(t); i++) {
      struct type_member m = type_member(meta, t, i);
      uint64_t start = m.bit / 8, here = type_bytes(meta, m.type);
      if (m.bits || offset < start || offset - start >= here) continue;
      inner = m.type;
      size = here;
      offset -= start;
    }
    if (!inner || offset + bytes > size) return type;
    type = inner;
  }
}

/* No object of the pointer's type is known where it points. That is as it was, unless such objects
 * look otherwise now, or have pointers, which nobody follows in memory that has none. */
static bool is_misread(const struct search *s, uint32_t type, uint64_t offset) {
  uint32_t old_type = s->pointed->old_type;
  if (s->pointed->strict || s->pointed->retyped) return true;
  if (!old_type) return false;
  uint32_t new_type =
      s->pointed->new_type ? s->pointed->new_type : programs_counterpart(s->programs, old_type);
  const struct program *p = new_type ? program_for(s->programs, old_type, new_type) : NULL;
  if (!p) return false;
  if (p->changed || p->refusal) return true;
  if (!p->points) return false;
  uint32_t around = enclosing_type(s->old, type, offset, p->old_bytes);
  return !annotation_mark(s->old, type_strip(s->old, around)) && !site_may_point(s->old, around);
}

static struct search new_search(struct programs *ps, const struct pointed *pointed) {
  return (struct search){
      .programs = ps, .old = programs_old(ps), .new = programs_target(ps), .pointed = pointed};
}

int64_t program_offset(struct programs *ps, const struct program *p, uint64_t offset,
                       const struct pointed *pointed, bool *exact) {
  struct search s = new_search(ps, pointed);
  do
    if (pointed->old_type) find(&s, p->old_type, p->new_type, offset, 0);
  while (decay(&s));
  *exact = s.found;
  if (s.found) return s.result;
  if (is_misread(&s, p->old_type, offset)) return PROGRAM_MISREAD;
  if (!p->changed) return (int64_t)offset;
  int64_t at = map_offset(&s, p->old_type, p->new_type, offset);
  return at == -1 && offset == p->old_bytes ? p->new_bytes : at;
}

/* What the last member, a flexible array, is in the program. */
static const struct op *tail_of(const struct program *p) {
  for (unsigned i = 0; i < p->op_count; i++)
    if (p->ops[i].kind == OP_TAIL && p->ops[i].element->old_bytes) return &p->ops[i];
  return NULL;
}

static int64_t tail_offset(struct search *s, const struct program *p, const struct op *tail,
                           uint64_t bytes, uint64_t offset) {
  const struct program *e = tail->element;
  uint64_t count = bytes > tail->old_at ? (bytes - tail->old_at) / e->old_bytes : 0;
  if (s->pointed->old_type) {
    if (offset <= p->old_bytes) find(s, p->old_type, p->new_type, offset, 0);
    if (offset >= tail->old_at)
      find_in_elements(s, e->old_type, e->new_type, count, count, offset - tail->old_at,
                       tail->new_at);
  }
  if (s->found) return s->result;
  bool in_tail = offset >= tail->old_at;
  if (is_misread(s, in_tail ? e->old_type : p->old_type,
                 in_tail ? (offset - tail->old_at) % e->old_bytes : offset))
    return PROGRAM_MISREAD;
  if (offset < tail->old_at) return map_offset(s, p->old_type, p->new_type, offset);
  uint64_t index = (offset - tail->old_at) / e->old_bytes;
  int64_t inner = map_offset(s, e->old_type, e->new_type, (offset - tail->old_at) % e->old_bytes);
  return inner < 0 ? inner : tail->new_at + (int64_t)(index * e->new_bytes) + inner;
}

int64_t program_block_offset(struct programs *ps, const struct program *p, bool flexible,
                             uint64_t bytes, uint64_t offset, const struct pointed *pointed) {
  struct search s = new_search(ps, pointed);
  const struct op *tail = flexible ? tail_of(p) : NULL;
  if (offset == 0 && pointed->old_type == p->old_type && !pointed->retyped) return 0;
  if (tail) return tail_offset(&s, p, tail, bytes, offset);
  if (p->old_bytes == 0) return -1;
  if (flexible && offset >= p->old_bytes) return (int64_t)(offset - p->old_bytes + p->new_bytes);
  uint64_t count = bytes / p->old_bytes, index = offset / p->old_bytes;
  do
    if (pointed->old_type) find_in_elements(&s, p->old_type, p->new_type, count, count, offset, 0);
  while (decay(&s));
  if (s.found) return s.result;
  if (is_misread(&s, p->old_type, offset % p->old_bytes)) return PROGRAM_MISREAD;
  if (!p->changed) return (int64_t)offset;
  int64_t inner = map_offset(&s, p->old_type, p->new_type, offset % p->old_bytes);
  return inner < 0 ? inner : (int64_t)(index * p->new_bytes) + inner;
}
