/* Open files, and what all descriptors have in common. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "libos/ask.h"
#include "libos/cwd.h"
#include "libos/descriptor.h"
#include "libos/os.h"
#include "libos/path.h"
#include "libos/signals.h"
#include "libos/transfer.h"
#include "libsys/if/fs.h"
#include "libsys/if/io.h"
#include "libsys/if/pipe.h"
#include "libsys/if/sock.h"
#include "libsys/if/tty.h"
#include "libsys/sys.h"

#define OPEN_FLAGS                                                                                 \
  (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK |     \
   O_CLOEXEC | O_LARGEFILE)

/* What every handle ends with. */
static void close_handle(const struct descriptor *d) {
  msg_t m = {.type = IO_CLOSE};
  if (d->kind == DESCRIPTOR_SOCKET) {
    m.type = SOCK_CLOSE;
    IPC(&m, sock_close)->handle = d->handle;
  } else {
    IPC(&m, io_close)->handle = d->handle;
  }
  ask(d->server, &m);
}

int handle_install(enum descriptor_kind kind, endpoint_t server, uint32_t handle, uint32_t flags) {
  int fd = descriptor_new(kind, server, handle, flags);
  if (kind == DESCRIPTOR_FILE) cwd_given(handle);
  if (fd < 0) {
    struct descriptor d = {.kind = kind, .server = server, .handle = handle};
    close_handle(&d);
    errno = EMFILE;
  }
  return fd;
}

static int open_console(uint32_t flags) {
  endpoint_t tty = server_endpoint(SERVER_TTY);
  msg_t m = {.type = TTY_OPEN};
  if (ask(tty, &m) < 0) return -1;
  return handle_install(DESCRIPTOR_CONSOLE, tty, IPC_REPLY(&m, tty_open)->handle, flags);
}

static int open_null(uint32_t flags) {
  int fd = descriptor_free(0);
  if (fd < 0) return -1;
  return descriptor_put(fd, (struct descriptor){.kind = DESCRIPTOR_NULL, .flags = flags});
}

static uint32_t fs_flags(int flags) {
  static const uint32_t access[] = {
      [O_RDONLY] = FS_READ, [O_WRONLY] = FS_WRITE, [O_RDWR] = FS_READ | FS_WRITE};
  static const struct {
    int os;
    uint32_t fs;
  } pairs[] = {{O_CREAT, FS_CREATE},  {O_EXCL, FS_EXCLUSIVE},      {O_TRUNC, FS_TRUNCATE},
               {O_APPEND, FS_APPEND}, {O_DIRECTORY, FS_DIRECTORY}, {O_NOFOLLOW, FS_NO_FOLLOW}};
  uint32_t fs = access[flags & O_ACCMODE];
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
    if (flags & pairs[i].os) fs |= pairs[i].fs;
  return fs;
}

int os_open(const char *path, int flags, ...) {
  mode_t mode = 0;
  if (flags & O_CREAT) {
    va_list args;
    va_start(args, flags);
    mode = va_arg(args, mode_t);
    va_end(args);
  }
  if (flags & ~OPEN_FLAGS || (flags & O_ACCMODE) == O_ACCMODE) return fail(-EINVAL);
  uint32_t own = flags & O_NONBLOCK ? DESCRIPTOR_NONBLOCK : 0;
  if (strcmp(path, "/dev/null") == 0) return open_null(own);
  if (strcmp(path, "/dev/console") == 0 || strcmp(path, "/dev/tty") == 0) return open_console(own);
  mode_t mask = os_umask(0);
  os_umask(mask);
  msg_t m = {.type = FS_OPEN};
  IPC(&m, fs_open)->flags = fs_flags(flags);
  IPC(&m, fs_open)->mode = mode & 07777 & ~mask;
  if (path_ask(&m, &IPC(&m, fs_open)->dir, path, NULL, 0) < 0) return -1;
  return handle_install(DESCRIPTOR_FILE, server_endpoint(SERVER_STORAGE),
                        IPC_REPLY(&m, fs_open)->handle, own);
}

int os_close(int fd) {
  struct descriptor *d = descriptor_get(fd);
  if (!d && errno == EBADF) return -1;
  struct descriptor old = d ? *d : (struct descriptor){0};
  if (descriptor_drop(fd)) close_handle(&old);
  return 0;
}

int os_dup_from(int fd, int from) {
  struct descriptor *d = descriptor_get(fd);
  if (!d) return -1;
  int to = descriptor_free(from);
  return to < 0 ? -1 : descriptor_put(to, *d);
}

int os_dup(int fd) {
  return os_dup_from(fd, 0);
}

int os_dup2(int fd, int to) {
  struct descriptor *d = descriptor_get(fd);
  if (!d) return -1;
  if (to < 0 || to >= (int)OS_FDS_MAX) return fail(-EBADF);
  if (fd == to) return to;
  os_close(to);
  return descriptor_put(to, *d);
}

int os_pipe(int fds[2]) {
  endpoint_t server = server_endpoint(SERVER_PIPE);
  msg_t m = {.type = PIPE_MAKE};
  if (ask(server, &m) < 0) return -1;
  struct pipe_make_reply made = *IPC_REPLY(&m, pipe_make);
  fds[0] = handle_install(DESCRIPTOR_PIPE, server, made.reader, 0);
  fds[1] = handle_install(DESCRIPTOR_PIPE, server, made.writer, 0);
  if (fds[0] >= 0 && fds[1] >= 0) return 0;
  if (fds[0] >= 0) os_close(fds[0]);
  return fail(-EMFILE);
}

int os_set_nonblock(int fd, bool on) {
  struct descriptor *d = descriptor_get(fd);
  if (!d) return -1;
  d->flags = on ? d->flags | DESCRIPTOR_NONBLOCK : d->flags & ~(uint32_t)DESCRIPTOR_NONBLOCK;
  return 0;
}

off_t os_lseek(int fd, off_t offset, int whence) {
  static const uint32_t from[] = {
      [SEEK_SET] = FS_FROM_START, [SEEK_CUR] = FS_FROM_POSITION, [SEEK_END] = FS_FROM_END};
  struct descriptor *d = descriptor_get(fd);
  if (!d) return -1;
  if (d->kind != DESCRIPTOR_FILE) return fail(-ESPIPE);
  if (whence < SEEK_SET || whence > SEEK_END) return fail(-EINVAL);
  msg_t m = {.type = FS_SEEK};
  IPC(&m, fs_seek)->handle = d->handle;
  IPC(&m, fs_seek)->offset = (uint64_t)offset;
  IPC(&m, fs_seek)->whence = from[whence];
  return ask(d->server, &m) < 0 ? -1 : (off_t)IPC_REPLY(&m, fs_seek)->position;
}

int os_fstat(int fd, struct stat *st) {
  static const mode_t modes[] = {[DESCRIPTOR_PIPE] = S_IFIFO | 0600,
                                 [DESCRIPTOR_CONSOLE] = S_IFCHR | 0620,
                                 [DESCRIPTOR_SOCKET] = S_IFSOCK | 0600,
                                 [DESCRIPTOR_NULL] = S_IFCHR | 0666};
  struct descriptor *d = descriptor_get(fd);
  if (!d) return -1;
  if (d->kind != DESCRIPTOR_FILE) {
    *st = (struct stat){.st_mode = modes[d->kind], .st_nlink = 1, .st_blksize = 4096};
    return 0;
  }
  struct fs_stat raw;
  msg_t m = {.type = FS_STAT_FILE};
  IPC(&m, fs_stat_file)->handle = d->handle;
  if (ask_bulk(d->server, &m, NULL, 0, &raw, sizeof raw) < 0) return -1;
  if (m.payload != sizeof raw) return fail(-EIO);
  path_stat_convert(&raw, st);
  return 0;
}

int os_ftruncate(int fd, off_t bytes) {
  struct descriptor *d = descriptor_get(fd);
  if (!d) return -1;
  if (d->kind != DESCRIPTOR_FILE || bytes < 0) return fail(-EINVAL);
  msg_t m = {.type = FS_TRUNCATE_FILE};
  IPC(&m, fs_truncate)->handle = d->handle;
  IPC(&m, fs_truncate)->bytes = (uint64_t)bytes;
  return ask(d->server, &m);
}

int os_fsync(int fd) {
  struct descriptor *d = descriptor_get(fd);
  if (!d) return -1;
  if (d->kind != DESCRIPTOR_FILE) return fail(-EINVAL);
  msg_t m = {.type = FS_SYNC_FILE};
  IPC(&m, fs_sync_file)->handle = d->handle;
  return ask(d->server, &m);
}
