#include "servers/storage/channel.h"

#include <stdlib.h>
#include <string.h>

#include "servers/storage/cache.h"
#include "servers/storage/disk.h"

static uint32_t changes;

uint32_t channel_changes(void) {
  uint32_t n = changes;
  changes = 0;
  return n;
}

/* What one call transfers, in bytes of the disk: the channel's blocks may be smaller than ours. */
struct range {
  uint64_t at, end;
};

static struct range range_of(const struct struct_io_channel *channel, uint64_t block, int count) {
  uint64_t at = block * (uint32_t)channel->block_size;
  uint64_t bytes = count < 0 ? (uint64_t)-count : (uint64_t)count * (uint32_t)channel->block_size;
  return (struct range){at, at + bytes};
}

static uint32_t piece(const struct range *r, uint32_t *offset) {
  uint32_t size = disk_block_bytes();
  *offset = (uint32_t)(r->at % size);
  return r->end - r->at < size - *offset ? (uint32_t)(r->end - r->at) : size - *offset;
}

static errcode_t channel_open(const char *name, int flags, io_channel *channel) {
  io_channel made = calloc(1, sizeof *made);
  (void)flags;
  if (!made) return EXT2_ET_NO_MEMORY;
  made->name = strdup(name);
  made->magic = EXT2_ET_MAGIC_IO_CHANNEL;
  made->manager = &channel_manager;
  made->block_size = 1024;
  made->refcount = 1;
  *channel = made;
  return 0;
}

static errcode_t channel_close(io_channel channel) {
  if (--channel->refcount > 0) return 0;
  free(channel->name);
  free(channel);
  return 0;
}

static errcode_t set_blksize(io_channel channel, int bytes) {
  channel->block_size = bytes;
  return 0;
}

static errcode_t read_64(io_channel channel, unsigned long long block, int count, void *data) {
  struct range r = range_of(channel, block, count);
  for (char *to = data; r.at < r.end;) {
    uint32_t offset, n = piece(&r, &offset);
    const char *from = cache_read_wait(r.at / disk_block_bytes());
    if (!from) return EXT2_ET_SHORT_READ;
    memcpy(to, from + offset, n);
    to += n;
    r.at += n;
  }
  return 0;
}

/* @param data  NULL: zeroes */
static errcode_t write_piece(uint64_t block, uint32_t offset, uint32_t n, const char *data) {
  bool whole = n == disk_block_bytes();
  if (!whole && !cache_read_wait(block)) return EXT2_ET_SHORT_WRITE;
  uint32_t page = cache_overwrite(block);
  if (page == NO_PAGE) return EXT2_ET_SHORT_WRITE;
  cache_settle(page, PAGE_WRITING); /* as data of the block's former owner */
  char *to = disk_page(page) + offset;
  bool known = cache_page(page)->flags & PAGE_VALID && cache_page(page)->inode == 0;
  if (known && data && memcmp(to, data, n) == 0) return 0;
  if (data)
    memcpy(to, data, n);
  else
    memset(to, 0, n);
  cache_changed(page);
  changes++;
  return 0;
}

static errcode_t write_64(io_channel channel, unsigned long long block, int count,
                          const void *data) {
  struct range r = range_of(channel, block, count);
  const char *from = data;
  errcode_t error = 0;
  while (!error && r.at < r.end) {
    uint32_t offset, n = piece(&r, &offset);
    error = write_piece(r.at / disk_block_bytes(), offset, n, from);
    if (from) from += n;
    r.at += n;
  }
  return error;
}

static errcode_t read_32(io_channel channel, unsigned long block, int count, void *data) {
  return read_64(channel, block, count, data);
}

static errcode_t write_32(io_channel channel, unsigned long block, int count, const void *data) {
  return write_64(channel, block, count, data);
}

static errcode_t zeroout(io_channel channel, unsigned long long block, unsigned long long count) {
  return write_64(channel, block, (int)count, NULL);
}

/* When anything is on the disk is the commit's matter. */
static errcode_t flush_nothing(io_channel channel) {
  (void)channel;
  return 0;
}

struct struct_io_manager channel_manager = {
    .magic = EXT2_ET_MAGIC_IO_MANAGER,
    .name = "block cache",
    .open = channel_open,
    .close = channel_close,
    .set_blksize = set_blksize,
    .read_blk = read_32,
    .write_blk = write_32,
    .flush = flush_nothing,
    .read_blk64 = read_64,
    .write_blk64 = write_64,
    .zeroout = zeroout,
};
