/* Where a place in an old object lies in the new one. */
#include "libst/meta.h"
#include "libst/program.h"
#include "libst/type.h"

static int64_t map_offset(struct programs *ps, uint32_t old_type, uint32_t new_type,
                          uint64_t offset, uint32_t pointee, bool *exact);

/* An element keeps its index; so does the end of the array. */
static int64_t map_element(struct programs *ps, const struct btf_type *o, const struct btf_type *n,
                           uint64_t offset, uint32_t pointee, bool *exact) {
  const struct st_meta *old = programs_old(ps), *new = programs_target(ps);
  uint64_t size = type_bytes(old, btf_array(o)->type);
  uint64_t new_size = type_bytes(new, btf_array(n)->type);
  uint64_t index = size ? offset / size : 0;
  if (size == 0) return -1;
  if (index == btf_array(o)->nelems && offset % size == 0 && index <= btf_array(n)->nelems) {
    *exact = pointee == 0 || pointee == type_strip(old, btf_array(o)->type);
    return (int64_t)(index * new_size);
  }
  if (index >= btf_array(n)->nelems) return -1;
  int64_t inner =
      map_offset(ps, btf_array(o)->type, btf_array(n)->type, offset % size, pointee, exact);
  return inner < 0 ? inner : inner + (int64_t)(index * new_size);
}

static int64_t map_member(struct programs *ps, const struct btf_type *o, const struct btf_type *n,
                          unsigned i, uint64_t offset, uint32_t pointee, bool *exact) {
  const struct st_meta *old = programs_old(ps), *new = programs_target(ps);
  struct type_member m = type_member(old, o, i);
  int k = type_member_counterpart(new, n, old, o, i);
  if (k < 0) return -1;
  struct type_member nm = type_member(new, n, (unsigned)k);
  int64_t inner = map_offset(ps, m.type, nm.type, offset - m.bit / 8, pointee, exact);
  return inner < 0 ? inner : inner + nm.bit / 8;
}

/* The member that contains the offset, or the array member that ends there, as the pointer's type
 * tells. */
static int64_t map_in_struct(struct programs *ps, const struct btf_type *o,
                             const struct btf_type *n, uint64_t offset, uint32_t pointee,
                             bool *exact) {
  const struct st_meta *old = programs_old(ps);
  int64_t found = -1;
  for (unsigned i = 0; i < type_members(o) && found < 0; i++) {
    struct type_member m = type_member(old, o, i);
    uint64_t at = m.bit / 8, bytes = type_bytes(old, m.type);
    if (m.bits || offset < at || offset >= at + (bytes ? bytes : 1)) continue;
    found = map_member(ps, o, n, i, offset, pointee, exact);
  }
  for (unsigned i = 0; i < type_members(o) && pointee; i++) {
    struct type_member m = type_member(old, o, i);
    bool is_end = false;
    if (m.bits || offset != m.bit / 8 + type_bytes(old, m.type) ||
        !btf_is_array(type_of(old, m.type)))
      continue;
    int64_t end = map_member(ps, o, n, i, offset, pointee, &is_end);
    if (!is_end) continue;
    if (*exact && end != found) return PROGRAM_AMBIGUOUS;
    *exact = true;
    found = end;
  }
  return found;
}

static int64_t map_offset(struct programs *ps, uint32_t old_type, uint32_t new_type,
                          uint64_t offset, uint32_t pointee, bool *exact) {
  const struct st_meta *old = programs_old(ps), *new = programs_target(ps);
  old_type = type_strip(old, old_type);
  new_type = type_strip(new, new_type);
  const struct btf_type *o = type_of(old, old_type), *n = type_of(new, new_type);
  *exact = offset == 0 && (pointee == 0 || pointee == old_type);
  if (*exact) return 0;
  int64_t inner = -1;
  if (btf_kind(o) != btf_kind(n)) return offset == 0 ? 0 : -1;
  if (btf_is_struct(o))
    inner = map_in_struct(ps, o, n, offset, pointee, exact);
  else if (btf_is_array(o))
    inner = map_element(ps, o, n, offset, pointee, exact);
  else if (offset < type_bytes(new, new_type))
    inner = (int64_t)offset;
  /* At the start of an object whose first member the pointer does not name, it means the object. */
  return offset == 0 && !*exact ? 0 : inner;
}

int64_t program_offset(struct programs *ps, const struct program *p, uint64_t offset,
                       uint32_t pointee) {
  bool exact;
  if (!p->changed) return (int64_t)offset;
  if (offset == 0 && (pointee == 0 || pointee == p->old_type)) return 0;
  int64_t at = map_offset(ps, p->old_type, p->new_type, offset, pointee, &exact);
  return at == -1 && offset == p->old_bytes ? p->new_bytes : at;
}
