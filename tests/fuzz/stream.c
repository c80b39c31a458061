/* Fuzzes the reader of the state stream.
 * An input is a series of packets: a byte says how many descriptors come with it, two bytes how
 * long it is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libst/arena.h"
#include "libst/descriptor.h"
#include "libst/mapping.h"
#include "libst/meta.h"
#include "libst/process.h"
#include "libst/reader.h"
#include "libst/st.h"
#include "libst/stream.h"
#include "libst/transfer.h"
#include "state.pb-c.h"
#include "tests/fuzz/seeds.h"

enum { PACKETS_MAX = 12, SNAPSHOT_BYTES = 8192 };

struct process st_process = {.heap = -1, .pagemap = -1};

static struct st_meta_header header = {.build_id = {1, 2, 3}};
static struct st_meta old_meta = {.header = &header};
static int state = -1; /* what is sent as a descriptor */

enum { OWN_MAX = 600 };
static bool own[OWN_MAX]; /* descriptors of the fuzzer */

int arena_adopt(int fd) {
  return fcntl(fd, F_GETFD) < 0 ? -errno : 0;
}

/* Everything that the header says must be true. */
static void use(const struct transfer *t) {
  volatile unsigned sum = 0;
  for (unsigned i = 0; i < t->old.count; i++)
    for (unsigned s = 0; s < t->old.image[i].segment_count; s++) {
      const struct image_segment *seg = &t->old.image[i].segments[s];
      const unsigned char *bytes = seg->bytes ? t->snapshot + seg->offset : NULL;
      if (bytes) sum += bytes[0] + bytes[seg->bytes - 1];
    }
  for (unsigned c = 0; c < t->old.copy_count; c++)
    sum += t->old.image[t->old.copies[c].image].name[0];
}

/* ---- the harness ---- */

static size_t put_packet(uint8_t *out, unsigned fds, const void *packet, size_t bytes) {
  out[0] = (uint8_t)fds;
  out[1] = (uint8_t)bytes;
  out[2] = (uint8_t)(bytes >> 8);
  memcpy(out + 3, packet, bytes);
  return bytes + 3;
}

static void write_seed(void) {
  uint8_t packet[512], seed[1024];
  Proteos__StatePrelude prelude = PROTEOS__STATE_PRELUDE__INIT;
  prelude.format = STREAM_FORMAT;
  prelude.build_id = (ProtobufCBinaryData){20, header.build_id};
  prelude.snapshot_bytes = SNAPSHOT_BYTES;
  prelude.heap_bytes = ARENA_BYTES;
  size_t used = put_packet(seed, 2, packet, proteos__state_prelude__pack(&prelude, packet));
  Proteos__Segment segment = PROTEOS__SEGMENT__INIT, *segments[] = {&segment};
  segment.address = 0x555500004000;
  segment.bytes = 4096;
  Proteos__Image image = PROTEOS__IMAGE__INIT, *images[] = {&image};
  image.name = "libx.so";
  image.build_id = prelude.build_id;
  image.n_segments = 1;
  image.segments = segments;
  Proteos__Copy copy = PROTEOS__COPY__INIT, *copies[] = {&copy};
  copy.address = 0x555500004100;
  copy.bytes = 8;
  Proteos__Mapping mapping = PROTEOS__MAPPING__INIT, *mappings_sent[] = {&mapping};
  mapping.address = MAPPING_BASE;
  mapping.bytes = 4096;
  Proteos__Descriptor fd = PROTEOS__DESCRIPTOR__INIT, *fds[] = {&fd};
  fd.number = 40;
  Proteos__StateHeader h = PROTEOS__STATE_HEADER__INIT;
  h.n_images = h.n_copies = h.n_mappings = h.n_descriptors = 1;
  h.images = images;
  h.copies = copies;
  h.mappings = mappings_sent;
  h.descriptors = fds;
  used += put_packet(seed + used, 1, packet, proteos__state_header__pack(&h, packet));
  used += put_packet(seed + used, 1, "", 1);
  seed_write(seed, used);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  if (getenv("FUZZ_SEED")) {
    write_seed();
    exit(0);
  }
  state = descriptor_hide(memfd_create("state", MFD_CLOEXEC));
  if (ftruncate(state, ARENA_BYTES) < 0 || descriptors_init() < 0) abort();
  for (int fd = 0; fd < OWN_MAX; fd++)
    if ((own[fd] = fcntl(fd, F_GETFD) >= 0)) st_exclude_fd(fd);
  return 0;
}

static void send_packets(int channel, const uint8_t *data, size_t size) {
  int fds[STREAM_FDS_MAX];
  for (unsigned i = 0; i < STREAM_FDS_MAX; i++)
    fds[i] = state;
  for (unsigned n = 0; n < PACKETS_MAX && size >= 3; n++) {
    size_t bytes = data[1] | (size_t)data[2] << 8;
    if (bytes > size - 3) bytes = size - 3;
    stream_send(channel, data + 3, bytes, fds, data[0] % 8);
    data += 3 + bytes;
    size -= 3 + bytes;
  }
}

/* Gives back what the transfer would. */
static void clean_up(struct transfer *t) {
  reader_end();
  unsigned from = 0;
  for (unsigned fd = 0; fd <= OWN_MAX; fd++) {
    if (fd < OWN_MAX && !own[fd]) continue;
    if (fd > from) close_range(from, fd - 1, 0);
    from = fd + 1;
  }
  close_range(OWN_MAX, ~0u, 0);
  st_process.heap = -1;
  for (unsigned i = 0; i < mapping_count; i++)
    munmap((void *)mappings[i].address, mappings[i].bytes);
  mapping_count = 0;
  if (t->snapshot) munmap((void *)t->snapshot, t->snapshot_bytes);
  free(t->old.image);
  free(t->old.copies);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct st_report report;
  static struct transfer t;
  static struct plan plan = {.old = &old_meta};
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0) {
    perror("socketpair");
    abort();
  }
  send_packets(ends[0], data, size);
  close(ends[0]);
  t = (struct transfer){.plan = &plan, .report = &report};
  report.used = report.violations = 0;
  if (reader_begin(&t, ends[1]) == 0 && reader_header(&t) == 0) {
    use(&t);
    /* What was found whole before commit is whole after it. */
    if (reader_descriptors_check() == 0 && reader_descriptors() == -EPROTO) abort();
  }
  clean_up(&t);
  return 0;
}
