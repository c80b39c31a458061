/* A map from offsets and addresses, which are never 0, to numbers. */
#ifndef INSTRUMENT_TYPEMAP_H
#define INSTRUMENT_TYPEMAP_H

#include <stddef.h>
#include <stdint.h>

struct typemap {
  struct typemap_entry {
    uint64_t key;
    uint32_t value;
  } * entries;
  size_t count, capacity;
};

/** Number of `key`; 0 when it has none. */
uint32_t typemap_get(const struct typemap *map, uint64_t key);
/** Place of the number of `key` (not 0), which is 0 when it had none; valid until the next call. */
uint32_t *typemap_slot(struct typemap *map, uint64_t key);
void typemap_clear(struct typemap *map);

#endif
