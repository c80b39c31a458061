/* Where DWARF says that a variable lies. */
#ifndef INSTRUMENT_PLACE_H
#define INSTRUMENT_PLACE_H

#include <elfutils/libdw.h>
#include <stdint.h>

enum place_kind {
  PLACE_NONE,   /* nowhere, on the stack or in registers, or a value without a place */
  PLACE_MEMORY, /* whole, at a fixed address */
  PLACE_THREAD, /* thread-local; the address is its offset */
  PLACE_SPLIT,  /* in several pieces, or kept in another form */
};

struct place {
  enum place_kind kind;
  uint64_t address;
};

struct place place_of(Dwarf_Die *variable);

#endif
