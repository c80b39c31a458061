#include "servers/storage/node.h"

#include <errno.h>
#include <stdlib.h>

#include "libsys/sys.h"
#include "servers/storage/remove.h"
#include "servers/storage/volume.h"

enum { BUCKETS = 256 };

static LIST_HEAD(, node) buckets[BUCKETS];

static int inode_bytes(void) {
  int bytes = EXT2_INODE_SIZE(volume_fs()->super);
  return bytes < (int)sizeof(struct ext2_inode_large) ? bytes
                                                      : (int)sizeof(struct ext2_inode_large);
}

struct node *node_find(uint32_t ino) {
  struct node *n;
  LIST_FOREACH (n, &buckets[ino % BUCKETS], bucket)
    if (n->ino == ino) return n;
  return NULL;
}

int node_reload(struct node *node) {
  node->run.count = 0;
  return volume_errno(
      ext2fs_read_inode_full(volume_fs(), node->ino, node_inode(node), inode_bytes()));
}

int node_write(struct node *node) {
  return volume_errno(
      ext2fs_write_inode_full(volume_fs(), node->ino, node_inode(node), inode_bytes()));
}

int node_get(uint32_t ino, struct node **node) {
  struct node *n = node_find(ino);
  if (!n) {
    n = calloc(1, sizeof *n);
    if (!n) return -ENOMEM;
    n->ino = ino;
    int error = node_reload(n);
    if (error) {
      free(n);
      return error;
    }
    LIST_INSERT_HEAD(&buckets[ino % BUCKETS], n, bucket);
  }
  n->uses++;
  *node = n;
  return 0;
}

void node_put(struct node *node) {
  if (--node->uses) return;
  if (node->inode.i_links_count == 0 && !remove_orphan(node)) return;
  LIST_REMOVE(node, bucket);
  free(node);
}

uint64_t node_bytes(const struct node *node) {
  return EXT2_I_SIZE(&node->inode);
}

void node_set_bytes(struct node *node, uint64_t bytes) {
  node->inode.i_size = (uint32_t)bytes;
  node->inode.i_size_high = bytes >> 32;
}

uint32_t node_user(const struct node *node) {
  return inode_uid(node->inode);
}

uint32_t node_group(const struct node *node) {
  return inode_gid(node->inode);
}

void node_set_owner(struct node *node, uint32_t user, uint32_t group) {
  node->inode.i_uid = (uint16_t)user;
  node->inode.i_gid = (uint16_t)group;
  node->inode.osd2.linux2.l_i_uid_high = user >> 16;
  node->inode.osd2.linux2.l_i_gid_high = group >> 16;
}

/* ---- times ("Inode Timestamps" in the kernel's documentation of ext4): two more bits of the
 * seconds, and nanoseconds, where the inode is large enough ---- */

static bool has_extra(const struct node *node) {
  return EXT2_INODE_SIZE(volume_fs()->super) > EXT2_GOOD_OLD_INODE_SIZE &&
         node->inode.i_extra_isize >=
             offsetof(struct ext2_inode_large, i_crtime) - EXT2_GOOD_OLD_INODE_SIZE;
}

static int64_t to_ns(uint32_t seconds, uint32_t extra) {
  int64_t all = (int64_t)(int32_t)seconds + ((int64_t)(extra & EXT4_EPOCH_MASK) << 32);
  return all * 1000000000 + (extra >> EXT4_EPOCH_BITS);
}

int64_t node_time(const struct node *node, enum node_time which) {
  const struct ext2_inode_large *i = &node->inode;
  bool extra = has_extra(node);
  switch (which) {
  case NODE_ACCESSED:
    return to_ns(i->i_atime, extra ? i->i_atime_extra : 0);
  case NODE_MODIFIED:
    return to_ns(i->i_mtime, extra ? i->i_mtime_extra : 0);
  case NODE_CHANGED:
    return to_ns(i->i_ctime, extra ? i->i_ctime_extra : 0);
  }
  return 0;
}

static void from_ns(int64_t ns, bool has, uint32_t *seconds, uint32_t *extra) {
  int64_t s = ns / 1000000000, rest = ns % 1000000000;
  if (rest < 0) {
    rest += 1000000000;
    s--;
  }
  *seconds = (uint32_t)s;
  if (!has) return;
  uint32_t epoch = (uint32_t)((s - (int32_t)s) >> 32) & EXT4_EPOCH_MASK;
  *extra = (uint32_t)rest << EXT4_EPOCH_BITS | epoch;
}

void node_set_time(struct node *node, unsigned which, int64_t ns) {
  struct ext2_inode_large *i = &node->inode;
  bool extra = has_extra(node);
  if (which & NODE_ACCESSED) from_ns(ns, extra, &i->i_atime, &i->i_atime_extra);
  if (which & NODE_MODIFIED) from_ns(ns, extra, &i->i_mtime, &i->i_mtime_extra);
  if (which & NODE_CHANGED) from_ns(ns, extra, &i->i_ctime, &i->i_ctime_extra);
}

void node_touch(struct node *node, unsigned which) {
  node_set_time(node, which, (int64_t)sys_wall_time_ns());
}
