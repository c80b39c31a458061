#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libst/arena.h"
#include "libst/descriptor.h"
#include "libst/heap.h"
#include "libst/mapping.h"
#include "libst/process.h"
#include "libst/site.h"
#include "libst/st.h"

struct process st_process = {.heap = -1, .pagemap = -1};

static int open_metadata(int exe_fd) {
  char error[256];
  struct process *p = &st_process;
  int err = elf_file_open(&p->exe, exe_fd);
  if (err) return err;
  p->meta = st_meta_open(exe_fd, error, sizeof(error));
  if (p->meta) return 0;
  fprintf(stderr, "libst: %s\n", error);
  return -ENODATA;
}

int st_init(int exe_fd, bool update) {
  struct process *p = &st_process;
  if (p->meta) return -EALREADY;
  if (!heap_is_first()) {
    fprintf(stderr, "libst: another malloc comes first; link libst before libc\n");
    return -ENOTSUP;
  }
  int err = open_metadata(exe_fd);
  if (!err) err = images_scan(&p->images, &p->exe, p->meta);
  if (!err) err = descriptors_init();
  if (!err) err = arena_reserve();
  if (err) return err;
  int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (pagemap >= 0) p->pagemap = descriptor_hide(pagemap);
  st_exclude_fd(exe_fd);
  if (update) return 0;
  int heap = arena_create();
  if (heap < 0) return heap;
  p->heap = descriptor_hide(heap);
  arena_start(true);
  sites_start(&p->images, p->meta);
  return 0;
}

const struct st_meta *st_self(void) {
  return st_process.meta;
}

uintptr_t st_image_base(void) {
  return st_process.images.count ? st_process.images.image[0].base : 0;
}

bool st_addressable(const void *p, size_t bytes) {
  uintptr_t at = (uintptr_t)p;
  struct block block;
  if (at + bytes < at) return false;
  if (arena_has(p))
    return arena_live() && arena_find(at, true, &block) && bytes <= block.bytes &&
           at - block.address <= block.bytes - bytes;
  if (mapping_has(at, bytes)) return true;
  for (unsigned i = 0; i < st_process.images.count; i++) {
    const struct image *image = &st_process.images.image[i];
    for (unsigned s = 0; s < image->segment_count; s++)
      if (at - image->segments[s].address < image->segments[s].bytes &&
          bytes <= image->segments[s].bytes - (at - image->segments[s].address))
        return true;
  }
  size_t left;
  return at >= st_image_base() && elf_at(&st_process.exe, at - st_image_base(), &left) &&
         bytes <= left;
}
