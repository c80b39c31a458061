#include "servers/storage/orphans.h"

#include <errno.h>

#include "servers/storage/volume.h"

uint32_t orphans_first(void) {
  return volume_fs()->super->s_last_orphan;
}

static void set_first(uint32_t ino) {
  volume_fs()->super->s_last_orphan = ino;
  ext2fs_mark_super_dirty(volume_fs());
}

int orphans_add(struct node *node) {
  node->inode.i_dtime = orphans_first();
  set_first(node->ino);
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

int orphans_leave(struct node *node) {
  uint32_t next = node->inode.i_dtime;
  if (orphans_first() == node->ino) {
    set_first(next);
    return 0;
  }
  uint32_t at = orphans_first(), after = 0;
  for (uint32_t i = 0; at && i < volume_fs()->super->s_inodes_count; i++, at = after) {
    int error = read_next(at, &after);
    if (error) return error;
    if (after == node->ino) return write_next(at, next);
  }
  return 0; /* it never was in it */
}

int orphans_check(void) {
  const struct ext2_super_block *s = volume_fs()->super;
  uint32_t ino = orphans_first();
  for (uint32_t i = 0; ino; i++) {
    if (i == s->s_inodes_count || ino < s->s_first_ino || ino > s->s_inodes_count) return -EUCLEAN;
    int error = read_next(ino, &ino);
    if (error) return error;
  }
  return 0;
}
