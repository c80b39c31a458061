/* The old version's side of a transfer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libst/arena.h"
#include "libst/descriptor.h"
#include "libst/mapping.h"
#include "libst/process.h"
#include "libst/st.h"
#include "libst/stream.h"
#include "state.pb-c.h"

static struct {
  int channel;
  unsigned char *snapshot; /* the memfd, mapped */
  size_t snapshot_bytes;
} export = {.channel = -1};

static size_t snapshot_size(const struct images *im) {
  size_t bytes = 0;
  for (unsigned i = 0; i < im->count; i++)
    for (unsigned s = 0; s < im->image[i].segment_count; s++)
      bytes += (im->image[i].segments[s].bytes + 63) & ~63ul;
  return (bytes + 4095) & ~4095ul;
}

void st_export_cancel(void) {
  if (export.snapshot) munmap(export.snapshot, export.snapshot_bytes);
  descriptor_close(export.channel);
  export.snapshot = NULL;
  export.channel = -1;
}

void st_export_size(size_t *variable_bytes, size_t *heap_bytes) {
  *variable_bytes = export.snapshot_bytes;
  *heap_bytes = (size_t)(ARENA->top - ARENA_FIRST) * ARENA_PAGE;
}

static int finish_writeback(void) {
  int more;
  do
    more = st_writeback_slice(1000000);
  while (more > 0);
  return more;
}

static int send_prelude(int snapshot) {
  Proteos__StatePrelude prelude = PROTEOS__STATE_PRELUDE__INIT;
  prelude.format = STREAM_FORMAT;
  prelude.build_id.data = st_process.images.image[0].build_id;
  prelude.build_id.len = sizeof(st_process.images.image[0].build_id);
  prelude.snapshot_bytes = export.snapshot_bytes;
  prelude.heap_bytes = ARENA_BYTES;
  uint8_t packet[128];
  size_t bytes = proteos__state_prelude__pack(&prelude, packet);
  return stream_send(export.channel, packet, bytes, (int[]){snapshot, st_process.heap}, 2);
}

int st_export_prepare(int channel) {
  st_export_cancel();
  export.channel = descriptor_hide(channel);
  int err = st_process.heap < 0 ? -EINVAL : finish_writeback();
  if (!err) err = descriptors_prepare();
  if (err) goto fail;
  export.snapshot_bytes = snapshot_size(&st_process.images);
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
  if (!err) err = send_prelude(fd);
  close(fd);
  if (!err) return 0;
fail:
  st_export_cancel();
  return err;
}

/* The parts of the header, built on the stack of st_export() out of one allocation. */
struct parts {
  Proteos__Image *images, **image_list;
  Proteos__Segment *segments, **segment_list;
  Proteos__Copy *copies, **copy_list;
  Proteos__Mapping *mappings, **mapping_list;
  Proteos__Descriptor *descriptors, **descriptor_list;
};

static void *carve(char **at, size_t count, size_t size) {
  void *p = *at;
  *at += (count * size + 15) & ~15ul;
  return p;
}

static void carve_all(struct parts *p, char **at, size_t images, size_t copies, size_t maps,
                      size_t fds) {
  p->images = carve(at, images, sizeof(*p->images));
  p->image_list = carve(at, images, sizeof(void *));
  p->segments = carve(at, images * IMAGE_SEGMENTS, sizeof(*p->segments));
  p->segment_list = carve(at, images * IMAGE_SEGMENTS, sizeof(void *));
  p->copies = carve(at, copies, sizeof(*p->copies));
  p->copy_list = carve(at, copies, sizeof(void *));
  p->mappings = carve(at, maps, sizeof(*p->mappings));
  p->mapping_list = carve(at, maps, sizeof(void *));
  p->descriptors = carve(at, fds, sizeof(*p->descriptors));
  p->descriptor_list = carve(at, fds, sizeof(void *));
}

/* Copies an image's writable data into the snapshot, and describes both. */
static void fill_image(struct parts *p, unsigned i, size_t *offset) {
  struct image *image = &st_process.images.image[i];
  Proteos__Image *out = p->image_list[i] = &p->images[i];
  proteos__image__init(out);
  out->name = image->name;
  out->build_id.data = image->build_id;
  out->build_id.len = sizeof(image->build_id);
  out->load_base = image->base;
  out->start = image->start;
  out->end = image->end;
  out->n_segments = image->segment_count;
  out->segments = &p->segment_list[i * IMAGE_SEGMENTS];
  for (unsigned s = 0; s < image->segment_count; s++) {
    const struct image_segment *from = &image->segments[s];
    Proteos__Segment *to = out->segments[s] = &p->segments[i * IMAGE_SEGMENTS + s];
    proteos__segment__init(to);
    to->address = from->address;
    to->bytes = from->bytes;
    to->offset = *offset;
    memcpy(export.snapshot + *offset, (const void *)from->address, from->bytes);
    *offset += (from->bytes + 63) & ~63ul;
  }
}

/* A library's variable that lives in the executable counts as the library's: its value goes to the
 * place in the snapshot where the library's own, unused one lies. */
static void fill_copy(struct parts *p, unsigned c) {
  const struct image_copy *copy = &st_process.images.copies[c];
  Proteos__Copy *out = p->copy_list[c] = &p->copies[c];
  proteos__copy__init(out);
  out->address = copy->address;
  out->bytes = copy->bytes;
  out->image = copy->image;
  out->defined = copy->defined;
  const Proteos__Image *image = &p->images[copy->image];
  uintptr_t own = image->load_base + copy->defined;
  for (size_t s = 0; s < image->n_segments; s++) {
    const Proteos__Segment *seg = image->segments[s];
    if (own - seg->address < seg->bytes && copy->bytes <= seg->bytes - (own - seg->address))
      memcpy(export.snapshot + seg->offset + (own - seg->address), (const void *)copy->address,
             copy->bytes);
  }
}

static void fill_header(Proteos__StateHeader *h, struct parts *p, const struct descriptor *fds,
                        size_t fd_count) {
  const struct images *im = &st_process.images;
  size_t offset = 0;
  for (unsigned i = 0; i < im->count; i++)
    fill_image(p, i, &offset);
  for (unsigned c = 0; c < im->copy_count; c++)
    fill_copy(p, c);
  for (unsigned m = 0; m < mapping_count; m++) {
    p->mapping_list[m] = &p->mappings[m];
    proteos__mapping__init(&p->mappings[m]);
    p->mappings[m].address = mappings[m].address;
    p->mappings[m].bytes = mappings[m].bytes;
  }
  for (size_t d = 0; d < fd_count; d++) {
    p->descriptor_list[d] = &p->descriptors[d];
    proteos__descriptor__init(&p->descriptors[d]);
    p->descriptors[d].number = fds[d].number;
    p->descriptors[d].close_on_exec = fds[d].close_on_exec;
  }
  h->n_images = im->count;
  h->images = p->image_list;
  h->n_copies = im->copy_count;
  h->copies = p->copy_list;
  h->n_mappings = mapping_count;
  h->mappings = p->mapping_list;
  h->n_descriptors = fd_count;
  h->descriptors = p->descriptor_list;
}

static int send_header(const struct descriptor *fds, size_t fd_count) {
  const struct images *im = &st_process.images;
  char *at = NULL;
  struct parts parts;
  carve_all(&parts, &at, im->count, im->copy_count, mapping_count, fd_count);
  char *memory = malloc((size_t)at), *packet = NULL;
  int err = memory ? 0 : -ENOMEM;
  if (!err) {
    at = memory;
    carve_all(&parts, &at, im->count, im->copy_count, mapping_count, fd_count);
    Proteos__StateHeader header = PROTEOS__STATE_HEADER__INIT;
    fill_header(&header, &parts, fds, fd_count);
    size_t bytes = proteos__state_header__get_packed_size(&header);
    packet = malloc(bytes);
    int map_fds[MAPPINGS_MAX];
    for (unsigned m = 0; m < mapping_count; m++)
      map_fds[m] = mappings[m].fd;
    if (packet) proteos__state_header__pack(&header, (uint8_t *)packet);
    err = packet ? stream_send(export.channel, packet, bytes, map_fds, mapping_count) : -ENOMEM;
  }
  free(packet);
  free(memory);
  return err;
}

static int send_descriptors(const struct descriptor *list, size_t count) {
  int err = 0;
  for (size_t at = 0; !err && at < count; at += STREAM_BATCH) {
    size_t batch = count - at < STREAM_BATCH ? count - at : STREAM_BATCH;
    int fds[STREAM_BATCH];
    for (size_t i = 0; i < batch; i++)
      fds[i] = list[at + i].number;
    unsigned char number = (unsigned char)(at / STREAM_BATCH);
    err = stream_send(export.channel, &number, 1, fds, batch);
  }
  return err;
}

int st_export(void) {
  if (!export.snapshot) return -EINVAL;
  arena_settle();
  struct descriptor *list;
  int count = descriptors_list(&list);
  if (count < 0) return count;
  int err = send_header(list, (size_t)count);
  if (!err) err = send_descriptors(list, (size_t)count);
  free(list);
  return err;
}
