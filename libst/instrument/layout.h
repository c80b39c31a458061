/* Comparison of layouts: DWARF against BTF. */
#ifndef INSTRUMENT_LAYOUT_H
#define INSTRUMENT_LAYOUT_H

#include <elfutils/libdw.h>
#include <stdint.h>

struct btf;
struct layout;

struct layout *layout_new(const struct btf *btf);
void layout_free(struct layout *layout);
/** Compares a DWARF type with a BTF type: sizes, members, offsets, enumerators, elements, and what
 * pointers lead to. Ends the program with the path to a difference. */
void layout_compare(struct layout *layout, Dwarf_Die *die, uint32_t id);

#endif
