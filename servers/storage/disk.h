/* The disk, as the driver gives it (libsys/if/disk.h): blocks of the file system, in pages of the
 * region `<disk>.frames`. A page holds one block. */
#ifndef PROTEOS_STORAGE_DISK_H
#define PROTEOS_STORAGE_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "libsys/if/disk.h"
#include "libsys/sys.h"

enum disk_state {
  DISK_IS_DOWN, /* the driver is dead, or has not been started; tried again by and by */
  DISK_IS_UP,
};

/** What a transfer is for: who is told when it is done. */
enum disk_purpose {
  FOR_NOBODY,
  FOR_CACHE_READ,  /* cache pages: cache_read_done() */
  FOR_CACHE_WRITE, /* cache pages: writeback_done() */
  FOR_COMMIT,      /* pages of a commit: commit_written() */
  FOR_FLUSH,       /* flush_done() */
};

struct disk_transfer {
  enum disk_purpose purpose; /* FOR_NOBODY: free */
  uint32_t operation;        /* enum disk_operation */
  uint32_t flags;            /* enum disk_flag */
  uint32_t count;            /* of pages */
  uint64_t block;            /* the first; the others follow it */
  uint32_t pages[DISK_REQUEST_PAGES];
  uint32_t failures;
  bool waits; /* to be made again: it failed, or the driver was down */
};

/** Maps the region and finds the driver. @return 0 or a negative errno, which has been logged */
int disk_open(const char *disk, const char *driver);
/** Starts the driver in a later turn; tries again until it works. */
void disk_begin_start(void);
bool disk_is_up(void);
/** Why the driver did not start when that was last tried, a negative errno or the bus's error; 0:
 * it did. */
int disk_start_error(void);
endpoint_t disk_driver(void);
/** Sets the size of the file system's blocks. @return 0, or -EINVAL: the disk's are larger */
int disk_set_block_bytes(uint32_t bytes);
uint32_t disk_block_bytes(void);
/** The disk's size in blocks. */
uint64_t disk_blocks(void);
/** Pages that the region has. */
uint32_t disk_pages(void);
char *disk_page(uint32_t page);
/** Whether an address lies in a page, and in which. */
bool disk_is_page(const void *address, uint32_t *page);
bool disk_is_driver(endpoint_t ep);

/** Reads or writes blocks that follow each other, or flushes (count 0), and waits for it.
 * @return 0, -EIO, -ERANGE */
int disk_wait(uint32_t operation, uint64_t block, uint32_t count, const uint32_t *pages,
              uint32_t flags);
/** The same without waiting; done at a later turn. @return false: there is no room now */
bool disk_begin(enum disk_purpose purpose, uint32_t operation, uint64_t block, uint32_t count,
                const uint32_t *pages, uint32_t flags);
/** One of DISK_REQUESTS. */
const struct disk_transfer *disk_transfer_at(uint32_t number);
/** How many blocks that follow each other one transfer may have. */
uint32_t disk_run_max(void);
/** Whether disk_begin() has room for so many. */
bool disk_has_room(uint32_t transfers);
/** Transfers that are under way. */
uint32_t disk_under_way(void);

/** Takes what the driver has done. To be called when it has notified: what it says of a loss of
 * power comes not later than what it did since. */
void disk_take_done(void);
/** Lets the driver work, and takes what it has done: for whoever cannot return to the event loop.
 */
void disk_poll(void);
/** For the end of each turn: tells the driver of what was begun, unless that can wait for more. */
void disk_turn_end(void);
/** What was begun and is held does not wait for more. */
void disk_hold_none(void);
/** For the alarm: it can wait no longer. */
void disk_hold_no_longer(void);
/** The driver has died; it is back, having forgotten all. */
void disk_driver_lost(void);
void disk_driver_restarted(void);
/** What failed is tried again; for the alarm. @return whether there is more to be tried */
bool disk_try_again(void);
/** Whether the device was reset since this was last asked: the news of it may still be on its way.
 */
bool disk_was_reset(void);
/** What was written and not flushed may be lost. */
void disk_lost(void);

#endif
