/* What the parts of requests have in common: answers. */
#ifndef PROTEOS_STORAGE_REQUEST_H
#define PROTEOS_STORAGE_REQUEST_H

#include <stdint.h>

#include "servers/storage/data.h"
#include "servers/storage/files.h"
#include "servers/storage/parked.h"
#include "servers/storage/path.h"

/** A request on its way, and its answer. */
struct request {
  const msg_t *m;
  const void *payload;
  struct credentials who;
  msg_t reply;
  const void *out; /* payload of the reply */
  uint32_t out_bytes;
  bool is_answered; /* by somebody else, now or later */
};

/** Each makes one request. @return its status, or DATA_WAITS */
typedef int32_t request_fn(struct request *r);

/* stream.c: libsys/if/io.h, and what concerns an open file. */
request_fn do_read, do_write, do_read_into, do_write_from, do_close, do_duplicate, do_watch;
request_fn do_seek, do_truncate, do_list, do_stat_file, do_sync_file;
/* pieces.c: many pieces of an open file at once. */
request_fn do_read_list;
/* tree.c: what concerns names. */
request_fn do_open, do_stat, do_access, do_make_dir, do_remove, do_rename, do_link, do_symlink,
    do_read_link;
/* attributes.c: what concerns inodes by their names. */
request_fn do_set_mode, do_set_owner, do_set_times;
/* whole.c: what concerns everything. */
request_fn do_sync, do_statfs, do_credentials, do_counts;

/** A file that may be read by its handle. @return 0, -EBADF, -EISDIR */
int request_readable(const struct request *r, uint32_t handle, struct file **f);
/** How many blocks of a file one request may need in the cache at once. */
uint32_t request_blocks_max(void);
/** How many bytes need no more blocks than that, wherever they lie. */
uint32_t request_bytes_max(void);
/** The directory of a handle, 0 being the root. @return 0, -EBADF, -ENOTDIR */
int request_dir(const struct request *r, uint32_t handle, uint32_t *ino);
/** The place that the payload, one path, leads to. */
int request_place(const struct request *r, uint32_t dir, bool follow, struct place *place);
/** The same; there must be something: a use of its node. */
int request_node(const struct request *r, uint32_t dir, bool follow, struct node **node);
/** Whether there is room for an operation on names. @return 0, DATA_WAITS, -ENOSPC */
int32_t request_room(void);
/** Whether there is an inode, or none will be soon. @return 0 or DATA_WAITS */
int32_t request_inode(void);
/** Fills in and gives out the answer to FS_STAT and FS_STAT_FILE. */
void request_stat(struct request *r, struct node *node);
/** A buffer for payloads of replies, SYS_PAYLOAD_MAX bytes. */
char *request_buffer(void);

#endif
