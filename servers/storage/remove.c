#include "servers/storage/remove.h"

#include <errno.h>

#include "libsys/sys.h"
#include "servers/storage/cut.h"
#include "servers/storage/orphans.h"
#include "servers/storage/volume.h"

/* One that is being cut is an orphan already. */
int remove_later(struct node *node) {
  return node->is_cut ? node_write(node) : orphans_add(node);
}

static int free_attributes(struct node *node) {
  if (!ext2fs_file_acl_block(volume_fs(), node_inode(node))) return 0;
  return volume_errno(ext2fs_free_ext_attr(volume_fs(), node->ino, &node->inode));
}

/* It has no blocks any more. */
static int free_inode(struct node *node) {
  bool is_directory = LINUX_S_ISDIR(node->inode.i_mode);
  int error = orphans_leave(node);
  if (!error) error = free_attributes(node);
  node->inode.i_dtime = (uint32_t)(sys_wall_time_ns() / 1000000000u);
  if (!error) error = node_write(node);
  if (!error) ext2fs_inode_alloc_stats2(volume_fs(), node->ino, -1, is_directory);
  return error;
}

bool remove_orphan(struct node *node) {
  if (volume_may_write()) return true;
  node_set_bytes(node, 0);
  int more = cut_begin(node);
  if (more == 0) more = free_inode(node);
  if (more < 0) volume_fail("a file cannot be removed");
  return more <= 0;
}

/* One that has names was being cut. */
int remove_orphans(void) {
  uint32_t n = 0;
  struct node *node;
  for (uint32_t ino = orphans_first(); ino; n++) {
    int error = node_get(ino, &node);
    if (error) return error;
    ino = node->inode.i_dtime;
    cut_again(node);
    node_put(node);
  }
  if (n) sys_log("%u files that were being removed or cut: that goes on now", n);
  return 0;
}
