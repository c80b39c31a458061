#include "libst/keep.h"

#include <bpf/btf.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libst/descriptor.h"
#include "libst/header.h"
#include "libst/mapping.h"
#include "libst/process.h"
#include "libst/report.h"
#include "libst/st.h"
#include "libst/transfer.h"

static struct {
  int fd; /* hidden; -1: nothing is kept */
  struct kept *head;
  bool exported;
  unsigned mappings; /* their changes before the last export */
} keep = {.fd = -1};

void keep_whole(bool whole) {
  if (keep.head) keep.head->whole = whole;
}

static bool is_zero(const uint64_t *page) {
  for (size_t i = 0; i < IMAGE_PAGE / sizeof(*page); i++)
    if (page[i]) return false;
  return true;
}

/* Pages that were never used take no memory there, either. */
static int copy_pages(const struct image *image, int fd) {
  for (size_t at = 0; at < image->data_bytes; at += IMAGE_PAGE) {
    const void *page = (const void *)(image->data + at);
    if (is_zero(page)) continue;
    ssize_t done = pwrite(fd, page, IMAGE_PAGE, (off_t)(image->offset + at));
    if (done != (ssize_t)IMAGE_PAGE) return done < 0 ? -errno : -EIO;
  }
  return 0;
}

/* Nothing of the program runs between the copy and the mapping. */
static int move_image(const struct image *image, int fd) {
  if (!image->data_bytes) return 0;
  int err = copy_pages(image, fd);
  if (err) return err;
  void *p = mmap((void *)image->data, image->data_bytes, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_FIXED, fd, (off_t)image->offset);
  return p == MAP_FAILED ? -errno : 0;
}

static int move_all(int fd) {
  const struct images *im = &st_process.images;
  if (ftruncate(fd, (off_t)im->snapshot_bytes) < 0) return -errno;
  void *head = mmap(NULL, IMAGE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (head == MAP_FAILED) return -errno;
  keep.head = head;
  *keep.head = (struct kept){.magic = KEPT_MAGIC, .whole = st_process.heap >= 0};
  int err = 0;
  for (unsigned i = 0; !err && i < im->count; i++)
    err = move_image(&im->image[i], fd);
  return err;
}

int st_keep(void) {
  if (!st_process.meta || keep.fd >= 0) return -EINVAL;
  int fd = memfd_create("state-data", MFD_CLOEXEC);
  if (fd < 0) return -errno;
  keep.fd = descriptor_hide(fd);
  return move_all(keep.fd);
}

bool st_keep_due(void) {
  return keep.fd >= 0 && (!keep.exported || keep.mappings != mapping_changes);
}

int st_keep_export(int channel) {
  if (keep.fd < 0 || st_process.heap < 0) {
    close(channel);
    return -EINVAL;
  }
  int err = header_send_prelude(channel, keep.fd, st_process.images.snapshot_bytes, true);
  if (!err) err = header_send(channel, NULL, 0);
  close(channel);
  keep.exported = true;
  keep.mappings = mapping_changes;
  return err;
}

/* ---- new version ---- */

int keep_check(struct transfer *t) {
  const struct kept *head = (const struct kept *)t->snapshot;
  const char *wrong = NULL;
  if (t->snapshot_bytes < IMAGE_PAGE || head->magic != KEPT_MAGIC)
    wrong = "its first page is of another kind";
  else if (!head->whole)
    wrong = "a part of the heap had not been written back since the last update";
  else
    wrong = arena_recover(btf__type_cnt(t->plan->old->btf));
  if (!wrong) return 0;
  report_violation(t->report, "the state that the process has left cannot be used: %s", wrong);
  return -EINVAL;
}

void keep_complete(struct transfer *t) {
  images_copy_apply(&t->old, (unsigned char *)(uintptr_t)t->snapshot);
}
