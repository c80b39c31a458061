/* Requests of the whole file system. */
#include <errno.h>
#include <string.h>

#include "servers/storage/cache.h"
#include "servers/storage/commit.h"
#include "servers/storage/directory.h"
#include "servers/storage/parked.h"
#include "servers/storage/request.h"
#include "servers/storage/sync.h"
#include "servers/storage/version.h"
#include "servers/storage/volume.h"

int32_t do_sync(struct request *r) {
  int error = volume_may_write();
  if (error) return error == -EROFS ? 0 : error;
  error = sync_add(r->m, commit_ask_with_data(0));
  r->is_answered = !error;
  return error;
}

int32_t do_statfs(struct request *r) {
  static struct fs_statfs s;
  struct ext2_super_block *super = volume_fs()->super;
  uint64_t free_blocks = ext2fs_free_blocks_count(super);
  uint64_t reserved = ext2fs_r_blocks_count(super);
  s = (struct fs_statfs){.block_bytes = volume_fs()->blocksize,
                         .name_max = FS_NAME_MAX,
                         .blocks = ext2fs_blocks_count(super),
                         .blocks_free = free_blocks,
                         .blocks_available = free_blocks > reserved ? free_blocks - reserved : 0,
                         .inodes = super->s_inodes_count,
                         .inodes_free = super->s_free_inodes_count,
                         .read_only = volume_may_write() != 0,
                         .dirty_pages = cache_count(PAGES_DIRTY) + cache_count(PAGES_CHANGED),
                         .cache_pages = cache_size()};
  r->out = &s;
  r->out_bytes = sizeof s;
  return 0;
}

int32_t do_credentials(struct request *r) {
  const struct fs_credentials *q = IPC(r->m, fs_credentials);
  if (strcmp(sys_name(r->m->source), "pm") != 0) return -EPERM;
  parked_wake(); /* it may have asked already */
  return files_set_credentials(q->process, (struct credentials){q->user, q->group});
}

int32_t do_counts(struct request *r) {
  struct fs_counts_reply *c = IPC_REPLY(&r->reply, fs_counts);
  c->hits = cache_counts.hits;
  c->misses = cache_counts.misses;
  c->commits = commit_count();
  c->handles = files_handles();
  c->dirty_pages = cache_count(PAGES_DIRTY) + cache_count(PAGES_CHANGED);
  c->version = STORAGE_VERSION;
  c->searches = (uint32_t)directory_searches();
  return 0;
}
