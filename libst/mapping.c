#include "libst/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libst/descriptor.h"
#include "libst/st.h"

struct mapping mappings[MAPPINGS_MAX];
unsigned mapping_count, mapping_changes;

static int protection(int fd) {
  return (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY ? PROT_READ : PROT_READ | PROT_WRITE;
}

static int map_at(uintptr_t address, size_t bytes, int prot, int fd) {
  if (mapping_count == MAPPINGS_MAX) return -ENOSPC;
  void *p = mmap((void *)address, bytes, prot, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
  if (p == MAP_FAILED) return -errno;
  mappings[mapping_count++] = (struct mapping){address, bytes, descriptor_hide(fd)};
  mapping_changes++;
  return 0;
}

/* The first gap in the window; a page is left free after each mapping, so that one-past-the-end of
 * one is not the start of the next. */
static uintptr_t free_address(size_t bytes) {
  uintptr_t at = MAPPING_BASE;
  for (bool moved = true; moved;) {
    moved = false;
    for (unsigned i = 0; i < mapping_count; i++) {
      uintptr_t end = mappings[i].address + mappings[i].bytes + 4096;
      if (at < end && mappings[i].address < at + bytes + 4096) {
        at = (end + 4095) & ~4095ul;
        moved = true;
      }
    }
  }
  return at + bytes <= MAPPING_BASE + MAPPING_BYTES ? at : 0;
}

/* The mapping of the same object, if there is one. */
static const struct mapping *mapping_of(int fd) {
  struct stat wanted, st;
  if (fstat(fd, &wanted) < 0) return NULL;
  for (unsigned i = 0; i < mapping_count; i++)
    if (fstat(mappings[i].fd, &st) == 0 && st.st_dev == wanted.st_dev && st.st_ino == wanted.st_ino)
      return &mappings[i];
  return NULL;
}

void *st_map_shared(int fd, size_t bytes) {
  if (bytes == 0) {
    errno = EINVAL;
    return NULL;
  }
  const struct mapping *known = mapping_of(fd);
  if (known) {
    if (known->bytes < bytes) {
      errno = EINVAL;
      return NULL;
    }
    close(fd);
    return (void *)known->address;
  }
  uintptr_t at = free_address(bytes);
  int err = at ? map_at(at, bytes, protection(fd), fd) : -ENOMEM;
  if (err) {
    errno = -err;
    return NULL;
  }
  return (void *)at;
}

void *st_map_run(const int *fds, unsigned n, size_t bytes) {
  uintptr_t at = n && bytes && bytes % 4096 == 0 ? free_address(n * bytes) : 0;
  int err = at ? 0 : -EINVAL;
  unsigned done = 0;
  for (; !err && done < n; done += !err)
    err = map_at(at + done * bytes, bytes, protection(fds[done]), fds[done]);
  if (!err) return (void *)at;
  for (unsigned i = done; i < n; i++)
    close(fds[i]);
  if (done) st_unmap_shared((void *)at, done * bytes);
  errno = -err;
  return NULL;
}

int st_unmap_shared(void *address, size_t bytes) {
  uintptr_t from = (uintptr_t)address;
  unsigned kept = 0, before = mapping_count;
  for (unsigned i = 0; i < before; i++) {
    struct mapping m = mappings[i];
    if (m.address >= from && m.bytes <= bytes && m.address - from <= bytes - m.bytes) {
      munmap((void *)m.address, m.bytes);
      descriptor_close(m.fd);
    } else {
      mappings[kept++] = m;
    }
  }
  mapping_count = kept;
  if (kept != before) mapping_changes++;
  return kept == before ? -EINVAL : 0;
}

int mapping_adopt(uintptr_t address, size_t bytes, int fd) {
  if (address < MAPPING_BASE || bytes > MAPPING_BYTES ||
      address - MAPPING_BASE > MAPPING_BYTES - bytes)
    return -EPROTO;
  return map_at(address, bytes, PROT_READ, fd);
}

int mappings_commit(void) {
  for (unsigned i = 0; i < mapping_count; i++)
    if (mprotect((void *)mappings[i].address, mappings[i].bytes, protection(mappings[i].fd)) < 0)
      return -errno;
  return 0;
}

static const struct mapping *mapping_at(uintptr_t address) {
  for (unsigned i = 0; i < mapping_count; i++)
    if (address - mappings[i].address < mappings[i].bytes) return &mappings[i];
  return NULL;
}

bool mapping_has(uintptr_t address, size_t bytes) {
  const struct mapping *m = mapping_at(address);
  for (; m; m = mapping_at(address)) {
    size_t left = m->bytes - (address - m->address);
    if (bytes <= left) return true;
    address += left; /* a run goes on in the next one */
    bytes -= left;
  }
  return false;
}
