/* For functions that take the place of the C library's: what they look like from outside, and who
 * called them. */
#ifndef LIBST_OVERRIDE_H
#define LIBST_OVERRIDE_H

#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))
#define CALLER ((uintptr_t)__builtin_return_address(0))
#define FRAME  ((void *const *)__builtin_frame_address(0))

#endif
