#include "servers/storage/wanted.h"

#include "servers/storage/cache.h"
#include "servers/storage/disk.h"

enum { SYNCED_MAX = 64 /* files that are known by number; if there are more, all are synced */ };

static struct {
  uint32_t left;
  uint32_t synced[SYNCED_MAX]; /* inodes whose data the next commit writes */
  uint32_t nsynced;
  bool sync_all;
} wanted;

void wanted_sync(uint32_t inode) {
  if (inode == 0 || wanted.nsynced == SYNCED_MAX)
    wanted.sync_all = true;
  else
    wanted.synced[wanted.nsynced++] = inode;
}

uint32_t wanted_left(void) {
  return wanted.left;
}

void wanted_has_page(void) {
  wanted.left--;
}

static bool is_synced(uint32_t inode) {
  for (uint32_t i = 0; i < wanted.nsynced; i++)
    if (wanted.synced[i] == inode) return true;
  return false;
}

static bool goes_with(const struct page *p) {
  return p->inode && (p->flags & PAGE_FRESH || wanted.sync_all || is_synced(p->inode));
}

static void want(uint32_t page, bool is_under_way) {
  struct page *p = cache_page(page);
  if (p->flags & PAGE_WANTED || !goes_with(p)) return;
  p->flags |= PAGE_WANTED;
  if (is_under_way && !(p->flags & PAGE_DIRTY)) p->flags |= PAGE_WANTED_NOW;
  wanted.left++;
}

/* Dirty data, and what is being written and may not have been dirty since. */
void wanted_begin(void) {
  for (uint32_t page = cache_oldest(PAGES_DIRTY); page != NO_PAGE; page = cache_newer(page))
    want(page, false);
  for (uint32_t i = 0; i < DISK_REQUESTS; i++) {
    const struct disk_transfer *t = disk_transfer_at(i);
    for (uint32_t k = 0; t->purpose == FOR_CACHE_WRITE && k < t->count; k++)
      want(t->pages[k], true);
  }
  wanted.sync_all = false;
  wanted.nsynced = 0;
}

void wanted_again(void) {
  wanted.sync_all = true;
  wanted_begin();
}
