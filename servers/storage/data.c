#include "servers/storage/data.h"

#include <errno.h>
#include <string.h>

#include "servers/storage/blocks.h"
#include "servers/storage/cache.h"
#include "servers/storage/channel.h"
#include "servers/storage/commit.h"
#include "servers/storage/cut.h"
#include "servers/storage/disk.h"
#include "servers/storage/flush.h"
#include "servers/storage/map.h"
#include "servers/storage/volume.h"
#include "servers/storage/writeback.h"

enum {
  AHEAD_MAX = 256,  /* blocks that are read ahead */
  PAGES_BESIDE = 8, /* that a write needs for metadata */
};

static uint64_t smaller(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

/* ---- reading ---- */

/* Begins to read what is not there of blocks [at, end) of the file. */
static int fetch(struct node *node, uint64_t at, uint64_t end) {
  struct extent_run run;
  for (; at < end; at += run.count) {
    int error = map_find(node, at, &run);
    if (error) return error;
    run.count = smaller(run.count, end - at);
    if (run.block && !run.unwritten) cache_begin_reading(run.block, (uint32_t)run.count);
  }
  return 0;
}

static void read_ahead(struct node *node, uint64_t first, uint64_t end) {
  uint64_t size = disk_block_bytes(), last = (node_bytes(node) + size - 1) / size;
  uint64_t most = smaller(AHEAD_MAX, cache_size() / 8);
  bool in_order = first == node->read_next;
  node->read_next = end;
  if (!in_order) {
    node->ahead_until = end;
    return;
  }
  if (node->ahead_until < end) node->ahead_until = end;
  if (node->ahead_until - end > most / 2) return;
  uint64_t until = smaller(end + most, last);
  if (until > node->ahead_until) fetch(node, node->ahead_until, until);
  node->ahead_until = until;
}

/* @return 1: there; 0: not yet; or a negative errno */
static int copy_out(const struct extent_run *run, uint32_t offset, uint32_t n, char *out) {
  if (!run->block || run->unwritten) {
    memset(out, 0, n);
    return 1;
  }
  uint32_t page = cache_use(run->block);
  if (page == NO_PAGE) return 0;
  uint32_t flags = cache_page(page)->flags;
  if (flags & PAGE_FAILED) {
    cache_forget(run->block);
    return -EIO;
  }
  if (!(flags & PAGE_VALID)) return 0;
  memcpy(out, disk_page(page) + offset, n);
  return 1;
}

static int32_t read_blocks(struct node *node, uint64_t offset, uint32_t bytes, char *out) {
  uint32_t size = disk_block_bytes();
  struct extent_run run = {0};
  for (uint32_t done = 0, n; done < bytes; done += n) {
    uint64_t at = (offset + done) / size;
    uint32_t within = (uint32_t)((offset + done) % size);
    n = (uint32_t)smaller(size - within, bytes - done);
    int error = map_find(node, at, &run);
    int there = error ? error : copy_out(&run, within, n, out + done);
    if (there < 0) return there;
    if (there == 0) return DATA_WAITS;
  }
  return (int32_t)bytes;
}

int32_t data_read(struct node *node, uint64_t offset, uint32_t bytes, void *out) {
  uint64_t end = node_bytes(node), size = disk_block_bytes();
  if (offset >= end) return 0;
  bytes = (uint32_t)smaller(bytes, end - offset);
  uint64_t first = offset / size, last = (offset + bytes + size - 1) / size;
  int32_t result = read_blocks(node, offset, bytes, out);
  if (result == DATA_WAITS) {
    cache_counts.misses++;
    int error = fetch(node, first, last);
    if (error) return error;
  } else {
    cache_counts.hits++;
  }
  if (first != node->read_next - 1 || last > node->read_next) read_ahead(node, first, last);
  return result;
}

/* What could not be read is there: as an error. */
static bool is_read(const struct extent_run *run) {
  if (!run->block || run->unwritten) return true;
  uint32_t page = cache_use(run->block);
  return page != NO_PAGE && cache_page(page)->flags & (PAGE_VALID | PAGE_FAILED);
}

int data_fetch(struct node *node, uint64_t offset, uint32_t bytes) {
  uint64_t end = node_bytes(node), size = disk_block_bytes();
  if (offset >= end) return 1;
  end = (offset + smaller(bytes, end - offset) + size - 1) / size;
  bool all = true;
  struct extent_run run;
  for (uint64_t at = offset / size; at < end && all; at++) {
    int error = map_find(node, at, &run);
    if (error) return error;
    all = is_read(&run);
  }
  int error = all ? 0 : fetch(node, offset / size, end);
  return error ? error : all;
}

/* ---- writing ---- */

/* What one write changes. */
struct write {
  struct node *node;
  uint64_t offset;
  uint32_t bytes;
  const char *in;
};

/* A block of which only a part is written must be there. @return 1, 0: not yet, a negative errno */
static int is_there(struct node *node, uint64_t at) {
  struct extent_run run;
  if (at * disk_block_bytes() >= node_bytes(node)) return 1;
  int error = map_find(node, at, &run);
  if (error) return error;
  if (!run.block || run.unwritten) return 1;
  uint32_t page = cache_use(run.block);
  if (page == NO_PAGE) {
    cache_begin_reading(run.block, 1);
    return 0;
  }
  uint32_t flags = cache_page(page)->flags;
  if (flags & PAGE_FAILED) {
    cache_forget(run.block);
    return -EIO;
  }
  return flags & PAGE_VALID ? 1 : 0;
}

/* Whether any of its blocks is on its way from the disk. */
static int is_being_read(const struct write *w) {
  uint32_t size = disk_block_bytes();
  uint64_t end = (w->offset + w->bytes + size - 1) / size;
  for (uint64_t at = w->offset / size; at < end; at++) {
    struct extent_run run;
    int error = map_find(w->node, at, &run);
    if (error) return error;
    uint32_t page = run.block ? cache_find(run.block) : NO_PAGE;
    if (page != NO_PAGE && cache_page(page)->flags & PAGE_READING) return 1;
  }
  return 0;
}

static int edges_are_there(const struct write *w) {
  uint32_t size = disk_block_bytes();
  uint64_t end = w->offset + w->bytes;
  int there = w->offset % size ? is_there(w->node, w->offset / size) : 1;
  if (there == 1 && end % size) there = is_there(w->node, end / size);
  return there;
}

/* The block at `at`, which gets one if it has none. */
static int find_or_allocate(const struct write *w, uint64_t at, struct extent_run *run,
                            bool *fresh) {
  uint64_t last = (w->offset + w->bytes - 1) / disk_block_bytes();
  int error = map_find(w->node, at, run);
  *fresh = !error && (!run->block || run->unwritten);
  if (error || !*fresh) return error;
  if (run->unwritten) return map_written(w->node, at);
  return map_allocate(w->node, at, (uint32_t)smaller(run->count, last - at + 1), run);
}

/* What lies behind the end of the file is on the disk before a transaction that moves the end, like
 * what lies in a new block: else a crash would leave other bytes there. */
static int put_block(const struct write *w, uint64_t block, bool fresh, uint64_t offset,
                     uint32_t n) {
  uint32_t size = disk_block_bytes(), within = (uint32_t)(offset % size);
  uint32_t page = cache_overwrite(block);
  if (page == NO_PAGE) return -EIO;
  bool valid = cache_page(page)->flags & PAGE_VALID;
  if (n < size && (fresh || !valid)) memset(disk_page(page), 0, size);
  memcpy(disk_page(page) + within, w->in + (offset - w->offset), n);
  cache_dirtied(page, w->node->ino, fresh || offset + n > node_bytes(w->node));
  return 0;
}

/* Blocks of one run that was just allocated are all fresh. @return bytes that were written */
static int32_t put_blocks(const struct write *w) {
  uint32_t size = disk_block_bytes(), done = 0, left = 0;
  uint64_t block = 0;
  bool fresh = false;
  int error = 0;
  while (done < w->bytes && !error) {
    uint64_t offset = w->offset + done;
    uint32_t n = (uint32_t)smaller(size - offset % size, w->bytes - done);
    if (!left) {
      struct extent_run run = {0};
      error = find_or_allocate(w, offset / size, &run, &fresh);
      left = run.unwritten ? 1 : (uint32_t)smaller(run.count, UINT32_MAX);
      block = run.block;
    }
    if (!error) error = put_block(w, block++, fresh, offset, n);
    if (error) break;
    left--;
    done += n;
  }
  return done ? (int32_t)done : error;
}

/* Makes what lies behind `bytes` in that block zero. It need not be so behind the end of a file:
 * what was appended before a crash may be there. @return 0, DATA_WAITS, a negative errno */
static int32_t clear_tail(struct node *node, uint64_t bytes) {
  uint32_t size = disk_block_bytes(), within = (uint32_t)(bytes % size);
  struct extent_run run;
  if (!within) return 0;
  int there = is_there(node, bytes / size);
  if (there < 1) return there == 0 ? DATA_WAITS : there;
  int error = map_find(node, bytes / size, &run);
  if (error || !run.block || run.unwritten) return error;
  uint32_t page = cache_use(run.block);
  memset(disk_page(page) + within, 0, size - within);
  cache_dirtied(page, node->ino, false);
  return 0;
}

/* So that nobody has to wait for one in the middle. */
static bool has_pages(uint32_t bytes) {
  if (cache_can_take(bytes / disk_block_bytes() + PAGES_BESIDE)) return true;
  writeback_all();
  flush_begin();
  return false;
}

int32_t data_write(struct node *node, uint64_t offset, uint32_t bytes, const void *in) {
  struct write w = {node, offset, bytes, in};
  uint64_t most = map_blocks_max(node) * disk_block_bytes();
  if (offset >= most) return -EFBIG;
  if (node->is_cut) return DATA_WAITS;
  w.bytes = (uint32_t)smaller(bytes, most - offset);
  if (writeback_is_behind() || !has_pages(w.bytes)) return DATA_WAITS;
  if (blocks_have(w.bytes / disk_block_bytes() + 2) == BLOCKS_LATER) return DATA_WAITS;
  int32_t status = offset > node_bytes(node) ? clear_tail(node, node_bytes(node)) : 0;
  if (status) return status;
  int there = edges_are_there(&w);
  if (there < 1) return there == 0 ? DATA_WAITS : there;
  int reading = is_being_read(&w);
  if (reading) return reading == 1 ? DATA_WAITS : reading;
  int32_t done = put_blocks(&w);
  if (done <= 0) return done;
  if (offset + (uint32_t)done > node_bytes(node)) node_set_bytes(node, offset + (uint32_t)done);
  node_touch(node, NODE_MODIFIED | NODE_CHANGED);
  int error = node_write(node);
  if (error) volume_fail("an inode cannot be written");
  channel_changes();
  return error ? error : done;
}

/* ---- truncating ---- */

static int32_t shorten(struct node *node, uint64_t bytes) {
  int32_t status = clear_tail(node, bytes);
  if (status) return status;
  node_set_bytes(node, bytes);
  int more = cut_begin(node);
  node->read_next = node->ahead_until = 0;
  if (more < 0) volume_fail("a file cannot be made shorter");
  return more < 0 ? more : 0;
}

int32_t data_truncate(struct node *node, uint64_t bytes) {
  if (bytes > map_blocks_max(node) * disk_block_bytes()) return -EFBIG;
  if (node->is_cut) return DATA_WAITS;
  int32_t status = bytes < node_bytes(node)   ? shorten(node, bytes)
                   : bytes > node_bytes(node) ? clear_tail(node, node_bytes(node))
                                              : 0;
  if (status) return status;
  node_set_bytes(node, bytes);
  node_touch(node, NODE_MODIFIED | NODE_CHANGED);
  int error = node_write(node);
  if (error) volume_fail("an inode cannot be written");
  channel_changes();
  return error;
}
