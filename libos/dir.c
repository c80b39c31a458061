/* Directories, read entry by entry. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libos/ask.h"
#include "libos/descriptor.h"
#include "libos/os.h"
#include "libsys/if/fs.h"

enum { LIST_BYTES = 16384 };

struct os_dir {
  int fd;
  uint64_t next; /* where FS_LIST goes on */
  size_t at, used;
  struct os_dirent entry;
  char list[LIST_BYTES];
};

OS_DIR *os_opendir(const char *path) {
  int fd = os_open(path, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return NULL;
  OS_DIR *dir = calloc(1, sizeof *dir);
  if (!dir) {
    os_close(fd);
    errno = ENOMEM;
    return NULL;
  }
  dir->fd = fd;
  return dir;
}

static bool refill(OS_DIR *dir) {
  struct descriptor *d = descriptor_get(dir->fd);
  if (!d) return false;
  msg_t m = {.type = FS_LIST};
  IPC(&m, fs_list)->handle = d->handle;
  IPC(&m, fs_list)->from = dir->next;
  IPC(&m, fs_list)->max = sizeof dir->list;
  if (ask_bulk(d->server, &m, NULL, 0, dir->list, sizeof dir->list) < 0) return false;
  dir->at = 0;
  dir->used = m.payload < sizeof dir->list ? m.payload : sizeof dir->list;
  errno = 0;
  return dir->used > 0;
}

const struct os_dirent *os_readdir(OS_DIR *dir) {
  struct fs_entry e;
  if (dir->at >= dir->used && !refill(dir)) return NULL;
  const char *at = dir->list + dir->at;
  memcpy(&e, at, sizeof e);
  if (e.length < sizeof e + e.name_bytes || dir->at + e.length > dir->used) {
    errno = EIO;
    return NULL;
  }
  dir->at += e.length;
  dir->next = e.next;
  dir->entry.inode = e.inode;
  dir->entry.type = e.type;
  memcpy(dir->entry.name, at + offsetof(struct fs_entry, name), e.name_bytes);
  dir->entry.name[e.name_bytes] = 0;
  return &dir->entry;
}

int os_closedir(OS_DIR *dir) {
  int r = os_close(dir->fd);
  free(dir);
  return r;
}
