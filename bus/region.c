#include "bus/region.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bus/bus.h"

static int *fds; /* by position in the manifest */

int region_init(void) {
  const struct manifest *m = bus.manifest;
  fds = calloc(m->regions_count + 1, sizeof(*fds));
  if (!fds) return -ENOMEM;
  for (unsigned i = 0; i < m->regions_count; i++) {
    fds[i] = memfd_create(m->regions[i].name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fds[i] < 0 || ftruncate(fds[i], (off_t)m->regions[i].bytes) < 0) return -errno;
    /* Nobody can cut off the memory that others have mapped. */
    if (fcntl(fds[i], F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) return -errno;
  }
  return 0;
}

static int may_map(const struct manifest_region *r, const struct endpoint *e) {
  for (unsigned i = 0; i < r->share_count; i++)
    if (strcmp(r->share[i], e->component->name) == 0) return 1;
  return 0;
}

int region_for(const struct endpoint *e, const char *name, uint64_t *bytes) {
  const struct manifest *m = bus.manifest;
  for (unsigned i = 0; i < m->regions_count; i++) {
    if (strcmp(m->regions[i].name, name) != 0) continue;
    *bytes = m->regions[i].bytes;
    return may_map(&m->regions[i], e) ? fds[i] : -EPERM;
  }
  return -ENOENT;
}
