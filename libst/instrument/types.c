#include "types.h"
#include "array.h"
#include "die.h"
#include "layout.h"
#include "typemap.h"

#include <bpf/btf.h>
#include <dwarf.h>
#include <limits.h>
#include <string.h>

/* Limits of BTF's encoding, beyond which it wraps. */
enum { MAX_MEMBERS = 65535, MAX_BITFIELD_OFFSET_BITS = 0xffffff };

/* What is still to be emitted: a DIE, and for arrays of several dimensions which of them. */
struct pending {
  Dwarf_Die die;
  unsigned dimension;
};

struct reference {
  Dwarf_Die die;
  uint32_t id;
};

struct offer {
  Dwarf_Die die;
  const char *name;
};

struct types {
  struct btf *btf;
  struct typemap ids;   /* DIE -> BTF id */
  struct typemap refs;  /* DIE -> type_ref */
  uint32_t array_index; /* BTF id of the index type of arrays */
  uint32_t next;        /* next id to give out */
  ARRAY(struct pending) queue;
  ARRAY(struct reference) references;
  ARRAY(struct offer) offers;
};

static uint32_t enqueue(struct types *t, Dwarf_Die *die, unsigned dimension) {
  struct pending *p = array_add(&t->queue);
  p->die = *die;
  p->dimension = dimension;
  return t->next++;
}

/* The id that a DIE has or will have. */
static uint32_t id_of(struct types *t, Dwarf_Die *die) {
  if (dwarf_tag(die) == DW_TAG_unspecified_type) return 0;
  uint32_t *id = typemap_slot(&t->ids, dwarf_dieoffset(die));
  if (*id == 0) *id = enqueue(t, die, 0);
  return *id;
}

static uint32_t target_id(struct types *t, Dwarf_Die *die) {
  Dwarf_Die target;
  return die_type(die, &target) ? id_of(t, &target) : 0;
}

/* libbpf's answer for what was just added must be the id promised to those that refer to it. */
static void added(int id, uint32_t promised, Dwarf_Die *die) {
  if (id < 0) fail("type '%s': cannot be expressed in BTF: %s", die_name(die), strerror(-id));
  if ((uint32_t)id != promised) fail("type '%s': lost its number", die_name(die));
}

static void emit_base(struct types *t, uint32_t id, Dwarf_Die *die) {
  uint64_t encoding = die_number(die, DW_AT_encoding, 0), bytes = die_bytes(die);
  const char *name = die_name(die);
  switch (encoding) {
  case DW_ATE_float:
  case DW_ATE_decimal_float:
    added(btf__add_float(t->btf, name, bytes), id, die);
    break;
  case DW_ATE_complex_float: {
    /* BTF has none: two of its half. */
    uint32_t half = t->next++;
    struct pending *p = array_add(&t->queue);
    p->die = *die;
    p->dimension = 1;
    added(btf__add_array(t->btf, t->array_index, half, 2), id, die);
    break;
  }
  case DW_ATE_boolean:
    added(btf__add_int(t->btf, name, bytes, BTF_INT_BOOL), id, die);
    break;
  case DW_ATE_signed:
  case DW_ATE_signed_char:
    added(btf__add_int(t->btf, name, bytes, BTF_INT_SIGNED), id, die);
    break;
  default:
    added(btf__add_int(t->btf, name, bytes, 0), id, die);
    break;
  }
}

static void emit_members(struct types *t, Dwarf_Die *die, bool is_union) {
  unsigned count = 0;
  bool bitfields = false;
  uint64_t furthest = 0;
  Dwarf_Die child;
  for (int r = dwarf_child(die, &child); r == 0; r = dwarf_siblingof(&child, &child)) {
    if (dwarf_tag(&child) != DW_TAG_member) continue;
    uint64_t offset = is_union ? 0 : member_bit_offset(&child);
    uint64_t bits = die_number(&child, DW_AT_bit_size, 0);
    if (++count > MAX_MEMBERS)
      fail("type '%s': has more than %u members, which BTF cannot express", die_name(die),
           MAX_MEMBERS);
    bitfields |= bits > 0;
    if (offset > furthest) furthest = offset;
    if (offset > UINT32_MAX || (bitfields && furthest > MAX_BITFIELD_OFFSET_BITS))
      fail("type '%s': member '%s' lies beyond what BTF can express%s", die_name(die),
           die_name(&child), bitfields ? " (2 MiB in a type with bit-fields)" : "");
    int r2 = btf__add_field(t->btf, die_name(&child), target_id(t, &child), offset, bits);
    if (r2 < 0)
      fail("type '%s': member '%s' cannot be expressed in BTF: %s", die_name(die), die_name(&child),
           strerror(-r2));
  }
}

/* Deduplication puts the definition in the place of the declaration where they are sure to belong
 * together. */
static void take_offers(struct types *t, Dwarf_Die *declaration) {
  const char *name = die_name(declaration);
  for (size_t i = 0; i < t->offers.count; i++) {
    struct offer *o = &t->offers.items[i];
    if (dwarf_tag(&o->die) == dwarf_tag(declaration) && strcmp(o->name, name) == 0)
      types_refer(t, &o->die);
  }
}

static void emit_composite(struct types *t, uint32_t id, Dwarf_Die *die, bool is_union) {
  if (die_flag(die, DW_AT_declaration)) {
    take_offers(t, die);
    added(btf__add_fwd(t->btf, die_name(die), is_union ? BTF_FWD_UNION : BTF_FWD_STRUCT), id, die);
    return;
  }
  uint64_t bytes = die_number(die, DW_AT_byte_size, 0);
  if (bytes > UINT32_MAX) fail("type '%s': is larger than 4 GiB", die_name(die));
  added(is_union ? btf__add_union(t->btf, die_name(die), bytes)
                 : btf__add_struct(t->btf, die_name(die), bytes),
        id, die);
  emit_members(t, die, is_union);
}

static bool fits_32_bits(Dwarf_Die *die) {
  bool negative = false, above_int = false;
  Dwarf_Die child;
  for (int r = dwarf_child(die, &child); r == 0; r = dwarf_siblingof(&child, &child)) {
    bool is_signed;
    uint64_t value = enumerator_value(&child, &is_signed);
    if (is_signed && (int64_t)value < 0) {
      negative = true;
      if ((int64_t)value < INT_MIN) return false;
    } else if (value > INT_MAX) {
      above_int = true;
      if (value > UINT_MAX) return false;
    }
  }
  return !(negative && above_int);
}

static void emit_enum(struct types *t, uint32_t id, Dwarf_Die *die) {
  if (die_flag(die, DW_AT_declaration)) {
    added(btf__add_fwd(t->btf, die_name(die), BTF_FWD_STRUCT), id, die);
    return;
  }
  bool narrow = fits_32_bits(die), negative = false;
  Dwarf_Die child;
  for (int r = dwarf_child(die, &child); r == 0; r = dwarf_siblingof(&child, &child)) {
    bool is_signed;
    uint64_t value = enumerator_value(&child, &is_signed);
    negative |= is_signed && (int64_t)value < 0;
  }
  added(narrow ? btf__add_enum(t->btf, die_name(die), die_bytes(die))
               : btf__add_enum64(t->btf, die_name(die), die_bytes(die), negative),
        id, die);
  unsigned count = 0;
  for (int r = dwarf_child(die, &child); r == 0; r = dwarf_siblingof(&child, &child)) {
    bool is_signed;
    uint64_t value = enumerator_value(&child, &is_signed);
    if (++count > MAX_MEMBERS)
      fail("type '%s': has more than %u enumerators, which BTF cannot express", die_name(die),
           MAX_MEMBERS);
    int r2 = narrow ? btf__add_enum_value(t->btf, die_name(&child), (int64_t)value)
                    : btf__add_enum64_value(t->btf, die_name(&child), value);
    if (r2 < 0) fail("type '%s': %s: %s", die_name(die), die_name(&child), strerror(-r2));
  }
}

static void emit_array(struct types *t, uint32_t id, Dwarf_Die *die, unsigned dimension) {
  uint64_t count;
  bool last =
      !array_dimension(die, dimension, &count) || !array_dimension(die, dimension + 1, NULL);
  if (count > UINT32_MAX) fail("an array has more than 2^32 elements");
  uint32_t element = last ? target_id(t, die) : enqueue(t, die, dimension + 1);
  added(btf__add_array(t->btf, t->array_index, element, count), id, die);
}

static void emit_function_type(struct types *t, uint32_t id, Dwarf_Die *die) {
  added(btf__add_func_proto(t->btf, target_id(t, die)), id, die);
  Dwarf_Die child;
  for (int r = dwarf_child(die, &child); r == 0; r = dwarf_siblingof(&child, &child)) {
    int tag = dwarf_tag(&child);
    if (tag == DW_TAG_formal_parameter)
      btf__add_func_param(t->btf, die_name(&child), target_id(t, &child));
    else if (tag == DW_TAG_unspecified_parameters)
      btf__add_func_param(t->btf, "", 0);
  }
}

static void emit(struct types *t, uint32_t id, Dwarf_Die *die, unsigned dimension) {
  switch (dwarf_tag(die)) {
  case DW_TAG_base_type:
    if (dimension)
      added(btf__add_float(t->btf, "part", die_bytes(die) / 2), id, die);
    else
      emit_base(t, id, die);
    break;
  case DW_TAG_pointer_type:
    added(btf__add_ptr(t->btf, target_id(t, die)), id, die);
    break;
  case DW_TAG_const_type:
    added(btf__add_const(t->btf, target_id(t, die)), id, die);
    break;
  case DW_TAG_atomic_type: /* for BTF the same: a qualifier that does not change the layout */
  case DW_TAG_volatile_type:
    added(btf__add_volatile(t->btf, target_id(t, die)), id, die);
    break;
  case DW_TAG_restrict_type:
    added(btf__add_restrict(t->btf, target_id(t, die)), id, die);
    break;
  case DW_TAG_typedef:
    added(btf__add_typedef(t->btf, die_name(die), target_id(t, die)), id, die);
    break;
  case DW_TAG_structure_type:
    emit_composite(t, id, die, false);
    break;
  case DW_TAG_union_type:
    emit_composite(t, id, die, true);
    break;
  case DW_TAG_enumeration_type:
    emit_enum(t, id, die);
    break;
  case DW_TAG_array_type:
    emit_array(t, id, die, dimension);
    break;
  case DW_TAG_subroutine_type:
    emit_function_type(t, id, die);
    break;
  default:
    fail("type '%s': of a kind that is not C (DWARF tag 0x%x)", die_name(die), dwarf_tag(die));
  }
}

static void emit_all(struct types *t) {
  uint32_t id = t->next - t->queue.count;
  for (size_t i = 0; i < t->queue.count; i++) {
    struct pending p = t->queue.items[i];
    emit(t, id++, &p.die, p.dimension);
  }
  t->queue.count = 0;
}

struct types *types_new(void) {
  struct types *t = calloc(1, sizeof *t);
  if (!t || !(t->btf = btf__new_empty())) fail("out of memory");
  btf__set_pointer_size(t->btf, 8);
  t->array_index = btf__add_int(t->btf, "__ARRAY_SIZE_TYPE__", 8, 0);
  t->next = t->array_index + 1;
  return t;
}

void types_free(struct types *types) {
  btf__free(types->btf);
  typemap_clear(&types->ids);
  typemap_clear(&types->refs);
  free(types->queue.items);
  free(types->references.items);
  free(types->offers.items);
  free(types);
}

type_ref types_refer(struct types *types, Dwarf_Die *die) {
  if (!die) return 0;
  uint32_t id = id_of(types, die);
  if (id == 0) return 0;
  uint32_t *ref = typemap_slot(&types->refs, dwarf_dieoffset(die));
  if (*ref == 0) {
    struct reference *r = array_add(&types->references);
    r->die = *die;
    r->id = id;
    *ref = types->references.count;
  }
  return *ref;
}

void types_offer(struct types *types, Dwarf_Die *die) {
  struct offer *o = array_add(&types->offers);
  o->die = *die;
  o->name = die_name(die);
}

uint32_t types_number(const struct types *types, type_ref ref) {
  return ref ? types->references.items[ref - 1].id : 0;
}

/* Deduplication renumbers types but keeps the order of BTF variables, which it never merges: one
 * per reference, added last, tells the new numbers. */
static void deduplicate(struct types *t) {
  for (size_t i = 0; i < t->references.count; i++)
    if (btf__add_var(t->btf, "r", BTF_VAR_STATIC, t->references.items[i].id) < 0)
      fail("out of memory");
  int r = btf__dedup(t->btf, NULL);
  if (r < 0) fail("types cannot be merged: %s", strerror(-r));
  uint32_t first = btf__type_cnt(t->btf) - t->references.count;
  for (size_t i = 0; i < t->references.count; i++)
    t->references.items[i].id = btf__type_by_id(t->btf, first + i)->type;
}

const void *types_finish(struct types *types, uint32_t *bytes) {
  emit_all(types);
  deduplicate(types);
  /* The variables have done their service; they are the last records of the type section. */
  char *blob = (char *)btf__raw_data(types->btf, bytes);
  if (!blob) fail("out of memory");
  struct btf_header *header = (void *)blob;
  char *data = blob + header->hdr_len;
  size_t tail = types->references.count * (sizeof(struct btf_type) + sizeof(struct btf_var));
  header->type_len -= tail;
  memmove(data + header->type_off + header->type_len, data + header->str_off, header->str_len);
  header->str_off -= tail;
  *bytes -= tail;
  return blob;
}

void types_verify(const struct types *types, const void *blob, uint32_t bytes) {
  struct btf *btf = btf__new(blob, bytes);
  if (!btf) fail("the types cannot be read back");
  struct layout *check = layout_new(btf);
  for (size_t i = 0; i < types->references.count; i++) {
    struct reference r = types->references.items[i];
    layout_compare(check, &r.die, r.id);
  }
  layout_free(check);
  btf__free(btf);
}
