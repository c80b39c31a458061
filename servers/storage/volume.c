#include "servers/storage/volume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/sys.h"
#include "servers/storage/blocks.h"
#include "servers/storage/cache.h"
#include "servers/storage/channel.h"
#include "servers/storage/commit.h"
#include "servers/storage/cut.h"
#include "servers/storage/disk.h"
#include "servers/storage/mount.h"
#include "servers/storage/orphans.h"
#include "servers/storage/parked.h"
#include "servers/storage/remove.h"

enum volume_state { VOLUME_NONE, VOLUME_READ_ONLY, VOLUME_MOUNTED, VOLUME_FAILED };

static enum volume_state state;
static ext2_filsys fs;
static struct journal *journal;

ext2_filsys volume_fs(void) {
  return fs;
}

struct journal *volume_journal(void) {
  return journal;
}

int volume_may_read(void) {
  return state == VOLUME_NONE ? -EIO : 0;
}

int volume_may_write(void) {
  return state == VOLUME_MOUNTED ? 0 : state == VOLUME_READ_ONLY ? -EROFS : -EIO;
}

bool volume_has_failed(void) {
  return state == VOLUME_FAILED;
}

void volume_fail(const char *why) {
  if (state != VOLUME_MOUNTED) return;
  sys_log("%s: the file system is read-only from now on", why);
  state = VOLUME_FAILED;
  parked_wake();
}

int volume_errno(errcode_t error) {
  switch (error) {
  case 0:
    return 0;
  case EXT2_ET_NO_MEMORY:
    return -ENOMEM;
  case EXT2_ET_FILE_NOT_FOUND:
    return -ENOENT;
  case EXT2_ET_NO_DIRECTORY:
    return -ENOTDIR;
  case EXT2_ET_BLOCK_ALLOC_FAIL:
  case EXT2_ET_INODE_ALLOC_FAIL:
  case EXT2_ET_DIR_NO_SPACE:
    return -ENOSPC;
  case EXT2_ET_FILE_TOO_BIG:
    return -EFBIG;
  case EXT2_ET_DIR_EXISTS:
  case EXT2_ET_FILE_EXISTS:
    return -EEXIST;
  }
  return error < 256 && error == ENOMEM ? -ENOMEM : -EIO;
}

int volume_flush_memory(void) {
  if (!ext2fs_test_changed(fs) && !(fs->flags & EXT2_FLAG_DIRTY)) return 0;
  return volume_errno(ext2fs_flush2(fs, EXT2_FLAG_FLUSH_NO_SYNC));
}

int volume_write_wait(uint64_t block, const void *data) {
  uint32_t page = cache_take();
  if (page == NO_PAGE) return -EIO;
  memcpy(disk_page(page), data, disk_block_bytes());
  int error = disk_wait(DISK_WRITE, block, 1, &page, DISK_FUA);
  cache_give_back(page);
  return error;
}

/* Before there is a log, and when there is none any more, what was changed is written where it is.
 */
static int write_changed_wait(void) {
  int error = volume_flush_memory();
  while (!error && cache_count(PAGES_CHANGED)) {
    uint32_t page = cache_oldest(PAGES_CHANGED);
    error = disk_wait(DISK_WRITE, cache_page(page)->block, 1, &page, DISK_FUA);
    cache_page(page)->flags &= ~PAGE_CHANGED;
    cache_sort_in(page);
  }
  return error;
}

/* ---- mounting ---- */

static int mark_as_used(void) {
  ext2fs_set_feature_journal_needs_recovery(fs->super);
  fs->super->s_mtime = (uint32_t)(sys_wall_time_ns() / 1000000000u);
  fs->super->s_mnt_count++;
  ext2fs_mark_super_dirty(fs);
  return write_changed_wait();
}

static int mount_for_writing(void) {
  int error = orphans_check();
  if (error == -EUCLEAN) sys_log("its list of orphans is damaged: e2fsck has to mend it");
  if (!error) error = blocks_open();
  if (!error) error = mark_as_used();
  if (error) return error;
  state = VOLUME_MOUNTED;
  error = remove_orphans();
  if (error) volume_fail("what was being removed cannot be found again");
  return error;
}

int volume_mount(bool read_only) {
  int error = mount_open(&read_only, &fs, &journal);
  if (error) return error;
  if (read_only) {
    state = VOLUME_READ_ONLY;
    return 0;
  }
  error = mount_for_writing();
  if (error) sys_log("the file system cannot be mounted: %s", sys_strerror(error));
  return error;
}

void volume_unmount(void) {
  if (state != VOLUME_MOUNTED) return;
  cut_all_wait();
  int error = commit_all_wait();
  if (!error) {
    ext2fs_clear_feature_journal_needs_recovery(fs->super);
    ext2fs_mark_super_dirty(fs);
    error = write_changed_wait();
  }
  if (!error) error = disk_wait(DISK_FLUSH, 0, 0, NULL, 0);
  if (error) sys_log("the file system could not be written: its journal will be replayed");
  state = VOLUME_NONE;
}
