/* Reading DWARF entries (DIEs): small questions with one answer each. */
#ifndef INSTRUMENT_DIE_H
#define INSTRUMENT_DIE_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

/** Name, also of an instance's origin; "" when it has none. */
const char *die_name(Dwarf_Die *die);
bool die_flag(Dwarf_Die *die, unsigned attribute);
/** An attribute's number, or `otherwise`. */
uint64_t die_number(Dwarf_Die *die, unsigned attribute, uint64_t otherwise);
/** Size of a type: its own byte size, or that of the type that an enum is based on. */
uint64_t die_bytes(Dwarf_Die *die);

/** The type of a variable, member, parameter, pointer ... (DW_AT_type, also of its origin).
 * @return false when it has none: void. */
bool die_type(Dwarf_Die *die, Dwarf_Die *type);
/** What an instance is an instance of, or a definition the definition of, to the end; itself when
 * it is neither. */
Dwarf_Die die_origin(Dwarf_Die *die);
/** A type without its qualifiers and typedefs.
 * @return false when nothing is left: void. */
bool die_strip(Dwarf_Die *type, Dwarf_Die *stripped);

/** Where a member begins, in bits from the start of its struct (least significant bit first). */
uint64_t member_bit_offset(Dwarf_Die *member);
/** Value of an enumerator; a negative one comes as two's complement with `is_signed` true. */
uint64_t enumerator_value(Dwarf_Die *enumerator, bool *is_signed);
/** Number of elements in dimension `index` of an array; 0 when it is not fixed.
 * @param count  may be NULL
 * @return false when it has fewer dimensions. */
bool array_dimension(Dwarf_Die *array, unsigned index, uint64_t *count);

#endif
