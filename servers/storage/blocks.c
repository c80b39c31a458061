#include "servers/storage/blocks.h"

#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <stdlib.h>

#include "servers/storage/cache.h"
#include "servers/storage/commit.h"
#include "servers/storage/cut.h"
#include "servers/storage/logged.h"
#include "servers/storage/volume.h"

enum { KEPT = 16 /* blocks that no data gets */ };

struct freed {
  uint64_t *blocks;
  uint32_t count, capacity;
};

static struct {
  ext2fs_block_bitmap taken; /* used, or freed and not committed */
  uint64_t usable;
  struct freed running, committing;
  uint32_t revoked; /* in the running transaction */
} blocks;

uint64_t blocks_usable(void) {
  return blocks.usable;
}

enum blocks_answer blocks_have(uint32_t count) {
  if (blocks.usable >= (uint64_t)count + KEPT) return BLOCKS_THERE;
  if (!blocks.running.count && !blocks.committing.count && !cut_is_under_way()) return BLOCKS_NONE;
  commit_ask();
  return BLOCKS_LATER;
}

uint32_t blocks_revoked(void) {
  return blocks.revoked;
}

uint32_t blocks_freed(void) {
  return blocks.running.count;
}

bool blocks_are_pending(void) {
  return blocks.running.count || blocks.revoked;
}

/* ---- what libext2fs tells ---- */

static int add_freed(uint64_t block) {
  struct freed *f = &blocks.running;
  if (f->count == f->capacity) {
    uint32_t capacity = f->capacity ? 2 * f->capacity : 256;
    uint64_t *grown = realloc(f->blocks, capacity * sizeof *grown);
    if (!grown) return -ENOMEM;
    f->blocks = grown;
    f->capacity = capacity;
  }
  f->blocks[f->count++] = block;
  return 0;
}

static void freed(uint64_t block) {
  cache_forget(block);
  int error = add_freed(block);
  if (!error && logged_has(block)) {
    error = journal_revoke(volume_journal(), block);
    blocks.revoked++;
  }
  if (error) volume_fail("there is no memory for a block that was freed");
}

static void used(uint64_t block) {
  if (ext2fs_mark_block_bitmap2(blocks.taken, block) == 0) blocks.usable--;
}

static void changed(ext2_filsys fs, blk64_t block, int inuse) {
  (void)fs;
  if (inuse > 0)
    used(block);
  else
    freed(block);
}

/* ---- allocation ---- */

static bool find(uint64_t from, uint64_t to, blk64_t *block) {
  return from <= to && ext2fs_find_first_zero_block_bitmap2(blocks.taken, from, to, block) == 0;
}

static bool find_from(uint64_t goal, blk64_t *block) {
  struct ext2_super_block *s = volume_fs()->super;
  uint64_t first = s->s_first_data_block, last = ext2fs_blocks_count(s) - 1;
  if (goal < first || goal > last) goal = first;
  return find(goal, last, block) || (goal > first && find(first, goal - 1, block));
}

static errcode_t allocate_one(ext2_filsys fs, blk64_t goal, blk64_t *block) {
  if (!find_from(goal, block)) return EXT2_ET_BLOCK_ALLOC_FAIL;
  ext2fs_clear_block_uninit(fs, ext2fs_group_of_blk2(fs, *block));
  return 0;
}

uint32_t blocks_allocate(uint64_t goal, uint32_t want, uint64_t *block) {
  uint64_t last = ext2fs_blocks_count(volume_fs()->super) - 1;
  blk64_t first;
  uint32_t n = 1;
  if (blocks.usable <= KEPT) return 0;
  if (want > blocks.usable - KEPT) want = (uint32_t)(blocks.usable - KEPT);
  if (!find_from(goal, &first)) return 0;
  while (n < want && first + n <= last && !ext2fs_test_block_bitmap2(blocks.taken, first + n))
    n++;
  ext2fs_mark_block_bitmap_range2(blocks.taken, first, n);
  blocks.usable -= n;
  ext2fs_block_alloc_stats_range(volume_fs(), first, n, +1);
  *block = first;
  return n;
}

/* ---- transactions ---- */

int blocks_log(uint64_t block, const void *data, journal_tid tid) {
  int error = journal_add(volume_journal(), block, data, JOURNAL_REFER);
  return error ? error : logged_add(block, tid);
}

void blocks_log_moved(void) {
  journal_tid oldest;
  if (!journal_oldest(volume_journal(), &oldest)) oldest = journal_running(volume_journal());
  logged_drop_before(oldest);
}

void blocks_seal(void) {
  free(blocks.committing.blocks);
  blocks.committing = blocks.running;
  blocks.running = (struct freed){0};
  blocks.revoked = 0;
}

void blocks_committed(void) {
  struct freed *f = &blocks.committing;
  for (uint32_t i = 0; i < f->count; i++)
    ext2fs_unmark_block_bitmap2(blocks.taken, f->blocks[i]);
  blocks.usable += f->count;
  free(f->blocks);
  *f = (struct freed){0};
}

/* ---- the whole ---- */

int blocks_open(void) {
  ext2_filsys fs = volume_fs();
  if (ext2fs_copy_bitmap(fs->block_map, &blocks.taken)) return -ENOMEM;
  blocks.usable = ext2fs_free_blocks_count(fs->super);
  fs->block_alloc_stats = changed;
  fs->get_alloc_block = allocate_one;
  return logged_open(journal_capacity(volume_journal()));
}
