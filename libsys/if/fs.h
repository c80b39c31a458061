/* Files and directories, between applications and the storage server. Handles are those of
 * libsys/if/io.h: IO_READ, IO_WRITE, IO_CLOSE, IO_DUPLICATE and IO_WATCH (always ready) go to
 * storage too.
 *
 * Paths come as payload, not NUL-terminated; two of them with one NUL between. A path that begins
 * with '/' begins at the root; any other at the directory with handle `dir`, where 0 is the root as
 * well. At most FS_PATH_MAX bytes, each name at most FS_NAME_MAX, and FS_LINKS_MAX symbolic links
 * on the way.
 *
 * Permissions are those of POSIX for the user of the calling process, which the process manager
 * tells (FS_CREDENTIALS); components of the manifest act as root.
 *
 * Errors in a reply's status: -ENOENT, -ENOTDIR, -EISDIR, -EEXIST, -EACCES, -EPERM, -EROFS,
 * -ENAMETOOLONG, -ELOOP, -ENOTEMPTY, -EXDEV, -EMLINK, -ENOSPC, -EFBIG, -EMFILE (too many open
 * files), -EBADF, -EINVAL, -EIO (the disk fails, or the file system is damaged), -ENOMEM. */
#ifndef PROTEOS_IF_FS_H
#define PROTEOS_IF_FS_H

#include "libsys/if/io.h"
#include "libsys/interface.h"

#define FS_PATH_MAX  4095u
#define FS_NAME_MAX  255u
#define FS_LINKS_MAX 40u

enum fs_open_flag {
  FS_READ = 1,
  FS_WRITE = 2,
  FS_CREATE = 4,
  FS_EXCLUSIVE = 8, /* with FS_CREATE: fail if it is there */
  FS_TRUNCATE = 16,
  FS_APPEND = 32,    /* each write goes to the end */
  FS_DIRECTORY = 64, /* fail if it is no directory */
  FS_NO_FOLLOW = 128 /* fail (-ELOOP) if it is a symbolic link; of FS_STAT: look at the link */
};

enum fs_may { FS_MAY_EXECUTE = 1, FS_MAY_WRITE = 2, FS_MAY_READ = 4 };

enum fs_whence { FS_FROM_START, FS_FROM_POSITION, FS_FROM_END };

/** Payload of a reply to FS_STAT and FS_STAT_FILE. Times in nanoseconds since 1970. */
struct fs_stat {
  uint64_t inode, bytes;
  uint64_t sectors; /* of 512 bytes that it takes */
  int64_t accessed_ns, modified_ns, changed_ns;
  uint32_t mode; /* type and permissions, as in POSIX's st_mode */
  uint32_t links, user, group;
};

/** One entry of FS_LIST's payload; the next one begins `length` bytes later. */
struct fs_entry {
  uint64_t inode;
  uint64_t next; /* FS_LIST from here goes on behind this entry */
  uint16_t length;
  uint8_t type; /* as in POSIX's d_type: 4 directory, 8 file, 10 symbolic link */
  uint8_t name_bytes;
  char name[]; /* not NUL-terminated */
};

/** Payload of a reply to FS_STATFS. Counts are in blocks. */
struct fs_statfs {
  uint32_t block_bytes, name_max;
  uint64_t blocks, blocks_free, blocks_available; /* to who is not root */
  uint64_t inodes, inodes_free;
  uint32_t read_only;
  uint32_t dirty_pages; /* in the cache, of `cache_pages` */
  uint32_t cache_pages;
};

/** As a time of FS_SET_TIMES: leave it, or set it to now. */
#define FS_TIME_LEAVE INT64_MIN
#define FS_TIME_NOW   INT64_MAX

/* FS_OPEN: mode is the permissions of a file that is made; type is that of `mode` in struct
 *   fs_stat. Directories can be opened for reading only, and listed.
 * FS_LIST: entries from `from` on, 0 at the beginning; at most `max` bytes; none at the end.
 * FS_SEEK: the new position.
 * FS_ACCESS: how is enum fs_may, or-ed; 0 asks whether it is there.
 * FS_REMOVE: directory 1 removes an empty directory, 0 anything else.
 * FS_RENAME, FS_LINK: payload: old path, NUL, new path; to_dir is that of the new one.
 * FS_SYMLINK: payload: what it says, NUL, its path.
 * FS_READ_LINK: payload of the reply: what it says.
 * FS_TRUNCATE: `handle` must be open for writing.
 * FS_SYNC_FILE: its data and all that is needed to find it are kept when it is answered, which may
 *   take long. FS_SYNC: the same for everything.
 * FS_CREDENTIALS: from the process manager: who `process` is from now on.
 * FS_COUNTS: the server's own figures; searches: how often a directory was searched for a name. */
#define FS_OPEN_FIELDS(F)      F(u32, dir) F(x32, flags) F(x32, mode)
#define FS_OPEN_REPLY(F)       F(u64, bytes) F(u32, handle) F(x32, type)
#define FS_STAT_FIELDS(F)      F(u32, dir) F(x32, flags)
#define FS_STAT_FILE_FIELDS(F) F(u32, handle)
#define FS_LIST_FIELDS(F)      F(u64, from) F(u32, handle) F(u32, max)
#define FS_SEEK_FIELDS(F)      F(u64, offset) F(u32, handle) F(u32, whence)
#define FS_SEEK_REPLY(F)       F(u64, position)
#define FS_ACCESS_FIELDS(F)    F(u32, dir) F(x32, how)
#define FS_MAKE_DIR_FIELDS(F)  F(u32, dir) F(x32, mode)
#define FS_REMOVE_FIELDS(F)    F(u32, dir) F(u32, directory)
#define FS_RENAME_FIELDS(F)    F(u32, dir) F(u32, to_dir)
#define FS_LINK_FIELDS(F)      F(u32, dir) F(u32, to_dir)
#define FS_SYMLINK_FIELDS(F)   F(u32, dir)
#define FS_READ_LINK_FIELDS(F) F(u32, dir)
#define FS_TRUNCATE_FIELDS(F)  F(u64, bytes) F(u32, handle)
#define FS_SET_MODE_FIELDS(F)  F(u32, dir) F(x32, mode)
#define FS_SET_OWNER_FIELDS(F) F(u32, dir) F(u32, user) F(u32, group)
#define FS_SET_TIMES_FIELDS(F) F(u64, accessed_ns) F(u64, modified_ns) F(u32, dir)
#define FS_SYNC_FILE_FIELDS(F) F(u32, handle)
#define FS_SYNC_FIELDS(F)
#define FS_STATFS_FIELDS(F)
#define FS_CREDENTIALS_FIELDS(F) F(i32, process) F(u32, user) F(u32, group)
#define FS_COUNTS_FIELDS(F)
#define FS_COUNTS_REPLY(F)                                                                         \
  F(u64, hits)                                                                                     \
  F(u64, misses)                                                                                   \
  F(u64, commits) F(u32, handles) F(u32, dirty_pages) F(u32, version) F(u32, searches)
#define FS_MESSAGES(M)                                                                             \
  M(FS_OPEN, 0xa00, fs_open, FS_OPEN_FIELDS, FS_OPEN_REPLY)                                        \
  M(FS_STAT, 0xa01, fs_stat_path, FS_STAT_FIELDS, IPC_NO_FIELDS)                                   \
  M(FS_STAT_FILE, 0xa02, fs_stat_file, FS_STAT_FILE_FIELDS, IPC_NO_FIELDS)                         \
  M(FS_LIST, 0xa03, fs_list, FS_LIST_FIELDS, IPC_NO_FIELDS)                                        \
  M(FS_SEEK, 0xa04, fs_seek, FS_SEEK_FIELDS, FS_SEEK_REPLY)                                        \
  M(FS_ACCESS, 0xa05, fs_access, FS_ACCESS_FIELDS, IPC_NO_FIELDS)                                  \
  M(FS_MAKE_DIR, 0xa06, fs_make_dir, FS_MAKE_DIR_FIELDS, IPC_NO_FIELDS)                            \
  M(FS_REMOVE, 0xa07, fs_remove, FS_REMOVE_FIELDS, IPC_NO_FIELDS)                                  \
  M(FS_RENAME, 0xa08, fs_rename, FS_RENAME_FIELDS, IPC_NO_FIELDS)                                  \
  M(FS_LINK, 0xa09, fs_link, FS_LINK_FIELDS, IPC_NO_FIELDS)                                        \
  M(FS_SYMLINK, 0xa0a, fs_symlink, FS_SYMLINK_FIELDS, IPC_NO_FIELDS)                               \
  M(FS_READ_LINK, 0xa0b, fs_read_link, FS_READ_LINK_FIELDS, IPC_NO_FIELDS)                         \
  M(FS_TRUNCATE_FILE, 0xa0c, fs_truncate, FS_TRUNCATE_FIELDS, IPC_NO_FIELDS)                       \
  M(FS_SET_MODE, 0xa0d, fs_set_mode, FS_SET_MODE_FIELDS, IPC_NO_FIELDS)                            \
  M(FS_SET_OWNER, 0xa0e, fs_set_owner, FS_SET_OWNER_FIELDS, IPC_NO_FIELDS)                         \
  M(FS_SET_TIMES, 0xa0f, fs_set_times, FS_SET_TIMES_FIELDS, IPC_NO_FIELDS)                         \
  M(FS_SYNC_FILE, 0xa10, fs_sync_file, FS_SYNC_FILE_FIELDS, IPC_NO_FIELDS)                         \
  M(FS_SYNC, 0xa11, fs_sync, FS_SYNC_FIELDS, IPC_NO_FIELDS)                                        \
  M(FS_STATFS, 0xa12, fs_statfs_all, FS_STATFS_FIELDS, IPC_NO_FIELDS)                              \
  M(FS_CREDENTIALS, 0xa13, fs_credentials, FS_CREDENTIALS_FIELDS, IPC_NO_FIELDS)                   \
  M(FS_COUNTS, 0xa14, fs_counts, FS_COUNTS_FIELDS, FS_COUNTS_REPLY)
IPC_INTERFACE(fs, FS_MESSAGES)

#endif
