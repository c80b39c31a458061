#include "libos/path.h"

#include <errno.h>
#include <string.h>

#include "libos/ask.h"
#include "libos/cwd.h"
#include "libos/os.h"
#include "libos/start.h"

/* @return whether to try again with the working directory at another handle */
static bool lost_directory(int r, const msg_t *before, msg_t *m) {
  if (r == 0 || errno != EBADF || !cwd_handle() || !cwd_reopen()) return false;
  *m = *before;
  return true;
}

int path_ask(msg_t *m, uint32_t *dir, const char *path, void *in, size_t in_cap) {
  size_t n = strlen(path);
  if (n == 0) return fail(-ENOENT);
  if (n > FS_PATH_MAX) return fail(-ENAMETOOLONG);
  msg_t before = *m;
  int r;
  do {
    *dir = *path == '/' ? 0 : cwd_handle();
    r = ask_bulk(server_endpoint(SERVER_STORAGE), m, path, n, in, in_cap);
  } while (*path != '/' && lost_directory(r, &before, m));
  return r;
}

/* The same with two paths; a NULL `to_dir` when the first is no path but text. */
static int ask_two(msg_t *m, uint32_t *dir, uint32_t *to_dir, const char *one, const char *two) {
  char both[2 * (FS_PATH_MAX + 1)];
  size_t n = strlen(one), k = strlen(two);
  if (n == 0 || k == 0) return fail(-ENOENT);
  if (n > FS_PATH_MAX || k > FS_PATH_MAX) return fail(-ENAMETOOLONG);
  memcpy(both, one, n + 1);
  memcpy(both + n + 1, two, k);
  msg_t before = *m;
  int r;
  do {
    *dir = cwd_handle();
    if (to_dir) *to_dir = cwd_handle();
    r = ask_bulk(server_endpoint(SERVER_STORAGE), m, both, n + 1 + k, NULL, 0);
  } while (lost_directory(r, &before, m));
  return r;
}

static struct timespec time_of(int64_t ns) {
  struct timespec t = {ns / 1000000000, ns % 1000000000};
  if (t.tv_nsec < 0) {
    t.tv_sec--;
    t.tv_nsec += 1000000000;
  }
  return t;
}

void path_stat_convert(const struct fs_stat *from, struct stat *to) {
  *to = (struct stat){
      .st_ino = from->inode,
      .st_mode = from->mode,
      .st_nlink = from->links,
      .st_uid = from->user,
      .st_gid = from->group,
      .st_size = (off_t)from->bytes,
      .st_blksize = 4096,
      .st_blocks = (blkcnt_t)from->sectors,
      .st_atim = time_of(from->accessed_ns),
      .st_mtim = time_of(from->modified_ns),
      .st_ctim = time_of(from->changed_ns),
  };
}

static int stat_path(const char *path, uint32_t flags, struct stat *st) {
  struct fs_stat raw;
  msg_t m = {.type = FS_STAT};
  IPC(&m, fs_stat_path)->flags = flags;
  if (path_ask(&m, &IPC(&m, fs_stat_path)->dir, path, &raw, sizeof raw) < 0) return -1;
  if (m.payload != sizeof raw) return fail(-EIO);
  path_stat_convert(&raw, st);
  return 0;
}

int os_stat(const char *path, struct stat *st) {
  return stat_path(path, 0, st);
}

int os_lstat(const char *path, struct stat *st) {
  return stat_path(path, FS_NO_FOLLOW, st);
}

int os_access(const char *path, int how) {
  msg_t m = {.type = FS_ACCESS};
  IPC(&m, fs_access)->how = (how & R_OK ? FS_MAY_READ : 0u) | (how & W_OK ? FS_MAY_WRITE : 0u) |
                            (how & X_OK ? FS_MAY_EXECUTE : 0u);
  return path_ask(&m, &IPC(&m, fs_access)->dir, path, NULL, 0);
}

static mode_t mask;

mode_t os_umask(mode_t new_mask) {
  mode_t before = mask;
  char text[8];
  mask = new_mask & 0777;
  snprintf(text, sizeof text, "%03o", mask);
  setenv(VARIABLE_UMASK, text, 1);
  return before;
}

int os_mkdir(const char *path, mode_t mode) {
  msg_t m = {.type = FS_MAKE_DIR};
  IPC(&m, fs_make_dir)->mode = mode & 07777 & ~mask;
  return path_ask(&m, &IPC(&m, fs_make_dir)->dir, path, NULL, 0);
}

static int remove_path(const char *path, uint32_t directory) {
  msg_t m = {.type = FS_REMOVE};
  IPC(&m, fs_remove)->directory = directory;
  return path_ask(&m, &IPC(&m, fs_remove)->dir, path, NULL, 0);
}

int os_rmdir(const char *path) {
  return remove_path(path, 1);
}

int os_unlink(const char *path) {
  return remove_path(path, 0);
}

int os_rename(const char *from, const char *to) {
  msg_t m = {.type = FS_RENAME};
  return ask_two(&m, &IPC(&m, fs_rename)->dir, &IPC(&m, fs_rename)->to_dir, from, to);
}

int os_link(const char *from, const char *to) {
  msg_t m = {.type = FS_LINK};
  return ask_two(&m, &IPC(&m, fs_link)->dir, &IPC(&m, fs_link)->to_dir, from, to);
}

int os_symlink(const char *says, const char *path) {
  msg_t m = {.type = FS_SYMLINK};
  return ask_two(&m, &IPC(&m, fs_symlink)->dir, NULL, says, path);
}

ssize_t os_readlink(const char *path, char *says, size_t bytes) {
  msg_t m = {.type = FS_READ_LINK};
  if (path_ask(&m, &IPC(&m, fs_read_link)->dir, path, says, bytes) < 0) return -1;
  return (ssize_t)(m.payload < bytes ? m.payload : bytes);
}

int os_chmod(const char *path, mode_t mode) {
  msg_t m = {.type = FS_SET_MODE};
  IPC(&m, fs_set_mode)->mode = mode & 07777;
  return path_ask(&m, &IPC(&m, fs_set_mode)->dir, path, NULL, 0);
}

int os_chown(const char *path, uid_t user, gid_t group) {
  msg_t m = {.type = FS_SET_OWNER};
  IPC(&m, fs_set_owner)->user = user;
  IPC(&m, fs_set_owner)->group = group;
  return path_ask(&m, &IPC(&m, fs_set_owner)->dir, path, NULL, 0);
}

static uint64_t fs_time(const struct timespec *t) {
  if (!t || t->tv_nsec == UTIME_NOW) return (uint64_t)FS_TIME_NOW;
  if (t->tv_nsec == UTIME_OMIT) return (uint64_t)FS_TIME_LEAVE;
  return (uint64_t)((int64_t)t->tv_sec * 1000000000 + t->tv_nsec);
}

int os_utimens(const char *path, const struct timespec times[2]) {
  msg_t m = {.type = FS_SET_TIMES};
  IPC(&m, fs_set_times)->accessed_ns = fs_time(times ? &times[0] : NULL);
  IPC(&m, fs_set_times)->modified_ns = fs_time(times ? &times[1] : NULL);
  return path_ask(&m, &IPC(&m, fs_set_times)->dir, path, NULL, 0);
}

int os_truncate(const char *path, off_t bytes) {
  int fd = os_open(path, O_WRONLY);
  if (fd < 0) return -1;
  int r = os_ftruncate(fd, bytes), error = errno;
  os_close(fd);
  errno = error;
  return r;
}

int os_sync(void) {
  msg_t m = {.type = FS_SYNC};
  return ask(server_endpoint(SERVER_STORAGE), &m);
}

int os_statvfs(struct statvfs *st) {
  struct fs_statfs raw;
  msg_t m = {.type = FS_STATFS};
  if (ask_bulk(server_endpoint(SERVER_STORAGE), &m, NULL, 0, &raw, sizeof raw) < 0) return -1;
  if (m.payload != sizeof raw) return fail(-EIO);
  *st = (struct statvfs){.f_bsize = raw.block_bytes,
                         .f_frsize = raw.block_bytes,
                         .f_blocks = raw.blocks,
                         .f_bfree = raw.blocks_free,
                         .f_bavail = raw.blocks_available,
                         .f_files = raw.inodes,
                         .f_ffree = raw.inodes_free,
                         .f_favail = raw.inodes_free,
                         .f_flag = raw.read_only ? ST_RDONLY : 0,
                         .f_namemax = raw.name_max};
  return 0;
}
