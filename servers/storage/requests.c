#include "servers/storage/requests.h"

#include <errno.h>
#include <sys/stat.h>

#include "servers/storage/blocks.h"
#include "servers/storage/cache.h"
#include "servers/storage/channel.h"
#include "servers/storage/commit.h"
#include "servers/storage/cut.h"
#include "servers/storage/disk.h"
#include "servers/storage/request.h"
#include "servers/storage/start.h"
#include "servers/storage/volume.h"

enum {
  BLOCKS_OF_A_NAME = 8, /* that an operation on names may need */
  BYTES_MAX = 1 << 20,  /* that one request through lent memory moves */
};

enum needs {
  NEEDS_NOTHING,
  NEEDS_VOLUME, /* that it can be read */
  NEEDS_WRITING,
  NEEDS_ROOM,  /* writing, and blocks for a name */
  NEEDS_INODE, /* and an inode */
};

struct kind {
  uint32_t type;
  request_fn *make;
  enum needs needs;
};

/* A switch and not a table: addresses of functions in constants need no transfer that way. */
static struct kind kind_of(uint32_t type) {
  switch (type) {
#define KIND(TYPE, make, needs)                                                                    \
  case TYPE:                                                                                       \
    return (struct kind){TYPE, make, needs}
    KIND(IO_READ, do_read, NEEDS_VOLUME);
    KIND(IO_WRITE, do_write, NEEDS_WRITING);
    KIND(IO_READ_INTO, do_read_into, NEEDS_VOLUME);
    KIND(IO_WRITE_FROM, do_write_from, NEEDS_WRITING);
    KIND(IO_READ_LIST, do_read_list, NEEDS_VOLUME);
    KIND(IO_CLOSE, do_close, NEEDS_NOTHING);
    KIND(IO_DUPLICATE, do_duplicate, NEEDS_NOTHING);
    KIND(IO_WATCH, do_watch, NEEDS_NOTHING);
    KIND(FS_OPEN, do_open, NEEDS_VOLUME);
    KIND(FS_STAT, do_stat, NEEDS_VOLUME);
    KIND(FS_STAT_FILE, do_stat_file, NEEDS_VOLUME);
    KIND(FS_LIST, do_list, NEEDS_VOLUME);
    KIND(FS_SEEK, do_seek, NEEDS_VOLUME);
    KIND(FS_ACCESS, do_access, NEEDS_VOLUME);
    KIND(FS_MAKE_DIR, do_make_dir, NEEDS_INODE);
    KIND(FS_REMOVE, do_remove, NEEDS_WRITING);
    KIND(FS_RENAME, do_rename, NEEDS_ROOM);
    KIND(FS_LINK, do_link, NEEDS_ROOM);
    KIND(FS_SYMLINK, do_symlink, NEEDS_INODE);
    KIND(FS_READ_LINK, do_read_link, NEEDS_VOLUME);
    KIND(FS_TRUNCATE_FILE, do_truncate, NEEDS_WRITING);
    KIND(FS_SET_MODE, do_set_mode, NEEDS_WRITING);
    KIND(FS_SET_OWNER, do_set_owner, NEEDS_WRITING);
    KIND(FS_SET_TIMES, do_set_times, NEEDS_WRITING);
    KIND(FS_SYNC_FILE, do_sync_file, NEEDS_NOTHING);
    KIND(FS_SYNC, do_sync, NEEDS_VOLUME);
    KIND(FS_STATFS, do_statfs, NEEDS_VOLUME);
    KIND(FS_CREDENTIALS, do_credentials, NEEDS_NOTHING);
    KIND(FS_COUNTS, do_counts, NEEDS_NOTHING);
#undef KIND
  }
  return (struct kind){0};
}

int32_t request_room(void) {
  switch (blocks_have(BLOCKS_OF_A_NAME)) {
  case BLOCKS_THERE:
    return 0;
  case BLOCKS_LATER:
    return DATA_WAITS;
  case BLOCKS_NONE:
    break;
  }
  return -ENOSPC;
}

int32_t request_inode(void) {
  return !volume_fs()->super->s_free_inodes_count && cut_is_under_way() ? DATA_WAITS : 0;
}

static int32_t check(enum needs needs) {
  if (needs == NEEDS_NOTHING) return 0;
  if (start_is_awaited()) return DATA_WAITS;
  int32_t error = needs == NEEDS_VOLUME ? volume_may_read() : volume_may_write();
  if (error || needs == NEEDS_VOLUME) return error;
  if (commit_is_behind()) return DATA_WAITS;
  if (needs == NEEDS_INODE && (error = request_inode())) return error;
  return needs == NEEDS_WRITING ? 0 : request_room();
}

static int32_t make(struct request *r) {
  struct kind kind = kind_of(r->m->type);
  if (!kind.make) return -ENOSYS;
  int32_t status = check(kind.needs);
  channel_changes(); /* only this request's own are half of an operation */
  return status ? status : kind.make(r);
}

enum outcome request_make(const msg_t *m, const void *payload) {
  struct credentials who;
  if (!files_know(m->source, &who)) return WAITS;
  struct request r = {
      .m = m, .payload = payload, .who = who, .reply = {.type = m->type | SYS_REPLY_FLAG}};
  int32_t status = make(&r);
  if (status == DATA_WAITS) return WAITS;
  if (r.is_answered) return ANSWERED;
  r.reply.status = status;
  sys_reply_unchecked(m->token, &r.reply, r.out, status ? 0 : r.out_bytes);
  return ANSWERED;
}

void request_take(const msg_t *m, const void *payload) {
  if (request_make(m, payload) == ANSWERED) return;
  int error = parked_add(m, payload);
  const msg_t reply = {.type = m->type | SYS_REPLY_FLAG, .status = error};
  if (error) sys_reply(m->token, &reply);
}

/* ---- what they have in common ---- */

char *request_buffer(void) {
  static char buffer[SYS_PAYLOAD_MAX];
  return buffer;
}

int request_readable(const struct request *r, uint32_t handle, struct file **f) {
  *f = files_find(r->m->source, handle);
  if (!*f || !((*f)->flags & FS_READ)) return -EBADF;
  return S_ISDIR((*f)->node->inode.i_mode) ? -EISDIR : 0;
}

uint32_t request_blocks_max(void) {
  uint32_t cached = cache_size() / 8, most = BYTES_MAX / disk_block_bytes() + 1;
  return cached < most ? cached : most;
}

uint32_t request_bytes_max(void) {
  return (request_blocks_max() - 1) * disk_block_bytes();
}

int request_dir(const struct request *r, uint32_t handle, uint32_t *ino) {
  *ino = ROOT_INO;
  if (handle == 0) return 0;
  const struct file *f = files_find(r->m->source, handle);
  if (!f) return -EBADF;
  *ino = f->node->ino;
  return S_ISDIR(f->node->inode.i_mode) ? 0 : -ENOTDIR;
}

int request_place(const struct request *r, uint32_t dir, bool follow, struct place *place) {
  struct path path;
  int error = path_split(r->payload, r->m->payload, 1, &path);
  if (!error) error = request_dir(r, dir, &path.start);
  return error ? error : path_find(&path, r->who, follow, place);
}

int request_node(const struct request *r, uint32_t dir, bool follow, struct node **node) {
  struct place place;
  int error = request_place(r, dir, follow, &place);
  if (!error && !place.ino) error = -ENOENT;
  if (!error) error = node_get(place.ino, node);
  if (error || !place.ends_with_slash || S_ISDIR((*node)->inode.i_mode)) return error;
  node_put(*node);
  return -ENOTDIR;
}

void request_stat(struct request *r, struct node *n) {
  static struct fs_stat s;
  s = (struct fs_stat){.inode = n->ino,
                       .bytes = node_bytes(n),
                       .sectors = ext2fs_get_stat_i_blocks(volume_fs(), node_inode(n)),
                       .accessed_ns = node_time(n, NODE_ACCESSED),
                       .modified_ns = node_time(n, NODE_MODIFIED),
                       .changed_ns = node_time(n, NODE_CHANGED),
                       .mode = n->inode.i_mode,
                       .links = n->inode.i_links_count,
                       .user = node_user(n),
                       .group = node_group(n)};
  r->out = &s;
  r->out_bytes = sizeof s;
}
