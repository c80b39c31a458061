/* The block cache: which block of the disk each page of the region holds, and what is to be done
 * with it.
 *
 * Pages are named by their number. A page that holds a block is in the table, and in one list by
 * what it is: clean, dirty data, or metadata that the running transaction has changed. Pages that a
 * commit has taken for itself are in no list. */
#ifndef PROTEOS_STORAGE_CACHE_H
#define PROTEOS_STORAGE_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#define NO_PAGE UINT32_MAX

enum page_flag {
  PAGE_VALID = 1,        /* it has the block's contents */
  PAGE_READING = 2,      /* they are on their way */
  PAGE_WRITING = 4,      /* on their way to the disk */
  PAGE_DIRTY = 8,        /* data that differs from the disk's */
  PAGE_FRESH = 16,       /* data of a block that the running transaction has allocated: on the disk
                            before that commits */
  PAGE_CHANGED = 32,     /* metadata that the running transaction has changed */
  PAGE_COMMITTED = 64,   /* metadata of the committing transaction, which is not in place yet */
  PAGE_WANTED = 128,     /* the commit waits until it is on the disk */
  PAGE_WANTED_NOW = 256, /* and what is being written is what it waits for */
  PAGE_FAILED = 512      /* it could not be read */
};

enum page_list { PAGES_FREE, PAGES_CLEAN, PAGES_DIRTY, PAGES_CHANGED, PAGE_LISTS };

struct page {
  uint64_t block;
  uint32_t flags;        /* enum page_flag */
  uint32_t list;         /* enum page_list; PAGE_LISTS: none */
  uint32_t inode;        /* whose data it is; 0: metadata, or not known */
  uint32_t same_bucket;  /* the next one in the table */
  uint32_t newer, older; /* in its list */
  uint32_t written;      /* the flush that it needs: flush_is_done(written) */
  uint32_t dirty_since;  /* cache_clock() */
};

/** Takes all pages of the disk's region, or `limit` of them. @return 0 or -ENOMEM */
int cache_init(uint32_t limit);
/** All pages are free. Nothing must be under way. */
void cache_drop_all(void);

uint32_t cache_size(void);
uint32_t cache_count(enum page_list list);
struct page *cache_page(uint32_t page);
uint32_t cache_oldest(enum page_list list);
/** The next newer one of its list, or NO_PAGE. */
uint32_t cache_newer(uint32_t page);
/** Seconds, for ages. */
uint32_t cache_clock(void);

/** The page that holds a block, or NO_PAGE; it may be without contents yet. */
uint32_t cache_find(uint64_t block);
/** The same; it counts as used. */
uint32_t cache_use(uint64_t block);
/** A page without contents for a block that has none. @return NO_PAGE: none can be had now */
uint32_t cache_enter(uint64_t block);
/** A page for other uses, in no list. @return NO_PAGE: none can be had now */
uint32_t cache_take(void);
/** Gives it back. */
void cache_give_back(uint32_t page);
/** Whether so many pages could be had. */
bool cache_can_take(uint32_t pages);

/** Contents of a block: read if need be, waiting for it. @return NULL: the disk fails */
char *cache_read_wait(uint64_t block);
/** A page for a block that is written as a whole: its contents, which mean nothing. */
uint32_t cache_overwrite(uint64_t block);
/** Waits until a page has none of these flags, which the disk ends. */
void cache_settle(uint32_t page, uint32_t flags);
/** Begins to read blocks that follow each other and are not there. Those that there is no room for
 * are left out. @return how many are on their way */
uint32_t cache_begin_reading(uint64_t block, uint32_t count);

/** Metadata that the running transaction changes. */
void cache_changed(uint32_t page);
/** Data that was written. @param fresh  its block was allocated in the running transaction */
void cache_dirtied(uint32_t page, uint32_t inode, bool fresh);
/** Moves a page into the list that its flags say. */
void cache_sort_in(uint32_t page);
/** A block is free: its contents mean nothing. */
void cache_forget(uint64_t block);

/** From the disk. */
void cache_read_done(const uint32_t *pages, uint32_t count, int status);
void cache_lost(void);

struct cache_counts {
  uint64_t hits, misses;
};
extern struct cache_counts cache_counts;

#endif
