/* The new version's side of a transfer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libst/arena.h"
#include "libst/check.h"
#include "libst/descriptor.h"
#include "libst/import.h"
#include "libst/mapping.h"
#include "libst/old_memory.h"
#include "libst/options.h"
#include "libst/plan.h"
#include "libst/process.h"
#include "libst/proof.h"
#include "libst/relocate.h"
#include "libst/report.h"
#include "libst/site.h"
#include "libst/st.h"
#include "libst/stream.h"
#include "libst/transfer.h"
#include "libst/writeback.h"
#include "state.pb-c.h"

static struct plan plan;
static struct transfer transfer;
static struct st_options *options; /* of the update in progress */

static struct {
  int channel; /* holds the parked descriptors until commit */
  struct descriptor *parked;
  size_t parked_count;
} import = {.channel = -1};

static void begin_report(struct st_report *report) {
  memset(report, 0, offsetof(struct st_report, text) + 1);
  report->strict = options && options->strict;
}

int st_plan(int old_exe_fd, const struct st_options *wanted, struct st_report *report) {
  st_options_free(options);
  options = options_copy(wanted);
  begin_report(report);
  if (!st_process.meta || !options) return options ? -EINVAL : -ENOMEM;
  int err = plan_make(&plan, old_exe_fd, report);
  if (!err) err = checks_plan(options, &plan, report);
  if (!err && report->violations) err = -EINVAL;
  if (err) plan_free(&plan);
  return err;
}

/* ---- before the old version is quiescent ---- */

static int take_prelude(struct transfer *t) {
  uint8_t packet[256];
  int fds[2];
  size_t count = 2;
  ssize_t bytes = stream_receive(import.channel, packet, sizeof(packet), fds, &count);
  if (bytes < 0) return (int)bytes;
  Proteos__StatePrelude *p = proteos__state_prelude__unpack(NULL, (size_t)bytes, packet);
  int err =
      p && p->format == STREAM_FORMAT && p->heap_bytes == ARENA_BYTES && count == 2 ? 0 : -EPROTO;
  if (!err &&
      (p->build_id.len != 20 || memcmp(p->build_id.data, plan.old->header->build_id, 20) != 0)) {
    report_violation(t->report, "the old version is not the executable that the plan was made for");
    err = -EINVAL;
  }
  if (!err && p->snapshot_bytes) {
    void *map = mmap(NULL, p->snapshot_bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, fds[0], 0);
    if (map == MAP_FAILED)
      err = -errno;
    else
      t->snapshot = map;
    t->snapshot_bytes = p->snapshot_bytes;
  }
  if (!err) err = arena_adopt(fds[1]);
  if (!err) st_process.heap = descriptor_hide(fds[1]);
  if (count > 0) close(fds[0]);
  if (count > 1 && err) close(fds[1]);
  if (p) proteos__state_prelude__free_unpacked(p, NULL);
  return err;
}

/* Variables will be written all at once: their page faults are cheaper now. */
static void prefault(void) {
  const struct image *exe = &st_process.images.image[0];
  for (unsigned s = 0; s < exe->segment_count; s++) {
    uintptr_t start = exe->segments[s].address & -ARENA_PAGE;
    size_t bytes = exe->segments[s].address + exe->segments[s].bytes - start;
    if (bytes <= 4 << 20)
      madvise((void *)start, (bytes + ARENA_PAGE - 1) & -ARENA_PAGE, MADV_POPULATE_WRITE);
  }
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
    to->segments[s] = (struct image_segment){seg->address, seg->bytes};
    t->offsets[i][s] = seg->offset;
  }
  return 0;
}

static int take_images(struct transfer *t, const Proteos__StateHeader *h) {
  if (h->n_images == 0 || h->n_images > sizeof(t->offsets) / sizeof(*t->offsets)) return -EPROTO;
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
  import.parked = calloc(h->n_descriptors + 1, sizeof(*import.parked));
  if (!import.parked) return -ENOMEM;
  for (size_t i = 0; i < h->n_descriptors; i++) {
    int number = h->descriptors[i]->number;
    int err = number < 3 ? -EPROTO : descriptor_reserve(number);
    if (err)
      report_violation(t->report, "descriptor %d cannot be reserved: %s", number,
                       err == -EBUSY ? "the runtime of the new version uses it" : strerror(-err));
    import.parked[i] = (struct descriptor){number, h->descriptors[i]->close_on_exec};
  }
  import.parked_count = h->n_descriptors;
  return 0;
}

static int take_header(struct transfer *t) {
  uint8_t *packet = malloc(STREAM_PACKET_MAX);
  if (!packet) return -ENOMEM;
  int fds[STREAM_FDS_MAX];
  size_t count = STREAM_FDS_MAX;
  ssize_t bytes = stream_receive(import.channel, packet, STREAM_PACKET_MAX, fds, &count);
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

int st_import(int channel, struct st_report *report) {
  begin_report(report);
  if (!plan.old) return -EINVAL;
  import.channel = descriptor_hide(channel);
  transfer =
      (struct transfer){.plan = &plan, .report = report, .relocate = options && options->relocate};
  int err = take_prelude(&transfer);
  if (!err) err = transfer_prepare(&transfer);
  if (!err) err = proof_prepare();
  if (!err) {
    prefault();
    err = take_header(&transfer);
  }
  if (!err) err = checks_before(&transfer);
  if (err) return err;
  arena_start(false);
  err = transfer_run(&transfer);
  if (err == -ENOMEM)
    report_violation(report, "there is too little memory for the new version's state");
  if (err) return err;
  proof_run(report);
  if (report->violations) return -EINVAL;
  sites_start(&st_process.images, st_process.meta);
  return 0;
}

int st_check(struct st_report *report) {
  if (!plan.old) return -EINVAL;
  checks_after(&transfer, report);
  return report->violations ? -EINVAL : 0;
}

bool import_pointer(uint64_t *pointer, const char *name) {
  unsigned before = transfer.report->violations;
  struct place place = {.text = name, .index = -1};
  *pointer = pointer_follow(&transfer, *pointer, &pointed_any, &place);
  return transfer.report->violations == before;
}

/* ---- after commit ---- */

static int restore_descriptors(void) {
  int first_error = 0;
  for (size_t at = 0; at < import.parked_count;) {
    int fds[STREAM_BATCH];
    size_t count = STREAM_BATCH;
    char byte;
    ssize_t got = stream_receive(import.channel, &byte, 1, fds, &count);
    if (got < 0) return (int)got;
    for (size_t i = 0; i < count && at < import.parked_count; i++, at++) {
      int err = descriptor_restore(fds[i], &import.parked[at]);
      if (err && !first_error) first_error = err;
    }
  }
  return first_error;
}

int st_commit(void) {
  int err = restore_descriptors();
  int map_err = mappings_commit();
  free(import.parked);
  import.parked = NULL;
  import.parked_count = 0;
  descriptor_close(import.channel);
  import.channel = -1;
  writeback_begin();
  return err ? err : map_err;
}

void import_release(void) {
  transfer_free(&transfer);
  plan_free(&plan);
  proof_free();
  checks_free();
  old_memory_close();
  relocate_free();
  st_options_free(options);
  options = NULL;
}
