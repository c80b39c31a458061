/* What is loaded in this process: the executable, its state libraries, and the other libraries. */
#ifndef LIBST_IMAGE_H
#define LIBST_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libst/elf_file.h"

enum { IMAGE_SEGMENTS = 8 };
#define IMAGE_PAGE 4096ul

struct image_segment {
  uintptr_t address;
  size_t bytes;
  uint64_t offset; /* in a snapshot */
};

struct image {
  char name[64]; /* soname; "" is the executable */
  uint8_t build_id[20];
  uintptr_t base;       /* run-time minus link-time address */
  uintptr_t start, end; /* run-time addresses */
  bool state;           /* its writable data is state */
  unsigned segment_count;
  struct image_segment segments[IMAGE_SEGMENTS]; /* .data, .bss and the like, if state */
  uintptr_t data; /* the pages that they lie in, which a snapshot holds at `offset` */
  size_t data_bytes;
  uint64_t offset;
};

/* A variable of a library that lives in the executable, because the linker chose a copy relocation
 * for it. The library itself uses the copy. */
struct image_copy {
  uintptr_t address; /* in the executable */
  size_t bytes;
  unsigned image;   /* the library that defines it */
  uint64_t defined; /* its link-time address there */
};

/** The images of this process; [0] is the executable. */
struct images {
  unsigned count;
  struct image *image;
  unsigned copy_count;
  struct image_copy *copies;
  size_t snapshot_bytes; /* its first page is none of the state */
};

struct st_meta;

/** Lists what is loaded. `meta` names the state libraries.
 * @return 0, or a negative errno (printed with the library's name) */
int images_scan(struct images *images, const struct elf_file *exe, const struct st_meta *meta);
/** The image that contains a run-time address, or NULL. */
const struct image *images_at(const struct images *images, uintptr_t address);
const struct image *images_named(const struct images *images, const char *name);
/** Completes a snapshot: a library's variable that lives in the executable counts as the library's,
 * so its value goes to where the library's own, unused one lies. */
void images_copy_apply(const struct images *images, unsigned char *snapshot);
/** Where in a snapshot the `bytes` bytes at a run-time address lie.
 * @return the offset; 0: they are no part of one segment */
uint64_t images_offset(const struct images *images, uintptr_t address, size_t bytes);
void images_free(struct images *images);

#endif
