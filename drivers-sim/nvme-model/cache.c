#include "cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

_Static_assert(CACHE_BLOCK_BYTES / LBA_BYTES == 8, "a bit for each sector");

void cache_init(struct cache *c) {
  *c = (struct cache){.enabled = true};
  TAILQ_INIT(&c->by_age);
  for (unsigned i = 0; i < CACHE_BUCKETS; i++)
    LIST_INIT(&c->buckets[i]);
}

static struct cache_block *find(const struct cache *c, uint64_t number) {
  struct cache_block *b;
  LIST_FOREACH (b, &c->buckets[number % CACHE_BUCKETS], bucket)
    if (b->number == number) return b;
  return NULL;
}

static uint8_t sectors(uint32_t offset, uint32_t bytes) {
  return (uint8_t)(((1u << bytes / LBA_BYTES) - 1) << offset / LBA_BYTES);
}

/* ---- blocks ---- */

static int write_back(const struct media *m, const struct cache_block *b) {
  int error = 0;
  for (uint32_t i = 0; i < 8 && !error; i++)
    if (b->written >> i & 1)
      error = media_write(m, b->number * CACHE_BLOCK_BYTES + i * LBA_BYTES, b->data + i * LBA_BYTES,
                          LBA_BYTES);
  return error;
}

static int write_back_whole(const struct media *m, const struct cache_block *b) {
  return b->written == 0xFF
             ? media_write(m, b->number * CACHE_BLOCK_BYTES, b->data, CACHE_BLOCK_BYTES)
             : write_back(m, b);
}

static void drop(struct cache *c, struct cache_block *b) {
  TAILQ_REMOVE(&c->by_age, b, age);
  LIST_REMOVE(b, bucket);
  c->nblocks--;
  free(b);
}

static int evict_oldest(struct cache *c, const struct media *m) {
  struct cache_block *b = TAILQ_FIRST(&c->by_age);
  int error = write_back_whole(m, b);
  if (error) return error;
  c->evicted = true;
  drop(c, b);
  return 0;
}

static struct cache_block *add(struct cache *c, uint64_t number) {
  struct cache_block *b = malloc(sizeof(*b));
  if (!b) return NULL;
  b->number = number;
  b->written = 0;
  TAILQ_INSERT_TAIL(&c->by_age, b, age);
  LIST_INSERT_HEAD(&c->buckets[number % CACHE_BUCKETS], b, bucket);
  c->nblocks++;
  return b;
}

/* ---- ranges ---- */

/* The part of a range that lies in one block. */
struct piece {
  uint64_t number;
  uint32_t offset, bytes;
};

static struct piece piece_at(uint64_t offset, uint32_t bytes) {
  uint32_t within = offset % CACHE_BLOCK_BYTES, room = CACHE_BLOCK_BYTES - within;
  return (struct piece){offset / CACHE_BLOCK_BYTES, within, bytes < room ? bytes : room};
}

static void overlay(const struct cache_block *b, const struct piece *p, char *data) {
  for (uint32_t at = 0; at < p->bytes; at += LBA_BYTES)
    if (b->written & sectors(p->offset + at, LBA_BYTES))
      memcpy(data + at, b->data + p->offset + at, LBA_BYTES);
}

int cache_read(const struct cache *c, const struct media *m, uint64_t offset, void *data,
               uint32_t bytes) {
  int error = media_read(m, offset, data, bytes);
  struct piece p;
  for (uint32_t done = 0; done < bytes && !error; done += p.bytes) {
    p = piece_at(offset + done, bytes - done);
    const struct cache_block *b = find(c, p.number);
    if (b) overlay(b, &p, (char *)data + done);
  }
  return error;
}

static int write_piece(struct cache *c, const struct media *m, const struct piece *p,
                       const char *data) {
  struct cache_block *b = find(c, p->number);
  if (!b && c->nblocks >= CACHE_BLOCKS) {
    int error = evict_oldest(c, m);
    if (error) return error;
  }
  if (!b) b = add(c, p->number);
  if (!b) {
    c->evicted = true;
    return media_write(m, p->number * CACHE_BLOCK_BYTES + p->offset, data, p->bytes);
  }
  memcpy(b->data + p->offset, data, p->bytes);
  b->written |= sectors(p->offset, p->bytes);
  return 0;
}

int cache_write(struct cache *c, const struct media *m, uint64_t offset, const void *data,
                uint32_t bytes) {
  if (!c->enabled) {
    int error = media_write(m, offset, data, bytes);
    return error ? error : media_sync(m);
  }
  int error = 0;
  struct piece p;
  for (uint32_t done = 0; done < bytes && !error; done += p.bytes) {
    p = piece_at(offset + done, bytes - done);
    error = write_piece(c, m, &p, (const char *)data + done);
  }
  return error;
}

/* After a failed sync the system takes what it was given for written, and the next one succeeds. */
static int sync_medium(struct cache *c, const struct media *m) {
  int error = media_sync(m);
  c->failed |= error && c->evicted;
  if (!error) c->evicted = false;
  return c->failed ? -EIO : error;
}

int cache_flush(struct cache *c, const struct media *m) {
  const struct cache_block *b;
  TAILQ_FOREACH (b, &c->by_age, age) {
    int error = write_back_whole(m, b);
    if (error) return error;
  }
  int error = sync_medium(c, m);
  while (!error && !TAILQ_EMPTY(&c->by_age))
    drop(c, TAILQ_FIRST(&c->by_age));
  return error;
}
