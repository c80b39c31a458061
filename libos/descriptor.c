#include "libos/descriptor.h"

#include <errno.h>
#include <stddef.h>

static struct descriptor table[OS_FDS_MAX];

struct descriptor *descriptor_get(int fd) {
  if (fd < 0 || fd >= (int)OS_FDS_MAX || table[fd].kind == DESCRIPTOR_FREE) {
    errno = EBADF;
    return NULL;
  }
  if (table[fd].kind == DESCRIPTOR_LOST) {
    errno = EIO;
    return NULL;
  }
  return &table[fd];
}

int descriptor_free(int from) {
  for (int fd = from < 0 ? 0 : from; fd < (int)OS_FDS_MAX; fd++)
    if (table[fd].kind == DESCRIPTOR_FREE) return fd;
  errno = EMFILE;
  return -1;
}

int descriptor_put(int fd, struct descriptor d) {
  table[fd] = d;
  return fd;
}

static bool stands_for(const struct descriptor *d, endpoint_t server, uint32_t handle) {
  return d->kind >= DESCRIPTOR_FILE && d->kind <= DESCRIPTOR_SOCKET && d->server == server &&
         d->handle == handle;
}

void descriptor_given(endpoint_t server, uint32_t handle) {
  for (int fd = 0; fd < (int)OS_FDS_MAX; fd++)
    if (stands_for(&table[fd], server, handle)) table[fd].kind = DESCRIPTOR_LOST;
}

int descriptor_new(enum descriptor_kind kind, endpoint_t server, uint32_t handle, uint32_t flags) {
  descriptor_given(server, handle);
  int fd = descriptor_free(0);
  if (fd < 0) return -1;
  return descriptor_put(
      fd, (struct descriptor){.kind = kind, .server = server, .handle = handle, .flags = flags});
}

bool descriptor_drop(int fd) {
  struct descriptor old = table[fd];
  table[fd] = (struct descriptor){0};
  if (old.kind == DESCRIPTOR_NULL || old.kind == DESCRIPTOR_LOST) return false;
  for (int i = 0; i < (int)OS_FDS_MAX; i++)
    if (stands_for(&table[i], old.server, old.handle)) return false;
  return true;
}

void descriptor_server_lost(endpoint_t server) {
  for (int fd = 0; fd < (int)OS_FDS_MAX; fd++)
    if (table[fd].kind != DESCRIPTOR_FREE && table[fd].server == server)
      table[fd].kind = DESCRIPTOR_LOST;
}

void descriptor_ready(endpoint_t server, uint32_t handle, uint32_t add, uint32_t remove) {
  for (int fd = 0; fd < (int)OS_FDS_MAX; fd++)
    if (stands_for(&table[fd], server, handle)) table[fd].ready = (table[fd].ready | add) & ~remove;
}
