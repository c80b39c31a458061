#include "bus/region.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bus/bus.h"

static int *fds; /* by position in the manifest */

/* Of the manifest that is being prepared: regions of its own and those that it shares with the one
 * that runs. */
static struct {
  const struct manifest *manifest;
  int *fds;
} next;

static int position(const struct manifest *m, const char *name) {
  for (unsigned i = 0; m && i < m->regions_count; i++)
    if (strcmp(m->regions[i].name, name) == 0) return (int)i;
  return -1;
}

static int make(const struct manifest_region *r) {
  int fd = memfd_create(r->name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  /* Nobody can cut off the memory that others have mapped. */
  if (fd >= 0 && ftruncate(fd, (off_t)r->bytes) == 0 &&
      fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
    return fd;
  int error = -errno;
  if (fd >= 0) close(fd);
  return error;
}

/* The descriptor of a region that stays as it is, or -1. */
static int kept(const struct manifest_region *r) {
  int i = fds ? position(bus.manifest, r->name) : -1;
  return i >= 0 && bus.manifest->regions[i].bytes == r->bytes ? fds[i] : -1;
}

void region_unprepare(void) {
  for (unsigned i = 0; next.fds && i < next.manifest->regions_count; i++)
    if (next.fds[i] >= 0 && next.fds[i] != kept(&next.manifest->regions[i])) close(next.fds[i]);
  free(next.fds);
  next.fds = NULL;
  next.manifest = NULL;
}

int region_prepare(const struct manifest *m) {
  next.manifest = m;
  next.fds = malloc((m->regions_count + 1) * sizeof(*next.fds));
  if (!next.fds) return -ENOMEM;
  memset(next.fds, -1, (m->regions_count + 1) * sizeof(*next.fds));
  for (unsigned i = 0; i < m->regions_count; i++) {
    int fd = kept(&m->regions[i]);
    if (fd < 0) fd = make(&m->regions[i]);
    if (fd < 0) {
      region_unprepare();
      return fd;
    }
    next.fds[i] = fd;
  }
  return 0;
}

static bool is_next(int fd) {
  for (unsigned i = 0; i < next.manifest->regions_count; i++)
    if (next.fds[i] == fd) return true;
  return false;
}

void region_adopt(const struct manifest *former) {
  for (unsigned i = 0; former && i < former->regions_count; i++)
    if (!is_next(fds[i])) close(fds[i]);
  free(fds);
  fds = next.fds;
  next.fds = NULL;
  next.manifest = NULL;
}

int region_init(void) {
  int error = region_prepare(bus.manifest);
  if (!error) region_adopt(NULL);
  return error;
}

static int may_map(const struct manifest_region *r, const struct endpoint *e) {
  for (unsigned i = 0; i < r->share_count; i++)
    if (strcmp(r->share[i], e->component->name) == 0) return 1;
  return 0;
}

int region_for(const struct endpoint *e, const char *name, uint64_t *bytes) {
  int i = position(bus.manifest, name);
  if (i < 0) return -ENOENT;
  *bytes = bus.manifest->regions[i].bytes;
  return may_map(&bus.manifest->regions[i], e) ? fds[i] : -EPERM;
}
