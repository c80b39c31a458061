#include "bus/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/abi.h"
#include "bus/bus.h"
#include "bus/debug.h"
#include "libst/fault.h"

#define PAGE_BYTES 4096u

static struct segment {
  uint32_t id; /* 0: free */
  endpoint_t maker;
  int fd;
  uint64_t bytes;
  uint64_t readers, writers; /* endpoints that it is shared with; who writes reads, too */
} segments[MEMORY_SEGMENTS_MAX];
static uint32_t last_id;

static uint64_t bit(const struct endpoint *e) {
  return 1ull << e->id;
}

static struct segment *find(uint32_t id) {
  for (unsigned i = 0; id && i < MEMORY_SEGMENTS_MAX; i++)
    if (segments[i].id == id) return &segments[i];
  return NULL;
}

static struct segment *find_own(const struct endpoint *maker, uint32_t id) {
  struct segment *s = find(id);
  return s && s->maker == maker->id ? s : NULL;
}

/* Its file is read-only: who has a descriptor for reading cannot open another one for writing. */
static int create(uint64_t bytes) {
  int fd = memfd_create("segment", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd >= 0 && ftruncate(fd, (off_t)bytes) == 0 && fchmod(fd, S_IRUSR) == 0 &&
      fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
    return fd;
  int error = -errno;
  if (fd >= 0) close(fd);
  return error;
}

int memory_make(const struct endpoint *maker, uint64_t bytes, uint32_t *id) {
  struct segment *s = segments, *end = segments + MEMORY_SEGMENTS_MAX;
  if (!bytes || bytes % PAGE_BYTES || bytes > MEMORY_SEGMENT_BYTES_MAX) return -EINVAL;
  while (s < end && s->id)
    s++;
  if (s == end || last_id == UINT32_MAX) return -ENFILE;
  int error = st_fault("memory.make", ENOMEM);
  int fd = error ? error : create(bytes);
  if (fd < 0) return fd;
  *s = (struct segment){.id = ++last_id, .maker = maker->id, .fd = fd, .bytes = bytes};
  *id = s->id;
  return 0;
}

int memory_share(const struct endpoint *maker, uint32_t id, endpoint_t with, uint32_t rights,
                 uint32_t *incarnation) {
  struct segment *s = find_own(maker, id);
  const struct endpoint *e = bus_endpoint(with);
  if (!s) return -ENOENT;
  if (rights && rights != BUS_SEGMENT_READ && rights != (BUS_SEGMENT_READ | BUS_SEGMENT_WRITE))
    return -EINVAL;
  if (!e || !e->live || e->state == ENDPOINT_STOPPING || !endpoint_peers(maker, e)) return -ESRCH;
  st_pass("memory.share");
  s->readers &= ~bit(e);
  s->writers &= ~bit(e);
  if (rights & BUS_SEGMENT_READ) s->readers |= bit(e);
  if (rights & BUS_SEGMENT_WRITE) s->writers |= bit(e);
  *incarnation = e->incarnation;
  return 0;
}

static int duplicate(const struct segment *s, bool writable) {
  char path[40];
  if (writable) return fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
  snprintf(path, sizeof(path), "/proc/self/fd/%d", s->fd);
  return open(path, O_RDONLY | O_CLOEXEC);
}

int memory_open(const struct endpoint *holder, uint32_t id, uint64_t *bytes) {
  const struct segment *s = find(id);
  if (!s || !(s->readers & bit(holder))) return -ENOENT;
  int error = st_fault("memory.open", EMFILE);
  if (error) return error;
  int fd = duplicate(s, s->writers & bit(holder));
  *bytes = s->bytes;
  return fd < 0 ? -errno : fd;
}

static void drop(struct segment *s) {
  close(s->fd);
  *s = (struct segment){0};
}

int memory_drop(const struct endpoint *maker, uint32_t id) {
  struct segment *s = find_own(maker, id);
  if (!s) return -ENOENT;
  st_pass("memory.drop");
  drop(s);
  return 0;
}

int memory_end(const struct endpoint *maker, endpoint_t holder, uint32_t incarnation) {
  struct endpoint *e = bus_endpoint(holder);
  if (!e || e->incarnation != incarnation || e == maker || !endpoint_peers(maker, e)) return -ESRCH;
  /* It may be about to go on with its state, and its mappings in it. */
  if (e->state == ENDPOINT_RECOVERING || e->state == ENDPOINT_STARTING) return -EBUSY;
  if (!e->live) return -ESRCH;
  if (e->held_since_us || e->stop.since_us || e->probation || debug_holds(e)) return -EBUSY;
  version_kill(e->live, "did not give back memory in time");
  return 0;
}

void memory_forget(const struct endpoint *e) {
  for (unsigned i = 0; i < MEMORY_SEGMENTS_MAX; i++) {
    struct segment *s = &segments[i];
    s->readers &= ~bit(e);
    s->writers &= ~bit(e);
    if (s->id && s->maker == e->id) drop(s);
  }
}

static const char *wrong(const struct segment *s) {
  struct stat st;
  if (s->id > last_id) return "has a number that was not given yet";
  if (!bus_endpoint(s->maker)) return "is nobody's";
  if (s->writers & ~s->readers) return "is written by one that may not read it";
  if (fstat(s->fd, &st) < 0 || (uint64_t)st.st_size != s->bytes) return "has lost its memory";
  return NULL;
}

bool memory_check(char *why, size_t cap) {
  for (unsigned i = 0; i < MEMORY_SEGMENTS_MAX; i++) {
    const char *what = segments[i].id ? wrong(&segments[i]) : NULL;
    if (!what) continue;
    snprintf(why, cap, "memory segment %u %s", segments[i].id, what);
    return false;
  }
  return true;
}
