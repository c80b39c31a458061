/* The old version's side of a transfer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libst/arena.h"
#include "libst/descriptor.h"
#include "libst/fault.h"
#include "libst/header.h"
#include "libst/process.h"
#include "libst/st.h"
#include "libst/stream.h"

static struct {
  int channel;
  unsigned char *snapshot; /* the memfd, mapped */
  size_t snapshot_bytes;
} export = {.channel = -1};

void st_export_cancel(void) {
  if (export.snapshot) munmap(export.snapshot, export.snapshot_bytes);
  descriptor_close(export.channel);
  export.snapshot = NULL;
  export.channel = -1;
}

void st_export_describe(char *text, size_t cap) {
  size_t heap = (size_t)(ARENA->top - ARENA_FIRST) * ARENA_PAGE;
  snprintf(text, cap, "%zu KB of variables and at most %zu KB of heap",
           (export.snapshot_bytes + 1023) / 1024, heap / 1024);
}

static int finish_writeback(void) {
  int more;
  do
    more = st_writeback_slice(1000000);
  while (more > 0);
  return more;
}

int st_export_prepare(int channel) {
  st_export_cancel();
  export.channel = descriptor_hide(channel);
  int err = st_process.heap < 0 ? -EINVAL : finish_writeback();
  if (!err) err = st_fault("export.prepare", ENOMEM);
  if (!err) err = descriptors_prepare();
  if (err) goto fail;
  export.snapshot_bytes = st_process.images.snapshot_bytes;
  int fd = memfd_create("state-snapshot", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, (off_t) export.snapshot_bytes) < 0) {
    err = -errno;
    if (fd >= 0) close(fd);
    goto fail;
  }
  void *map =
      mmap(NULL, export.snapshot_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (map == MAP_FAILED)
    err = -errno;
  else
    export.snapshot = map;
  if (!err) err = st_fault("export.prelude", EPIPE);
  if (!err) err = header_send_prelude(export.channel, fd, export.snapshot_bytes, false);
  close(fd);
  if (!err) return 0;
fail:
  st_export_cancel();
  return err;
}

/* The writable data of all images. */
static void copy_segments(void) {
  const struct images *im = &st_process.images;
  for (unsigned i = 0; i < im->count; i++)
    for (unsigned s = 0; s < im->image[i].segment_count; s++) {
      const struct image_segment *seg = &im->image[i].segments[s];
      memcpy(export.snapshot + seg->offset, (const void *)seg->address, seg->bytes);
    }
}

static int send_descriptors(const struct descriptor *list, size_t count) {
  int err = 0;
  for (size_t at = 0; !err && at < count; at += STREAM_BATCH) {
    size_t batch = count - at < STREAM_BATCH ? count - at : STREAM_BATCH;
    int fds[STREAM_BATCH];
    for (size_t i = 0; i < batch; i++)
      fds[i] = list[at + i].number;
    unsigned char number = (unsigned char)(at / STREAM_BATCH);
    err = st_fault("export.descriptors", ETOOMANYREFS);
    if (!err) err = stream_send(export.channel, &number, 1, fds, batch);
  }
  return err;
}

int st_export(void) {
  if (!export.snapshot) return -EINVAL;
  arena_settle();
  struct descriptor *list;
  int count = st_fault("export.list", ENOMEM);
  if (!count) count = descriptors_list(&list);
  if (count < 0) return count;
  copy_segments();
  images_copy_apply(&st_process.images, export.snapshot);
  int err = st_fault("export.header", ENOMEM);
  if (!err) err = header_send(export.channel, list, (size_t)count);
  if (!err) err = send_descriptors(list, (size_t)count);
  free(list);
  return err;
}
