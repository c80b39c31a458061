/* What the transfers of bench/xfer cannot do without, by hand, for the same number of the same
 * objects in one array of a memfd that is mapped privately, as an update does.
 *
 *   xfer-floor CPU bytes MB        copies the bytes
 *   xfer-floor CPU same COUNT      reads each object and checks that its pointers lead to objects
 *   xfer-floor CPU changed COUNT   makes each object's new form in fresh memory
 *
 * Prints milliseconds. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pin.h"

struct same {
  struct same *left, *right;
  long key;
  char text[16];
};

struct old {
  struct old *left, *right;
  int key;
};

struct new {
  int key;
  long added[4];
  struct new *right, *left;
};

static void *map(int kind, int fd, size_t bytes) {
  void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, kind | MAP_NORESERVE, fd, 0);
  if (p == MAP_FAILED) err(1, "mmap");
  return p;
}

static void *fresh(size_t bytes) {
  return map(MAP_PRIVATE | MAP_ANONYMOUS, -1, bytes);
}

static int file(size_t bytes) {
  int fd = memfd_create("floor", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0) err(1, "memfd");
  return fd;
}

static uint64_t floor_bytes(size_t mb) {
  int fd = file(mb << 20);
  memset(map(MAP_SHARED, fd, mb << 20), 0x5a, mb << 20);
  const void *from = map(MAP_PRIVATE, fd, mb << 20);
  uint64_t start = now_ns();
  memcpy(fresh(mb << 20), from, mb << 20);
  return now_ns() - start;
}

static uint64_t floor_same(size_t count) {
  size_t bytes = count * sizeof(struct same);
  int fd = file(bytes);
  struct same *shared = map(MAP_SHARED, fd, bytes), *nodes = map(MAP_PRIVATE, fd, bytes);
  for (size_t i = 0; i < count; i++) {
    shared[i].left = 2 * i + 1 < count ? &nodes[2 * i + 1] : NULL;
    shared[i].right = 2 * i + 2 < count ? &nodes[2 * i + 2] : NULL;
  }
  uint64_t start = now_ns();
  size_t wild = 0;
  for (size_t i = 0; i < count; i++) {
    wild += nodes[i].left && (nodes[i].left < nodes || nodes[i].left >= nodes + count);
    wild += nodes[i].right && (nodes[i].right < nodes || nodes[i].right >= nodes + count);
  }
  if (wild) errx(1, "wild pointers");
  return now_ns() - start;
}

static uint64_t floor_changed(size_t count) {
  size_t bytes = count * sizeof(struct old);
  int fd = file(bytes);
  struct old *shared = map(MAP_SHARED, fd, bytes), *old = map(MAP_PRIVATE, fd, bytes);
  for (size_t i = 0; i < count; i++) {
    shared[i].key = (int)i;
    shared[i].left = 2 * i + 1 < count ? &old[2 * i + 1] : NULL;
    shared[i].right = 2 * i + 2 < count ? &old[2 * i + 2] : NULL;
  }
  uint64_t start = now_ns();
  struct new *new = fresh(count * sizeof(*new));
  for (size_t i = 0; i < count; i++) {
    new[i].key = old[i].key;
    new[i].left = old[i].left ? new + (old[i].left - old) : NULL;
    new[i].right = old[i].right ? new + (old[i].right - old) : NULL;
  }
  return now_ns() - start;
}

int main(int argc, char **argv) {
  if (argc != 4) errx(2, "usage: xfer-floor CPU bytes|same|changed COUNT");
  size_t count = strtoul(argv[3], NULL, 10);
  pin_to_cpu(argv[1]);
  uint64_t ns = strcmp(argv[2], "bytes") == 0  ? floor_bytes(count)
                : strcmp(argv[2], "same") == 0 ? floor_same(count)
                                               : floor_changed(count);
  printf("%.3f\n", (double)ns / 1e6);
  return 0;
}
