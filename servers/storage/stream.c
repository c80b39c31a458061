/* Requests of open files. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "libsys/if/io.h"
#include "libsys/if/mem.h"
#include "servers/lent/lent.h"
#include "servers/storage/cache.h"
#include "servers/storage/commit.h"
#include "servers/storage/directory.h"
#include "servers/storage/disk.h"
#include "servers/storage/request.h"
#include "servers/storage/sync.h"
#include "servers/storage/volume.h"

static struct file *file_of(const struct request *r, uint32_t handle) {
  return files_find(r->m->source, handle);
}

/* What one request through lent memory moves at most. */
static uint32_t most_lent(uint32_t bytes) {
  uint32_t most = request_bytes_max();
  return bytes < most ? bytes : most;
}

static int find_writable(const struct request *r, uint32_t handle, struct file **f) {
  *f = file_of(r, handle);
  return *f && (*f)->flags & FS_WRITE ? 0 : -EBADF;
}

/* @param asked  where, or IO_POSITION
 * @return bytes, or as data_read() */
static int32_t read_at(struct file *f, uint64_t asked, uint32_t max, void *out) {
  uint64_t offset = asked == IO_POSITION ? f->position : asked;
  int32_t n = data_read(f->node, offset, max, out);
  if (n > 0 && asked == IO_POSITION) f->position += (uint32_t)n;
  return n;
}

static int32_t write_at(struct file *f, uint64_t asked, uint32_t bytes, const void *in) {
  bool at_position = asked == IO_POSITION;
  uint64_t offset = f->flags & FS_APPEND ? node_bytes(f->node) : at_position ? f->position : asked;
  int32_t n = bytes ? data_write(f->node, offset, bytes, in) : 0;
  if (n >= 0 && at_position) f->position = offset + (uint32_t)n;
  return n;
}

int32_t do_read(struct request *r) {
  const struct io_read *q = IPC(r->m, io_read);
  struct file *f;
  int error = request_readable(r, q->handle, &f);
  if (error) return error;
  uint32_t max = q->max < SYS_PAYLOAD_MAX ? q->max : SYS_PAYLOAD_MAX;
  int32_t n = read_at(f, q->offset, max, request_buffer());
  if (n < 0) return n;
  r->out = request_buffer();
  r->out_bytes = (uint32_t)n;
  return 0;
}

int32_t do_write(struct request *r) {
  const struct io_write *q = IPC(r->m, io_write);
  struct file *f;
  int error = find_writable(r, q->handle, &f);
  if (error) return error;
  int32_t n = write_at(f, q->offset, r->m->payload, r->payload);
  if (n < 0) return n;
  IPC_REPLY(&r->reply, io_write)->taken = (uint32_t)n;
  return 0;
}

int32_t do_read_into(struct request *r) {
  const struct io_read_into *q = IPC(r->m, io_read_into);
  struct file *f;
  void *out;
  int error = request_readable(r, q->handle, &f);
  if (!error)
    error = lent_find(r->m->source, q->grant, q->at, q->bytes, MEM_READ | MEM_WRITE, &out);
  if (error) return error;
  int32_t n = read_at(f, q->offset, most_lent(q->bytes), out);
  if (n < 0) return n;
  IPC_REPLY(&r->reply, io_read_into)->taken = (uint32_t)n;
  return 0;
}

int32_t do_write_from(struct request *r) {
  const struct io_write_from *q = IPC(r->m, io_write_from);
  struct file *f;
  void *in;
  int error = find_writable(r, q->handle, &f);
  if (!error) error = lent_find(r->m->source, q->grant, q->at, q->bytes, MEM_READ, &in);
  if (error) return error;
  int32_t n = write_at(f, q->offset, most_lent(q->bytes), in);
  if (n < 0) return n;
  IPC_REPLY(&r->reply, io_write_from)->taken = (uint32_t)n;
  return 0;
}

int32_t do_close(struct request *r) {
  return files_close(r->m->source, IPC(r->m, io_close)->handle);
}

static bool may_duplicate(const struct request *r, endpoint_t from, endpoint_t to) {
  bool own = from == r->m->source && to == from;
  return own || strcmp(sys_name(r->m->source), "pm") == 0;
}

int32_t do_duplicate(struct request *r) {
  const struct io_duplicate *q = IPC(r->m, io_duplicate);
  if (!may_duplicate(r, q->from, q->to)) return -EPERM;
  int64_t handle = files_duplicate(q->from, q->handle, q->to);
  if (handle < 0) return (int32_t)handle;
  IPC_REPLY(&r->reply, io_duplicate)->handle = (uint32_t)handle;
  return 0;
}

/* Files are always ready. */
int32_t do_watch(struct request *r) {
  if (!file_of(r, IPC(r->m, io_watch)->handle)) return -EBADF;
  IPC_REPLY(&r->reply, io_watch)->events = IPC(r->m, io_watch)->events & (IO_IN | IO_OUT);
  return 0;
}

int32_t do_seek(struct request *r) {
  const struct fs_seek *q = IPC(r->m, fs_seek);
  struct file *f = file_of(r, q->handle);
  if (!f) return -EBADF;
  if (q->whence > FS_FROM_END) return -EINVAL;
  uint64_t from = q->whence == FS_FROM_START      ? 0
                  : q->whence == FS_FROM_POSITION ? f->position
                                                  : node_bytes(f->node);
  uint64_t position = from + q->offset; /* which may be negative, in two's complement */
  if ((int64_t)position < 0) return -EINVAL;
  f->position = position;
  IPC_REPLY(&r->reply, fs_seek)->position = position;
  return 0;
}

int32_t do_truncate(struct request *r) {
  const struct fs_truncate *q = IPC(r->m, fs_truncate);
  struct file *f = file_of(r, q->handle);
  if (!f) return -EBADF;
  if (!(f->flags & FS_WRITE)) return -EBADF;
  return data_truncate(f->node, q->bytes);
}

int32_t do_list(struct request *r) {
  const struct fs_list *q = IPC(r->m, fs_list);
  struct file *f = file_of(r, q->handle);
  if (!f) return -EBADF;
  if (!S_ISDIR(f->node->inode.i_mode)) return -ENOTDIR;
  uint32_t max = q->max < SYS_PAYLOAD_MAX ? q->max : SYS_PAYLOAD_MAX;
  int n = directory_list(f->node, q->from, request_buffer(), max);
  if (n < 0) return n;
  r->out = request_buffer();
  r->out_bytes = (uint32_t)n;
  return 0;
}

int32_t do_stat_file(struct request *r) {
  struct file *f = file_of(r, IPC(r->m, fs_stat_file)->handle);
  if (!f) return -EBADF;
  request_stat(r, f->node);
  return 0;
}

int32_t do_sync_file(struct request *r) {
  struct file *f = file_of(r, IPC(r->m, fs_sync_file)->handle);
  if (!f) return -EBADF;
  int error = volume_may_write();
  if (error) return error == -EROFS ? 0 : error;
  error = sync_add(r->m, commit_ask_with_data(f->node->ino));
  r->is_answered = !error;
  return error;
}
