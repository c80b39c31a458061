/* Requests by name. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "servers/storage/names.h"
#include "servers/storage/request.h"
#include "servers/storage/volume.h"

/* ---- opening ---- */

static int32_t may_open(const struct node *n, struct credentials who, uint32_t flags) {
  uint32_t mode = n->inode.i_mode;
  unsigned how = (flags & FS_READ ? FS_MAY_READ : 0) | (flags & FS_WRITE ? FS_MAY_WRITE : 0);
  if (S_ISLNK(mode)) return -ELOOP;
  if (flags & FS_DIRECTORY && !S_ISDIR(mode)) return -ENOTDIR;
  if (S_ISDIR(mode) && flags & (FS_WRITE | FS_TRUNCATE | FS_CREATE)) return -EISDIR;
  if (!S_ISDIR(mode) && !S_ISREG(mode)) return -EACCES;
  if (flags & FS_WRITE) {
    int error = volume_may_write();
    if (error) return error;
  }
  return path_may(n, who, how);
}

static int32_t open_node(struct request *r, struct node *n, uint32_t flags, bool made) {
  int32_t status = made ? 0 : may_open(n, r->who, flags);
  bool truncate = flags & FS_TRUNCATE && flags & FS_WRITE && !made;
  if (!status && truncate) status = data_truncate(n, 0);
  if (status) return status;
  int64_t handle = files_open(r->m->source, n, flags);
  if (handle < 0) return (int32_t)handle;
  IPC_REPLY(&r->reply, fs_open)->handle = (uint32_t)handle;
  IPC_REPLY(&r->reply, fs_open)->bytes = node_bytes(n);
  IPC_REPLY(&r->reply, fs_open)->type = n->inode.i_mode;
  return 0;
}

/* What is not there, and is to be made. */
static int32_t make_file(struct request *r, const struct place *place, uint32_t *ino) {
  const struct fs_open *q = IPC(r->m, fs_open);
  if (!(q->flags & FS_CREATE)) return -ENOENT;
  int32_t error = volume_may_write();
  if (!error && q->flags & FS_DIRECTORY) error = -EINVAL;
  if (!error) error = request_inode();
  if (!error) error = request_room();
  return error ? error : names_make_file(place, r->who, S_IFREG | (q->mode & 07777), ino);
}

int32_t do_open(struct request *r) {
  const struct fs_open *q = IPC(r->m, fs_open);
  struct place place;
  struct node *n;
  bool exclusive = q->flags & FS_CREATE && q->flags & FS_EXCLUSIVE;
  bool follow = !(q->flags & FS_NO_FOLLOW) && !exclusive;
  if (!(q->flags & (FS_READ | FS_WRITE))) return -EINVAL;
  int32_t error = request_place(r, q->dir, follow, &place);
  if (!error) error = files_room(r->m->source); /* before anything is made or cut */
  if (error) return error;
  bool made = !place.ino;
  if (!made && exclusive) return -EEXIST;
  if (made) error = make_file(r, &place, &place.ino);
  if (!error) error = node_get(place.ino, &n);
  if (error) return error;
  if (place.ends_with_slash && !S_ISDIR(n->inode.i_mode)) error = -ENOTDIR;
  if (!error) error = open_node(r, n, q->flags, made);
  if (error) node_put(n);
  return error;
}

/* ---- looking ---- */

int32_t do_stat(struct request *r) {
  const struct fs_stat_path *q = IPC(r->m, fs_stat_path);
  struct node *n;
  int error = request_node(r, q->dir, !(q->flags & FS_NO_FOLLOW), &n);
  if (error) return error;
  request_stat(r, n);
  node_put(n);
  return 0;
}

int32_t do_access(struct request *r) {
  const struct fs_access *q = IPC(r->m, fs_access);
  struct node *n;
  if (q->how & ~(uint32_t)(FS_MAY_READ | FS_MAY_WRITE | FS_MAY_EXECUTE)) return -EINVAL;
  int error = request_node(r, q->dir, true, &n);
  if (error) return error;
  error = path_may(n, r->who, q->how);
  if (!error && q->how & FS_MAY_WRITE) error = volume_may_write();
  node_put(n);
  return error;
}

int32_t do_read_link(struct request *r) {
  struct node *n;
  int error = request_node(r, IPC(r->m, fs_read_link)->dir, false, &n);
  if (error) return error;
  int bytes = path_read_link(n, request_buffer(), FS_PATH_MAX);
  node_put(n);
  if (bytes < 0) return bytes;
  r->out = request_buffer();
  r->out_bytes = (uint32_t)bytes;
  return 0;
}

/* ---- changing ---- */

int32_t do_make_dir(struct request *r) {
  const struct fs_make_dir *q = IPC(r->m, fs_make_dir);
  struct place place;
  int error = request_place(r, q->dir, false, &place);
  return error ? error : names_make_dir(&place, r->who, q->mode);
}

int32_t do_remove(struct request *r) {
  const struct fs_remove *q = IPC(r->m, fs_remove);
  struct place place;
  int error = request_place(r, q->dir, false, &place);
  return error ? error : names_remove(&place, r->who, q->directory);
}

/* Two paths, each from a directory of its own. */
static int two_places(struct request *r, uint32_t dir, uint32_t to_dir, struct place *from,
                      struct place *to) {
  struct path paths[2];
  int error = path_split(r->payload, r->m->payload, 2, paths);
  if (!error) error = request_dir(r, dir, &paths[0].start);
  if (!error) error = request_dir(r, to_dir, &paths[1].start);
  if (!error) error = path_find(&paths[0], r->who, false, from);
  return error ? error : path_find(&paths[1], r->who, false, to);
}

int32_t do_rename(struct request *r) {
  const struct fs_rename *q = IPC(r->m, fs_rename);
  struct place from, to;
  int error = two_places(r, q->dir, q->to_dir, &from, &to);
  return error ? error : names_rename(&from, &to, r->who);
}

int32_t do_link(struct request *r) {
  const struct fs_link *q = IPC(r->m, fs_link);
  struct place from, to;
  int error = two_places(r, q->dir, q->to_dir, &from, &to);
  return error ? error : names_link(&from, &to, r->who);
}

int32_t do_symlink(struct request *r) {
  static char text[FS_PATH_MAX + 1];
  struct path paths[2];
  struct place place;
  int error = path_split(r->payload, r->m->payload, 2, paths);
  if (!error) error = request_dir(r, IPC(r->m, fs_symlink)->dir, &paths[1].start);
  if (!error) error = path_find(&paths[1], r->who, false, &place);
  if (error) return error;
  memcpy(text, paths[0].text, paths[0].length);
  text[paths[0].length] = 0;
  return names_make_link(&place, r->who, text);
}
