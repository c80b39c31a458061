#ifndef LIBST_POINTER_H
#define LIBST_POINTER_H

#include <stdbool.h>
#include <stdint.h>

/** Is this what a pointer to freed memory became in an earlier transfer? Using it traps. */
bool pointer_traps(uint64_t value);

#endif
