#include "servers/storage/map.h"

#include <errno.h>

#include "servers/storage/blocks.h"
#include "servers/storage/cache.h"
#include "servers/storage/volume.h"

enum { EXTENT_MAX = 32768 /* blocks of a written one */ };

static bool has_extents(const struct node *node) {
  return node->inode.i_flags & EXT4_EXTENTS_FL;
}

uint64_t map_blocks_max(const struct node *node) {
  /* Of a file with block maps: three levels of indirection. */
  uint64_t per_block = volume_fs()->blocksize / 4;
  return has_extents(node) ? UINT32_MAX - 1 : per_block * per_block * per_block;
}

/* ---- finding ---- */

/* The hole around `at`, where no extent is; the handle is at the one before, or the first. */
static errcode_t hole(ext2_extent_handle_t handle, uint64_t at, struct extent_run *run) {
  struct ext2fs_extent e;
  errcode_t error = ext2fs_extent_get(handle, EXT2_EXTENT_CURRENT, &e);
  if (!error && e.e_lblk <= at) error = ext2fs_extent_get(handle, EXT2_EXTENT_NEXT_LEAF, &e);
  bool last = error == EXT2_ET_NO_CURRENT_NODE || error == EXT2_ET_EXTENT_NO_NEXT ||
              (!error && e.e_lblk <= at);
  *run = (struct extent_run){.first = at, .count = last ? UINT32_MAX : e.e_lblk - at};
  return last ? 0 : error;
}

static errcode_t find_extent(struct node *node, uint64_t at, struct extent_run *run) {
  ext2_extent_handle_t handle;
  struct ext2fs_extent e;
  errcode_t error = ext2fs_extent_open2(volume_fs(), node->ino, node_inode(node), &handle);
  if (error) return error;
  error = ext2fs_extent_goto(handle, at);
  if (!error) error = ext2fs_extent_get(handle, EXT2_EXTENT_CURRENT, &e);
  if (!error)
    *run = (struct extent_run){e.e_lblk, e.e_len, e.e_pblk, e.e_flags & EXT2_EXTENT_FLAGS_UNINIT};
  else if (error == EXT2_ET_EXTENT_NOT_FOUND || error == EXT2_ET_NO_CURRENT_NODE)
    error = hole(handle, at, run);
  ext2fs_extent_free(handle);
  return error;
}

static errcode_t find_mapped(struct node *node, uint64_t at, struct extent_run *run) {
  blk64_t block = 0;
  errcode_t error =
      ext2fs_bmap2(volume_fs(), node->ino, node_inode(node), NULL, 0, at, NULL, &block);
  *run = (struct extent_run){at, 1, block, false};
  return error;
}

static bool covers(const struct extent_run *run, uint64_t at) {
  return run->count && at >= run->first && at - run->first < run->count;
}

int map_find(struct node *node, uint64_t at, struct extent_run *run) {
  if (!covers(&node->run, at)) {
    errcode_t error =
        has_extents(node) ? find_extent(node, at, &node->run) : find_mapped(node, at, &node->run);
    if (error) node->run.count = 0;
    if (error) return volume_errno(error);
  }
  uint64_t skip = at - node->run.first;
  *run = node->run;
  run->first = at;
  run->count -= skip;
  if (run->block) run->block += skip;
  return 0;
}

/* ---- allocating ---- */

static void give_back(uint64_t block, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    ext2fs_block_alloc_stats2(volume_fs(), block + i, -1);
}

static errcode_t insert(ext2_extent_handle_t handle, const struct ext2fs_extent *left,
                        struct ext2fs_extent *e) {
  bool grows = left && left->e_lblk + left->e_len == e->e_lblk &&
               left->e_pblk + left->e_len == e->e_pblk && left->e_len + e->e_len <= EXTENT_MAX &&
               !(left->e_flags & EXT2_EXTENT_FLAGS_UNINIT);
  errcode_t error;
  if (grows) {
    struct ext2fs_extent longer = *left;
    longer.e_len += e->e_len;
    error = ext2fs_extent_replace(handle, 0, &longer);
  } else {
    error = ext2fs_extent_insert(handle, left ? EXT2_EXTENT_INSERT_AFTER : 0, e);
  }
  return error ? error : ext2fs_extent_fix_parents(handle);
}

static uint64_t goal_of(struct node *node, const struct ext2fs_extent *left, uint64_t at) {
  if (left) return left->e_pblk + (at - left->e_lblk);
  return ext2fs_find_inode_goal(volume_fs(), node->ino, node_inode(node), at);
}

static int allocate_extent(struct node *node, uint64_t at, uint32_t count, struct extent_run *run) {
  ext2_extent_handle_t handle;
  struct ext2fs_extent found, *left = NULL;
  if (ext2fs_extent_open2(volume_fs(), node->ino, node_inode(node), &handle)) return -EIO;
  ext2fs_extent_goto(handle, at);
  errcode_t error = ext2fs_extent_get(handle, EXT2_EXTENT_CURRENT, &found);
  if (!error && found.e_lblk < at) left = &found;
  if (error == EXT2_ET_NO_CURRENT_NODE) error = 0;
  uint64_t block = 0;
  uint32_t got = error ? 0 : blocks_allocate(goal_of(node, left, at), count, &block);
  if (got) {
    struct ext2fs_extent e = {.e_pblk = block, .e_lblk = at, .e_len = got};
    ext2fs_iblk_add_blocks(volume_fs(), node_inode(node), got);
    error = insert(handle, left, &e);
    if (error) give_back(block, got);
  }
  ext2fs_extent_free(handle);
  *run = (struct extent_run){at, got, block, false};
  return error ? volume_errno(error) : got ? 0 : -ENOSPC;
}

static int allocate_mapped(struct node *node, uint64_t at, struct extent_run *run) {
  blk64_t block = 0;
  errcode_t error =
      ext2fs_bmap2(volume_fs(), node->ino, node_inode(node), NULL, BMAP_ALLOC, at, NULL, &block);
  *run = (struct extent_run){at, 1, block, false};
  return volume_errno(error);
}

int map_allocate(struct node *node, uint64_t at, uint32_t count, struct extent_run *run) {
  if (count > EXTENT_MAX) count = EXTENT_MAX;
  node->run.count = 0;
  int error =
      has_extents(node) ? allocate_extent(node, at, count, run) : allocate_mapped(node, at, run);
  if (error && error != -ENOSPC) volume_fail("blocks cannot be given to a file");
  return error;
}

int map_written(struct node *node, uint64_t at) {
  struct extent_run run;
  int error = map_find(node, at, &run);
  if (error) return error;
  blk64_t block = run.block;
  node->run.count = 0;
  return volume_errno(
      ext2fs_bmap2(volume_fs(), node->ino, node_inode(node), NULL, BMAP_SET, at, NULL, &block));
}

/* ---- freeing ---- */

/* The last extent; its length is 0 if there is none. */
static errcode_t last_extent(ext2_extent_handle_t handle, struct ext2fs_extent *e) {
  *e = (struct ext2fs_extent){0};
  ext2fs_extent_goto(handle, UINT32_MAX); /* there is none: the handle is at the one before */
  errcode_t error = ext2fs_extent_get(handle, EXT2_EXTENT_CURRENT, e);
  return error == EXT2_ET_NO_CURRENT_NODE ? 0 : error;
}

/* Not by ext2fs_punch(), which refuses to free the last block of the disk. */
static errcode_t shorten_extent(struct node *node, ext2_extent_handle_t handle,
                                struct ext2fs_extent e, uint32_t count) {
  e.e_len -= count;
  errcode_t error =
      e.e_len ? ext2fs_extent_replace(handle, 0, &e) : ext2fs_extent_delete(handle, 0);
  if (error) return error;
  give_back(e.e_pblk + e.e_len, count);
  error = ext2fs_iblk_sub_blocks(volume_fs(), node_inode(node), count);
  return error ? error : ext2fs_write_inode(volume_fs(), node->ino, node_inode(node));
}

static int cut_extents(struct node *node, uint64_t first, uint32_t most) {
  ext2_extent_handle_t handle;
  struct ext2fs_extent e;
  errcode_t error = ext2fs_extent_open2(volume_fs(), node->ino, node_inode(node), &handle);
  if (error) return volume_errno(error);
  error = last_extent(handle, &e);
  uint64_t end = e.e_lblk + e.e_len, from = e.e_lblk > first ? e.e_lblk : first;
  bool any = !error && end > from;
  if (any)
    error = shorten_extent(node, handle, e, end - from < most ? (uint32_t)(end - from) : most);
  ext2fs_extent_free(handle);
  return error ? volume_errno(error) : any;
}

/* The last block that a map of `count` pointers leads to; 0 where there is none. */
static uint32_t last_used(const uint32_t *map, uint32_t count) {
  while (count > 1 && !map[count - 1])
    count--;
  return count - 1;
}

/* Blocks of the file up to the last one that pointers lead to; they lie in the inode, and in blocks
 * on up to three levels. */
static int maps_end(struct node *node, uint64_t *end) {
  const uint32_t *in_inode = node->inode.i_block;
  uint64_t per_block = volume_fs()->blocksize / 4, first = EXT2_NDIR_BLOCKS, span = 1;
  uint32_t slot = last_used(in_inode, EXT2_N_BLOCKS);
  *end = in_inode[slot] ? slot + 1 : 0;
  if (slot < EXT2_NDIR_BLOCKS) return 0;
  for (uint32_t i = EXT2_NDIR_BLOCKS; i < slot; i++, first += span)
    span *= per_block;
  uint32_t block = in_inode[slot];
  for (; block; span /= per_block) {
    const void *map = cache_read_wait(block);
    if (!map) return -EIO;
    uint32_t at = last_used(map, (uint32_t)per_block);
    first += at * span;
    block = span > 1 ? ((const uint32_t *)map)[at] : 0;
  }
  *end = first + 1;
  return 0;
}

static int cut_maps(struct node *node, uint64_t first, uint32_t most) {
  uint64_t end;
  int error = maps_end(node, &end);
  if (error) return error;
  bool more = end > first && end - first > most;
  error = volume_errno(ext2fs_punch(volume_fs(), node->ino, node_inode(node), NULL,
                                    more ? end - most : first, UINT64_MAX));
  return error ? error : more;
}

int map_cut(struct node *node, uint64_t first, uint32_t most) {
  node->run.count = 0;
  return has_extents(node) ? cut_extents(node, first, most) : cut_maps(node, first, most);
}
