#include "servers/storage/remove.h"

#include <errno.h>

#include "libsys/sys.h"
#include "servers/storage/map.h"
#include "servers/storage/volume.h"

/* The list begins in the super block; an orphan's i_dtime is the next one's number. */
int remove_later(struct node *node) {
  struct ext2_super_block *s = volume_fs()->super;
  node->inode.i_dtime = s->s_last_orphan;
  s->s_last_orphan = node->ino;
  ext2fs_mark_super_dirty(volume_fs());
  return node_write(node);
}

/* Another orphan; each is in use, for else it would have been removed. */
static int write_next(uint32_t ino, uint32_t next) {
  struct node *node = node_find(ino);
  if (!node) return -EIO;
  node->inode.i_dtime = next;
  return node_write(node);
}

static int read_next(uint32_t ino, uint32_t *next) {
  struct ext2_inode inode;
  int error = volume_errno(ext2fs_read_inode(volume_fs(), ino, &inode));
  *next = inode.i_dtime;
  return error;
}

static int leave_list(struct node *node) {
  struct ext2_super_block *s = volume_fs()->super;
  uint32_t next = node->inode.i_dtime;
  if (s->s_last_orphan == node->ino) {
    s->s_last_orphan = next;
    ext2fs_mark_super_dirty(volume_fs());
    return 0;
  }
  uint32_t at = s->s_last_orphan, after = 0;
  for (uint32_t i = 0; at && i < s->s_inodes_count; i++, at = after) {
    int error = read_next(at, &after);
    if (error) return error;
    if (after == node->ino) return write_next(at, next);
  }
  return 0; /* it never was in it */
}

static int free_blocks(struct node *node) {
  int error = 0;
  if (ext2fs_inode_has_valid_blocks2(volume_fs(), node_inode(node))) error = map_truncate(node, 0);
  if (!error && ext2fs_file_acl_block(volume_fs(), node_inode(node)))
    error = volume_errno(ext2fs_free_ext_attr(volume_fs(), node->ino, &node->inode));
  return error;
}

void remove_orphan(struct node *node) {
  if (volume_may_write()) return;
  int error = leave_list(node);
  bool is_directory = LINUX_S_ISDIR(node->inode.i_mode);
  node_set_bytes(node, 0);
  if (!error) error = free_blocks(node);
  node->inode.i_dtime = (uint32_t)(sys_wall_time_ns() / 1000000000u);
  if (!error) error = node_write(node);
  if (error)
    volume_fail("a file cannot be removed");
  else
    ext2fs_inode_alloc_stats2(volume_fs(), node->ino, -1, is_directory);
}

/* One that has names was being truncated when the system stopped. */
static int end_truncation(struct node *node) {
  uint32_t size = volume_fs()->blocksize;
  int error = leave_list(node);
  node->inode.i_dtime = 0;
  if (!error) error = map_truncate(node, (node_bytes(node) + size - 1) / size);
  return error ? error : node_write(node);
}

int remove_orphans(void) {
  uint32_t n = 0;
  struct node *node;
  while (volume_fs()->super->s_last_orphan && n++ < volume_fs()->super->s_inodes_count) {
    int error = node_get(volume_fs()->super->s_last_orphan, &node);
    if (!error && node->inode.i_links_count) error = end_truncation(node);
    if (error) return error;
    node_put(node);
    if (volume_has_failed()) return -EIO;
  }
  if (n) sys_log("%u files that nobody had a name for were removed", n);
  return 0;
}
