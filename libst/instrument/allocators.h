/* The functions that allocate: those of libc, and the program's wrappers around them. */
#ifndef INSTRUMENT_ALLOCATORS_H
#define INSTRUMENT_ALLOCATORS_H

#include "array.h"

#include <stdbool.h>
#include <stdint.h>

enum { ANY_UNIT = -1, MAX_ARGUMENTS = 32 };

struct allocator {
  const char *name;
  int unit;          /* that it is static in, or ANY_UNIT */
  uint32_t roots;    /* bit set: which of libc's allocators it ends in */
  uint32_t sizes;    /* bit set: which arguments give the size */
  bool string;       /* makes a string, whatever its destination */
  bool by_reference; /* gives the block through its first argument */
  bool distrusted;   /* blocks of its own look like those that it hands on */
};

struct allocators {
  ARRAY(struct allocator) items;
};

/** The allocators of libc. */
struct allocators *allocators_new(void);
void allocators_free(struct allocators *allocators);

/** @return the allocator of that name that a unit sees, or NULL. A static function hides others. */
const struct allocator *allocators_find(const struct allocators *allocators, const char *name,
                                        int unit, bool is_static);
/** Adds a wrapper, or roots to one that is there. @return true when that was news. */
bool allocators_add(struct allocators *allocators, const char *name, int unit, uint32_t roots);
/** Marks a wrapper as distrusted, and asks whether one of that name is. */
void allocators_distrust(struct allocators *allocators, const struct allocator *wrapper);
bool allocators_distrusted(const struct allocators *allocators, const char *name);
/** True for functions of libc. */
bool allocator_is_root(const struct allocator *allocator);

#endif
