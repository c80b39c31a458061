#include "libst/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libst/arena.h"
#include "libst/descriptor.h"
#include "libst/mapping.h"
#include "libst/process.h"
#include "libst/report.h"
#include "libst/stream.h"
#include "libst/transfer.h"
#include "state.pb-c.h"

static struct {
  int channel; /* holds the parked descriptors until commit */
  struct descriptor *parked;
  size_t parked_count;
} reader = {.channel = -1};

/* ---- before the old version is quiescent ---- */

/* Memory that ends early would be a bus error later. */
static bool holds(int fd, uint64_t bytes) {
  struct stat st;
  return fstat(fd, &st) == 0 && st.st_size >= 0 && (uint64_t)st.st_size >= bytes;
}

int reader_begin(struct transfer *t, int channel) {
  reader.channel = descriptor_hide(channel);
  uint8_t packet[256];
  int fds[2];
  size_t count = 2;
  ssize_t bytes = stream_receive(reader.channel, packet, sizeof(packet), fds, &count);
  if (bytes < 0) return (int)bytes;
  Proteos__StatePrelude *p = proteos__state_prelude__unpack(NULL, (size_t)bytes, packet);
  int err =
      p && p->format == STREAM_FORMAT && p->heap_bytes == ARENA_BYTES && count == 2 ? 0 : -EPROTO;
  if (!err && (p->build_id.len != 20 ||
               memcmp(p->build_id.data, t->plan->old->header->build_id, 20) != 0)) {
    report_violation(t->report,
                     "the old version is not the executable that the plan was made for; try again");
    err = -EINVAL;
  }
  if (!err && !(holds(fds[0], p->snapshot_bytes) && holds(fds[1], ARENA_BYTES))) err = -EPROTO;
  if (!err && p->snapshot_bytes) {
    int protection = p->kept ? PROT_READ | PROT_WRITE : PROT_READ;
    void *map = mmap(NULL, p->snapshot_bytes, protection, MAP_SHARED | MAP_POPULATE, fds[0], 0);
    if (map == MAP_FAILED)
      err = -errno;
    else
      t->snapshot = map;
    t->snapshot_bytes = p->snapshot_bytes;
  }
  if (!err) err = arena_adopt(fds[1]);
  if (!err) st_process.heap = descriptor_hide(fds[1]);
  t->kept = p && p->kept;
  if (count > 0) close(fds[0]);
  if (count > 1 && st_process.heap < 0) close(fds[1]);
  if (p) proteos__state_prelude__free_unpacked(p, NULL);
  return err;
}

/* ---- the header ---- */

static int take_image(struct transfer *t, unsigned i, const Proteos__Image *from) {
  struct image *to = &t->old.image[i];
  if (from->build_id.len != sizeof(to->build_id) || from->n_segments > IMAGE_SEGMENTS)
    return -EPROTO;
  snprintf(to->name, sizeof(to->name), "%.63s", from->name);
  memcpy(to->build_id, from->build_id.data, sizeof(to->build_id));
  to->base = from->load_base;
  to->start = from->start;
  to->end = from->end;
  to->segment_count = (unsigned)from->n_segments;
  for (unsigned s = 0; s < to->segment_count; s++) {
    const Proteos__Segment *seg = from->segments[s];
    if (seg->offset > t->snapshot_bytes || seg->bytes > t->snapshot_bytes - seg->offset)
      return -EPROTO;
    to->segments[s] = (struct image_segment){seg->address, seg->bytes, seg->offset};
  }
  return 0;
}

static int take_images(struct transfer *t, const Proteos__StateHeader *h) {
  if (h->n_images == 0) return -EPROTO;
  t->old.image = calloc(h->n_images, sizeof(*t->old.image));
  t->old.copies = calloc(h->n_copies + 1, sizeof(*t->old.copies));
  if (!t->old.image || !t->old.copies) return -ENOMEM;
  for (unsigned i = 0; i < h->n_images; i++) {
    int err = take_image(t, i, h->images[i]);
    if (err) return err;
  }
  t->old.count = (unsigned)h->n_images;
  for (unsigned c = 0; c < h->n_copies; c++) {
    const Proteos__Copy *from = h->copies[c];
    if (from->image >= h->n_images) return -EPROTO;
    t->old.copies[c] = (struct image_copy){from->address, from->bytes, from->image, from->defined};
  }
  t->old.copy_count = (unsigned)h->n_copies;
  return 0;
}

static int take_mappings(const Proteos__StateHeader *h, int *fds, size_t fd_count) {
  int err = h->n_mappings == fd_count ? 0 : -EPROTO;
  for (size_t i = 0; i < fd_count; i++) {
    if (!err) err = mapping_adopt(h->mappings[i]->address, h->mappings[i]->bytes, fds[i]);
    if (err) close(fds[i]);
  }
  return err;
}

static int reserve_descriptors(struct transfer *t, const Proteos__StateHeader *h) {
  reader.parked = calloc(h->n_descriptors + 1, sizeof(*reader.parked));
  if (!reader.parked) return -ENOMEM;
  for (size_t i = 0; i < h->n_descriptors; i++) {
    int number = h->descriptors[i]->number;
    int err = number < 3 ? -EPROTO : descriptor_reserve(number);
    if (err)
      report_violation(t->report, "descriptor %d cannot be reserved: %s", number,
                       err == -EBUSY ? "the runtime of the new version uses it" : strerror(-err));
    reader.parked[i] = (struct descriptor){number, h->descriptors[i]->close_on_exec};
  }
  reader.parked_count = h->n_descriptors;
  return 0;
}

int reader_header(struct transfer *t) {
  uint8_t *packet = malloc(STREAM_PACKET_MAX);
  if (!packet) return -ENOMEM;
  int fds[STREAM_FDS_MAX];
  size_t count = STREAM_FDS_MAX;
  ssize_t bytes = stream_receive(reader.channel, packet, STREAM_PACKET_MAX, fds, &count);
  if (bytes < 0) {
    free(packet);
    return (int)bytes;
  }
  Proteos__StateHeader *h = proteos__state_header__unpack(NULL, (size_t)bytes, packet);
  free(packet);
  int err = h ? take_images(t, h) : -EPROTO;
  if (!err)
    err = take_mappings(h, fds, count);
  else
    for (size_t i = 0; i < count; i++)
      close(fds[i]);
  if (!err) err = reserve_descriptors(t, h);
  if (h) proteos__state_header__free_unpacked(h, NULL);
  return err;
}

static size_t batch_at(size_t at) {
  size_t left = reader.parked_count - at;
  return left < STREAM_BATCH ? left : STREAM_BATCH;
}

int reader_descriptors_check(void) {
  for (size_t at = 0; at < reader.parked_count; at += STREAM_BATCH) {
    unsigned char number;
    ssize_t got = stream_peek(reader.channel, &number, 1, batch_at(at));
    if (got < 0) return (int)got;
    if (got != 1 || number != (unsigned char)(at / STREAM_BATCH)) return -EPROTO;
  }
  return 0;
}

/* ---- after commit ---- */

static int restore_descriptors(void) {
  int first_error = 0;
  for (size_t at = 0; at < reader.parked_count;) {
    int fds[STREAM_BATCH];
    size_t count = STREAM_BATCH;
    unsigned char number;
    ssize_t got = stream_receive(reader.channel, &number, 1, fds, &count);
    if (got < 0) return (int)got;
    for (size_t i = 0; i < count && at < reader.parked_count; i++, at++) {
      int err = descriptor_restore(fds[i], &reader.parked[at]);
      if (err && !first_error) first_error = err;
    }
  }
  return first_error;
}

int reader_descriptors(void) {
  int err = restore_descriptors();
  reader_end();
  return err;
}

void reader_end(void) {
  free(reader.parked);
  reader.parked = NULL;
  reader.parked_count = 0;
  descriptor_close(reader.channel);
  reader.channel = -1;
}
