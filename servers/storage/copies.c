#include "servers/storage/copies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "servers/storage/cache.h"
#include "servers/storage/disk.h"

static struct copy *add(struct copies *c) {
  if (c->count == c->capacity) {
    uint32_t capacity = c->capacity ? 2 * c->capacity : 16;
    struct copy *items = realloc(c->items, capacity * sizeof *items);
    if (!items) return NULL;
    c->items = items;
    c->capacity = capacity;
  }
  return &c->items[c->count++];
}

uint32_t copies_add(struct copies *c, uint64_t block, const void *data) {
  uint32_t page = cache_take();
  struct copy *item = page == NO_PAGE ? NULL : add(c);
  if (!item) {
    if (page != NO_PAGE) cache_give_back(page);
    return NO_PAGE;
  }
  memcpy(disk_page(page), data, disk_block_bytes());
  *item = (struct copy){.block = block, .page = page, .owned = true};
  return page;
}

int copies_refer(struct copies *c, uint64_t block, uint32_t page) {
  struct copy *item = add(c);
  if (!item) return -ENOMEM;
  *item = (struct copy){.block = block, .page = page};
  return 0;
}

void copies_write_all(struct copies *c) {
  for (uint32_t i = 0; i < c->count; i++) {
    struct copy *item = &c->items[i];
    if (item->state == COPY_PENDING || item->state == COPY_UNDER_WAY) continue;
    item->state = COPY_PENDING;
    c->pending++;
    c->unwritten++;
  }
  copies_go_on(c);
}

static uint32_t begin_run(struct copies *c, uint32_t first) {
  uint32_t pages[DISK_REQUEST_PAGES], n = 0, most = disk_run_max();
  for (; n < most && first + n < c->count; n++) {
    const struct copy *item = &c->items[first + n];
    if (item->state != COPY_PENDING || item->block != c->items[first].block + n) break;
    pages[n] = item->page;
  }
  if (!disk_begin(FOR_COMMIT, DISK_WRITE, c->items[first].block, n, pages, c->flags)) return 0;
  for (uint32_t i = 0; i < n; i++)
    c->items[first + i].state = COPY_UNDER_WAY;
  c->pending -= n;
  return n;
}

void copies_go_on(struct copies *c) {
  for (uint32_t i = 0; c->pending && i < c->count;) {
    uint32_t n = 1;
    if (c->items[i].state == COPY_PENDING) n = begin_run(c, i);
    if (n == 0) return;
    i += n;
  }
}

static void note(struct copies *c, uint32_t page) {
  for (uint32_t i = 0; i < c->count; i++) {
    struct copy *item = &c->items[i];
    if (item->page != page || item->state != COPY_UNDER_WAY) continue;
    item->state = COPY_WRITTEN;
    c->unwritten--;
    return;
  }
}

void copies_written(struct copies *c, const uint32_t *pages, uint32_t count) {
  for (uint32_t i = 0; i < count && c->unwritten; i++)
    note(c, pages[i]);
}

bool copies_are_written(const struct copies *c) {
  return c->unwritten == 0;
}

void copies_free(struct copies *c) {
  for (uint32_t i = 0; i < c->count; i++)
    if (c->items[i].owned) cache_give_back(c->items[i].page);
  free(c->items);
  *c = (struct copies){0};
}
