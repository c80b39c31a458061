#include "place.h"

#include <dwarf.h>
#include <stdbool.h>

/* The address that an operation pushes. */
static bool pushed_address(Dwarf_Attribute *location, Dwarf_Op *op, uint64_t *address) {
  Dwarf_Attribute indirect;
  switch (op->atom) {
  case DW_OP_addr:
    *address = op->number;
    return true;
  case DW_OP_addrx:
  case DW_OP_GNU_addr_index:
    return dwarf_getlocation_attr(location, op, &indirect) == 0 &&
           dwarf_formaddr(&indirect, address) == 0;
  default:
    return false;
  }
}

/* What is computed from an address without looking at what lies there: no place, but a value. */
static bool is_value(const Dwarf_Op *ops, size_t count) {
  if (count == 0 || ops[count - 1].atom != DW_OP_stack_value) return false;
  for (size_t i = 0; i < count; i++)
    if (ops[i].atom == DW_OP_deref || ops[i].atom == DW_OP_deref_size || ops[i].atom == DW_OP_piece)
      return false;
  return true;
}

struct place place_of(Dwarf_Die *variable) {
  struct place place = {PLACE_NONE, 0};
  Dwarf_Attribute location;
  Dwarf_Op *ops;
  size_t count;
  if (!dwarf_attr(variable, DW_AT_location, &location) ||
      dwarf_getlocation(&location, &ops, &count) != 0 || is_value(ops, count))
    return place; /* none, or a list: then it is not fixed */
  bool fixed = false, split = false;
  for (size_t i = 0; i < count; i++) {
    if (ops[i].atom == DW_OP_form_tls_address || ops[i].atom == DW_OP_GNU_push_tls_address) {
      place.kind = PLACE_THREAD;
      place.address = i > 0 ? ops[i - 1].number : 0;
      return place;
    }
    uint64_t address;
    if (pushed_address(&location, &ops[i], &address)) {
      if (!fixed) place.address = address;
      split |= fixed;
      fixed = true;
    } else if (ops[i].atom == DW_OP_plus_uconst && fixed && !split) {
      place.address += ops[i].number;
    } else {
      split = true;
    }
  }
  if (fixed) place.kind = split ? PLACE_SPLIT : PLACE_MEMORY;
  return place;
}
