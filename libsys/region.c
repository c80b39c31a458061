/* Shared memory that the manifest declares. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libst/st.h"
#include "libsys/kern.h"
#include "libsys/runtime.h"

#define REGIONS_MAX 32

static struct region {
  char name[64];
  void *address;
  size_t bytes;
} regions[REGIONS_MAX];
static unsigned nregions;

static struct region *region_find(const char *name) {
  for (unsigned i = 0; i < nregions; i++)
    if (strcmp(regions[i].name, name) == 0) return &regions[i];
  return NULL;
}

/* libst keeps the address over updates. A plain program has no state and no updates. */
static void *map_shared(int fd, size_t bytes) {
  void *address;
  if (st_self())
    address = st_map_shared(fd, bytes);
  else
    address = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) address = NULL;
  /* Before commit a new version changes nothing that others see; st_commit() lifts this. */
  if (address && st_self() && !runtime.live && mprotect(address, bytes, PROT_READ)) address = NULL;
  if (!st_self() || !address) close(fd);
  return address;
}

/* @return the region, or NULL with errno set */
static struct region *region_open(const char *name) {
  struct region r = {0};
  if (strlen(name) >= sizeof(r.name) || nregions == REGIONS_MAX) {
    errno = ENOENT;
    return NULL;
  }
  strcpy(r.name, name);
  struct kern_args args = {
      .m = {.type = KERN_REGION}, .fd_out = -1, .out = name, .out_len = strlen(name) + 1};
  int error = kern_call(&args);
  if (!error && args.fd_in < 0) error = -EPROTO;
  if (error) {
    errno = -error;
    return NULL;
  }
  r.bytes = args.m.u64[0];
  r.address = map_shared(args.fd_in, r.bytes);
  if (!r.address) return NULL;
  regions[nregions] = r;
  return &regions[nregions++];
}

void *sys_region(const char *name, size_t *bytes) {
  struct region *r = region_find(name);
  if (!r) r = region_open(name);
  if (!r) return NULL;
  if (bytes) *bytes = r->bytes;
  return r->address;
}
