#include "layout.h"
#include "array.h"
#include "die.h"
#include "typemap.h"

#include <bpf/btf.h>
#include <dwarf.h>
#include <string.h>

struct layout {
  const struct btf *btf;
  struct typemap seen; /* DIE -> id it was compared with */
  ARRAY(struct pair {
    Dwarf_Die die;
    uint32_t id;
  })
  queue;
};

static void differ(Dwarf_Die *die, const char *what) __attribute__((noreturn));

static void differ(Dwarf_Die *die, const char *what) {
  fail("type '%s' (DIE 0x%lx): %s differs between DWARF and the metadata: not written",
       die_name(die), (unsigned long)dwarf_dieoffset(die), what);
}

static void later(struct layout *l, Dwarf_Die *owner, uint32_t id) {
  Dwarf_Die target;
  if (!die_type(owner, &target) || dwarf_tag(&target) == DW_TAG_unspecified_type) {
    if (id != 0) differ(owner, "its target");
    return;
  }
  struct pair *p = array_add(&l->queue);
  p->die = target;
  p->id = id;
}

static bool same_name(const struct layout *l, Dwarf_Die *die, uint32_t name) {
  const char *stored = btf__name_by_offset(l->btf, name);
  return stored && strcmp(die_name(die), stored) == 0;
}

static void compare_members(struct layout *l, Dwarf_Die *die, const struct btf_type *t) {
  unsigned i = 0;
  Dwarf_Die child;
  for (int r = dwarf_child(die, &child); r == 0; r = dwarf_siblingof(&child, &child)) {
    if (dwarf_tag(&child) != DW_TAG_member) continue;
    if (i == btf_vlen(t)) differ(die, "the number of members");
    const struct btf_member *m = &btf_members(t)[i];
    bool is_union = dwarf_tag(die) == DW_TAG_union_type;
    if (!same_name(l, &child, m->name_off)) differ(die, "the name of a member");
    if (btf_member_bit_offset(t, i) != (is_union ? 0 : member_bit_offset(&child)) ||
        btf_member_bitfield_size(t, i) != die_number(&child, DW_AT_bit_size, 0))
      differ(die, die_name(&child));
    later(l, &child, m->type);
    i++;
  }
  if (i != btf_vlen(t)) differ(die, "the number of members");
}

static void compare_enumerators(struct layout *l, Dwarf_Die *die, const struct btf_type *t) {
  unsigned i = 0;
  Dwarf_Die child;
  for (int r = dwarf_child(die, &child); r == 0; r = dwarf_siblingof(&child, &child)) {
    if (dwarf_tag(&child) != DW_TAG_enumerator) continue;
    bool is_signed, wide = btf_is_enum64(t);
    uint64_t value = enumerator_value(&child, &is_signed), stored;
    if (i == btf_vlen(t)) differ(die, "the number of enumerators");
    if (wide)
      stored = btf_enum64_value(&btf_enum64(t)[i]);
    else
      stored = btf_kflag(t) ? (uint64_t)(int64_t)btf_enum(t)[i].val : (uint32_t)btf_enum(t)[i].val;
    if (!same_name(l, &child, wide ? btf_enum64(t)[i].name_off : btf_enum(t)[i].name_off) ||
        stored != value)
      differ(die, die_name(&child));
    i++;
  }
  if (i != btf_vlen(t)) differ(die, "the number of enumerators");
}

static void compare_array(struct layout *l, Dwarf_Die *die, uint32_t id) {
  uint64_t count;
  unsigned dimension = 0;
  do {
    const struct btf_type *t = btf__type_by_id(l->btf, id);
    array_dimension(die, dimension, &count);
    if (!t || !btf_is_array(t) || btf_array(t)->nelems != count) differ(die, "an array");
    id = btf_array(t)->type;
  } while (array_dimension(die, ++dimension, NULL));
  later(l, die, id);
}

static void compare_parameters(struct layout *l, Dwarf_Die *die, const struct btf_type *t) {
  unsigned i = 0;
  Dwarf_Die child;
  later(l, die, t->type);
  for (int r = dwarf_child(die, &child); r == 0; r = dwarf_siblingof(&child, &child)) {
    if (i == btf_vlen(t)) differ(die, "the number of parameters");
    if (dwarf_tag(&child) == DW_TAG_formal_parameter) later(l, &child, btf_params(t)[i].type);
    i++;
  }
  if (i != btf_vlen(t)) differ(die, "the number of parameters");
}

static unsigned kind_for(Dwarf_Die *die, const struct btf_type *t) {
  bool opaque = die_flag(die, DW_AT_declaration);
  switch (dwarf_tag(die)) {
  case DW_TAG_pointer_type:
    return BTF_KIND_PTR;
  case DW_TAG_const_type:
    return BTF_KIND_CONST;
  case DW_TAG_atomic_type:
  case DW_TAG_volatile_type:
    return BTF_KIND_VOLATILE;
  case DW_TAG_restrict_type:
    return BTF_KIND_RESTRICT;
  case DW_TAG_typedef:
    return BTF_KIND_TYPEDEF;
  case DW_TAG_array_type:
    return BTF_KIND_ARRAY;
  case DW_TAG_subroutine_type:
    return BTF_KIND_FUNC_PROTO;
  /* What is opaque here may have been merged with its definition in another file. */
  case DW_TAG_structure_type:
    return opaque && btf_is_fwd(t) ? BTF_KIND_FWD : BTF_KIND_STRUCT;
  case DW_TAG_union_type:
    return opaque && btf_is_fwd(t) ? BTF_KIND_FWD : BTF_KIND_UNION;
  case DW_TAG_enumeration_type:
    return opaque || btf_is_enum64(t) ? btf_kind(t) : BTF_KIND_ENUM;
  default:
    return btf_kind(t);
  }
}

static bool sized(const struct btf_type *t) {
  return btf_is_int(t) || btf_is_float(t) || btf_is_composite(t) || btf_is_any_enum(t);
}

static void compare_one(struct layout *l, Dwarf_Die *die, uint32_t id) {
  const struct btf_type *t = btf__type_by_id(l->btf, id);
  if (!t || btf_kind(t) != kind_for(die, t)) differ(die, "its kind");
  if (btf_is_array(t)) {
    if (dwarf_tag(die) == DW_TAG_array_type) compare_array(l, die, id);
    return;
  }
  if (!same_name(l, die, t->name_off)) differ(die, "its name");
  if (die_flag(die, DW_AT_declaration)) return;
  if (sized(t) && t->size != die_bytes(die)) differ(die, "its size");
  if (btf_is_composite(t))
    compare_members(l, die, t);
  else if (btf_is_any_enum(t))
    compare_enumerators(l, die, t);
  else if (btf_is_func_proto(t))
    compare_parameters(l, die, t);
  else if (!btf_is_int(t) && !btf_is_float(t))
    later(l, die, t->type);
}

struct layout *layout_new(const struct btf *btf) {
  struct layout *l = calloc(1, sizeof *l);
  if (!l) fail("out of memory");
  l->btf = btf;
  return l;
}

void layout_free(struct layout *layout) {
  typemap_clear(&layout->seen);
  free(layout->queue.items);
  free(layout);
}

void layout_compare(struct layout *layout, Dwarf_Die *die, uint32_t id) {
  struct pair *first = array_add(&layout->queue);
  first->die = *die;
  first->id = id;
  while (layout->queue.count > 0) {
    struct pair p = layout->queue.items[--layout->queue.count];
    uint32_t *seen = typemap_slot(&layout->seen, dwarf_dieoffset(&p.die));
    if (*seen == p.id) continue;
    *seen = p.id;
    compare_one(layout, &p.die, p.id);
  }
}
