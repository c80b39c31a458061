#include "die.h"

#include <dwarf.h>

const char *die_name(Dwarf_Die *die) {
  Dwarf_Attribute attribute;
  const char *name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_name, &attribute));
  return name ? name : "";
}

bool die_flag(Dwarf_Die *die, unsigned attribute) {
  Dwarf_Attribute a;
  bool set = false;
  return dwarf_formflag(dwarf_attr(die, attribute, &a), &set) == 0 && set;
}

uint64_t die_number(Dwarf_Die *die, unsigned attribute, uint64_t otherwise) {
  Dwarf_Attribute a;
  Dwarf_Word value;
  return dwarf_formudata(dwarf_attr(die, attribute, &a), &value) == 0 ? value : otherwise;
}

uint64_t die_bytes(Dwarf_Die *die) {
  Dwarf_Word bytes;
  return dwarf_aggregate_size(die, &bytes) == 0 ? bytes : 0;
}

bool die_type(Dwarf_Die *die, Dwarf_Die *type) {
  Dwarf_Attribute a;
  return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &a), type) != NULL;
}

Dwarf_Die die_origin(Dwarf_Die *die) {
  Dwarf_Die at = *die, next;
  Dwarf_Attribute a;
  while (dwarf_formref_die(dwarf_attr(&at, DW_AT_abstract_origin, &a), &next) ||
         dwarf_formref_die(dwarf_attr(&at, DW_AT_specification, &a), &next))
    at = next;
  return at;
}

bool die_strip(Dwarf_Die *type, Dwarf_Die *stripped) {
  Dwarf_Die at = *type;
  for (;;) {
    switch (dwarf_tag(&at)) {
    case DW_TAG_typedef:
    case DW_TAG_const_type:
    case DW_TAG_volatile_type:
    case DW_TAG_restrict_type:
    case DW_TAG_atomic_type:
      if (!die_type(&at, stripped)) return false;
      at = *stripped;
      break;
    default:
      *stripped = at;
      return true;
    }
  }
}

uint64_t member_bit_offset(Dwarf_Die *member) {
  Dwarf_Attribute a;
  if (dwarf_attr(member, DW_AT_data_bit_offset, &a))
    return die_number(member, DW_AT_data_bit_offset, 0);
  uint64_t bits = 8 * die_number(member, DW_AT_data_member_location, 0);
  if (!dwarf_attr(member, DW_AT_bit_offset, &a)) return bits;
  /* DWARF 3: counted from the most significant bit of a storage unit. */
  Dwarf_Die type;
  uint64_t unit = die_number(member, DW_AT_byte_size, 0);
  if (unit == 0 && die_type(member, &type)) unit = die_bytes(&type);
  return bits + 8 * unit - die_number(member, DW_AT_bit_offset, 0) -
         die_number(member, DW_AT_bit_size, 0);
}

uint64_t enumerator_value(Dwarf_Die *enumerator, bool *is_signed) {
  Dwarf_Attribute a;
  *is_signed = false;
  if (!dwarf_attr(enumerator, DW_AT_const_value, &a)) return 0;
  unsigned form = dwarf_whatform(&a);
  if (form == DW_FORM_sdata || form == DW_FORM_implicit_const) {
    Dwarf_Sword value = 0;
    dwarf_formsdata(&a, &value);
    *is_signed = true;
    return value;
  }
  Dwarf_Word value = 0;
  dwarf_formudata(&a, &value);
  return value;
}

bool array_dimension(Dwarf_Die *array, unsigned index, uint64_t *count) {
  Dwarf_Die child;
  if (count) *count = 0;
  for (int r = dwarf_child(array, &child); r == 0; r = dwarf_siblingof(&child, &child)) {
    if (dwarf_tag(&child) != DW_TAG_subrange_type) continue;
    if (index-- > 0) continue;
    Dwarf_Attribute a;
    if (!count) return true;
    if (dwarf_attr(&child, DW_AT_count, &a))
      *count = die_number(&child, DW_AT_count, 0);
    else if (dwarf_attr(&child, DW_AT_upper_bound, &a))
      *count = die_number(&child, DW_AT_upper_bound, -1) + 1;
    return true;
  }
  return false;
}
