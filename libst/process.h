/* What libst knows of the process that it runs in. */
#ifndef LIBST_PROCESS_H
#define LIBST_PROCESS_H

#include "libst/elf_file.h"
#include "libst/image.h"
#include "libst/meta.h"

struct process {
  struct st_meta *meta; /* NULL until st_init() */
  struct elf_file exe;
  struct images images;
  int heap; /* memfd of the state heap, -1 before import in a new version */
  int pagemap;
};

extern struct process st_process;

#endif
