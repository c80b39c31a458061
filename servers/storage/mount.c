#include "servers/storage/mount.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "servers/storage/cache.h"
#include "servers/storage/channel.h"
#include "servers/storage/disk.h"
#include "servers/storage/volume.h"

/* ext4's features that are understood. */
#define READABLE                                                                                   \
  (EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_RECOVER |                                \
   EXT2_FEATURE_INCOMPAT_META_BG | EXT3_FEATURE_INCOMPAT_EXTENTS | EXT4_FEATURE_INCOMPAT_64BIT |   \
   EXT4_FEATURE_INCOMPAT_FLEX_BG | EXT4_FEATURE_INCOMPAT_CSUM_SEED |                               \
   EXT4_FEATURE_INCOMPAT_LARGEDIR)
#define WRITABLE                                                                                   \
  (EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |                       \
   EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_GDT_CSUM |                            \
   EXT4_FEATURE_RO_COMPAT_DIR_NLINK | EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE |                         \
   EXT4_FEATURE_RO_COMPAT_METADATA_CSUM)

enum { SUPER_AT = 1024 };

static int refuse(int error, const char *why) {
  sys_log("the file system is refused: %s", why);
  return error;
}

/* ---- the super block ---- */

static int check_features(const struct ext2_super_block *s, bool *read_only) {
  if (s->s_feature_incompat & ~(uint32_t)READABLE) {
    sys_log("the file system is refused: it has features that are not supported (0x%x)",
            s->s_feature_incompat & ~(uint32_t)READABLE);
    return -EOPNOTSUPP;
  }
  bool has_journal = s->s_feature_compat & EXT3_FEATURE_COMPAT_HAS_JOURNAL && s->s_journal_inum;
  bool writable = has_journal && !(s->s_feature_ro_compat & ~(uint32_t)WRITABLE);
  if (!writable && !*read_only) {
    sys_log("the file system %s: it is mounted for reading only",
            has_journal ? "has features that are only supported for reading" : "has no journal");
    *read_only = true;
  }
  return 0;
}

static int check_super(const struct ext2_super_block *s, bool *read_only) {
  if (s->s_magic != EXT2_SUPER_MAGIC) return refuse(-EINVAL, "this is no ext4 (wrong magic)");
  if (s->s_log_block_size > 2) return refuse(-EOPNOTSUPP, "its blocks are larger than 4 KiB");
  if (s->s_state & EXT2_ERROR_FS)
    return refuse(-EUCLEAN, "it is marked as damaged: e2fsck has to mend it");
  return check_features(s, read_only);
}

static int learn_super(bool *read_only) {
  struct ext2_super_block super;
  disk_set_block_bytes(DISK_PAGE_BYTES);
  cache_drop_all();
  const char *start = cache_read_wait(0);
  if (!start) return refuse(-EIO, "the disk cannot be read");
  memcpy(&super, start + SUPER_AT, sizeof super);
  int error = check_super(&super, read_only);
  if (error) return error;
  cache_drop_all();
  if (disk_set_block_bytes(1024u << super.s_log_block_size))
    return refuse(-EOPNOTSUPP, "its blocks are smaller than the disk's");
  uint64_t blocks = super.s_blocks_count;
  if (super.s_feature_incompat & EXT4_FEATURE_INCOMPAT_64BIT)
    blocks |= (uint64_t)super.s_blocks_count_hi << 32;
  return blocks <= disk_blocks() ? 0 : refuse(-EINVAL, "it is larger than the disk");
}

static int open_fs(bool read_only, ext2_filsys *fs) {
  int flags = EXT2_FLAG_64BITS | EXT2_FLAG_SKIP_MMP | (read_only ? 0 : EXT2_FLAG_RW);
  errcode_t error = ext2fs_open2("disk", NULL, flags, 0, 0, &channel_manager, fs);
  if (!error) return 0;
  sys_log("the file system is refused: libext2fs says %ld%s", (long)error,
          error == EXT2_ET_SB_CSUM_INVALID ? " (the super block's checksum is wrong)" : "");
  return volume_errno(error) == -ENOMEM ? -ENOMEM : -EUCLEAN;
}

/* ---- the journal ---- */

static int map_journal(ext2_filsys fs, uint32_t blocks, struct journal_extent *extents, size_t *n) {
  ext2_ino_t ino = fs->super->s_journal_inum;
  for (uint32_t i = 0; i < blocks; i++) {
    blk64_t at = 0;
    if (ext2fs_bmap2(fs, ino, NULL, NULL, 0, i, NULL, &at) || !at) return -EUCLEAN;
    struct journal_extent *last = *n ? &extents[*n - 1] : NULL;
    if (last && at == last->block + last->count)
      last->count++;
    else
      extents[(*n)++] = (struct journal_extent){i, 1, at};
  }
  return 0;
}

static int open_journal(ext2_filsys fs, struct journal **journal, bool *was_used) {
  struct ext2_inode inode;
  struct journal_reason reason;
  int error = -EUCLEAN;
  if (ext2fs_read_inode(fs, fs->super->s_journal_inum, &inode))
    return refuse(-EUCLEAN, "its journal's inode cannot be read");
  uint64_t blocks = EXT2_I_SIZE(&inode) / fs->blocksize;
  if (blocks < 2 || blocks > UINT32_MAX / sizeof(struct journal_extent))
    return refuse(-EUCLEAN, "its journal has an absurd size");
  struct journal_extent *extents = calloc(blocks, sizeof *extents);
  if (!extents) return -ENOMEM;
  struct journal_geometry geometry = {.block_bytes = fs->blocksize,
                                      .fs_blocks = ext2fs_blocks_count(fs->super),
                                      .extents = extents};
  if (ext2fs_has_feature_64bit(fs->super)) geometry.features |= JOURNAL_64BIT;
  if (ext2fs_has_feature_metadata_csum(fs->super)) geometry.features |= JOURNAL_CHECKSUM;
  strcpy(reason.text, "its blocks cannot be found");
  if (map_journal(fs, (uint32_t)blocks, extents, &geometry.nextents) == 0) {
    const char *super = cache_read_wait(extents[0].block);
    error = super ? journal_open(journal, &geometry, super, &reason) : -EIO;
  }
  free(extents);
  if (error) sys_log("the file system is refused: its journal: %s", reason.text);
  if (!error && journal_noted_error(*journal)) {
    journal_free(*journal);
    *journal = NULL;
    return refuse(-EUCLEAN, "its journal notes an error: e2fsck has to mend it");
  }
  if (!error) *was_used = journal_needs_recovery(*journal);
  return error;
}

static int read_block(void *arg, uint64_t block, void *data) {
  uint32_t page = *(const uint32_t *)arg;
  int error = disk_wait(DISK_READ, block, 1, &page, 0);
  if (!error) memcpy(data, disk_page(page), disk_block_bytes());
  return error;
}

static int write_block(void *arg, uint64_t block, const void *data) {
  uint32_t page = *(const uint32_t *)arg;
  memcpy(disk_page(page), data, disk_block_bytes());
  return disk_wait(DISK_WRITE, block, 1, &page, 0);
}

static int end_recovery(struct journal *journal) {
  struct journal_write write;
  int error = disk_wait(DISK_FLUSH, 0, 0, NULL, 0);
  if (!error && journal_superblock(journal, JOURNAL_CLEAN, &write) == 1) {
    error = volume_write_wait(write.block, write.data);
    if (!error) error = journal_superblock_written(journal);
  }
  return error;
}

static int recover(struct journal *journal) {
  struct journal_recovery done;
  struct journal_reason reason;
  uint32_t page = cache_take();
  int error = journal_recover(journal, read_block, write_block, &page, &done, &reason);
  cache_give_back(page);
  if (error) {
    sys_log("the file system is refused: its journal: %s", reason.text);
    return error;
  }
  if (done.transactions)
    sys_log("the journal was replayed: %u transactions, %u blocks, %u revoked", done.transactions,
            done.blocks, done.revoked);
  return end_recovery(journal);
}

/* ---- the whole ---- */

static int open_for_writing(ext2_filsys *fs, struct journal **journal) {
  bool was_used = false;
  int error = open_fs(true, fs);
  if (error) return error;
  error = open_journal(*fs, journal, &was_used);
  if (!error) error = recover(*journal);
  ext2fs_free(*fs);
  *fs = NULL;
  cache_drop_all(); /* what was replayed is not what was read */
  return error ? error : open_fs(false, fs);
}

int mount_open(bool *read_only, ext2_filsys *fs, struct journal **journal) {
  int error = learn_super(read_only);
  if (!error) error = *read_only ? open_fs(true, fs) : open_for_writing(fs, journal);
  if (error) return error;
  if (*read_only && ext2fs_has_feature_journal_needs_recovery((*fs)->super))
    return refuse(-EROFS, "its journal would have to be replayed");
  (*fs)->default_bitmap_type = EXT2FS_BMAP64_BITARRAY;
  if (ext2fs_read_bitmaps(*fs)) return refuse(-EUCLEAN, "its bitmaps cannot be read");
  return 0;
}
