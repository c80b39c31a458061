/* Pointers that the program gives to free() and that are no heap's. The C library would end the
 * program too, but could not say what they are. */
#include <stdio.h>
#include <stdlib.h>

#include "libst/heap.h"
#include "libst/process.h"

/* Most of what comes here is memory of the C library's heap, which some library allocated. */
static const char *kind_of(uintptr_t at, char *out, size_t cap) {
  const struct image *exe = &st_process.images.image[0];
  uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  if (at - here < 1 << 16) return "on the stack";
  if (at - exe->start >= exe->end - exe->start) return NULL;
  const struct st_variable *v = st_meta_variable_at(st_process.meta, at - exe->base);
  if (!v) return "part of the executable";
  snprintf(out, cap, "byte %lu of variable `%s`", (unsigned long)(at - exe->base - v->address),
           st_meta_string(st_process.meta, v->name));
  return out;
}

void heap_check_foreign(const void *p, uintptr_t caller) {
  char text[160];
  const char *kind = kind_of((uintptr_t)p, text, sizeof(text));
  if (!kind) return;
  const struct image *image = images_at(&st_process.images, caller);
  const struct st_function *f = image == &st_process.images.image[0]
                                    ? st_meta_function_at(st_process.meta, caller - image->base)
                                    : NULL;
  fprintf(stderr, "libst: %s frees %p, which is no block of the heap but %s\n",
          f       ? st_meta_string(st_process.meta, f->name)
          : image ? image->name
                  : "a library",
          p, kind);
  abort();
}
