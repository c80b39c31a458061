#include "libst/header.h"

#include <errno.h>
#include <stdlib.h>

#include "libst/arena.h"
#include "libst/mapping.h"
#include "libst/process.h"
#include "libst/stream.h"
#include "state.pb-c.h"

int header_send_prelude(int channel, int snapshot, size_t bytes, bool kept) {
  Proteos__StatePrelude prelude = PROTEOS__STATE_PRELUDE__INIT;
  prelude.format = STREAM_FORMAT;
  prelude.build_id.data = st_process.images.image[0].build_id;
  prelude.build_id.len = sizeof(st_process.images.image[0].build_id);
  prelude.snapshot_bytes = bytes;
  prelude.heap_bytes = ARENA_BYTES;
  prelude.kept = kept;
  uint8_t packet[128];
  size_t packed = proteos__state_prelude__pack(&prelude, packet);
  return stream_send(channel, packet, packed, (int[]){snapshot, st_process.heap}, 2);
}

/* The parts of the header, built out of one allocation. */
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

static void fill_image(struct parts *p, unsigned i) {
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
    to->offset = from->offset;
  }
}

static void fill_copy(struct parts *p, unsigned c) {
  const struct image_copy *copy = &st_process.images.copies[c];
  Proteos__Copy *out = p->copy_list[c] = &p->copies[c];
  proteos__copy__init(out);
  out->address = copy->address;
  out->bytes = copy->bytes;
  out->image = copy->image;
  out->defined = copy->defined;
}

static void fill_header(Proteos__StateHeader *h, struct parts *p, const struct descriptor *fds,
                        size_t fd_count) {
  const struct images *im = &st_process.images;
  for (unsigned i = 0; i < im->count; i++)
    fill_image(p, i);
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

int header_send(int channel, const struct descriptor *fds, size_t fd_count) {
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
    err = packet ? stream_send(channel, packet, bytes, map_fds, mapping_count) : -ENOMEM;
  }
  free(packet);
  free(memory);
  return err;
}
