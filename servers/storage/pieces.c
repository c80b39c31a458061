/* Many pieces of an open file in one request. */
#include <errno.h>
#include <string.h>

#include "libsys/if/io.h"
#include "libsys/if/mem.h"
#include "servers/lent/lent.h"
#include "servers/storage/disk.h"
#include "servers/storage/request.h"

struct list {
  struct node *node;
  struct io_piece pieces[IO_LIST_MAX];
  void *out[IO_LIST_MAX];
  uint32_t count;
};

static uint32_t blocks_of(const struct io_piece *p) {
  uint32_t size = disk_block_bytes();
  return (uint32_t)((p->offset % size + p->bytes + size - 1) / size);
}

/* Leaves out what must not be in the cache together with the rest. A piece alone may be cut. */
static void limit(struct list *l) {
  uint32_t most = request_blocks_max(), alone = request_bytes_max(), used = 0, n = 0;
  if (l->pieces[0].bytes > alone) l->pieces[0].bytes = alone;
  while (n < l->count && l->pieces[n].bytes <= alone && blocks_of(&l->pieces[n]) <= most - used)
    used += blocks_of(&l->pieces[n++]);
  l->count = n;
}

static int find_memory(const struct request *r, struct list *l) {
  uint32_t grant = IPC(r->m, io_read_list)->grant;
  int error = 0;
  for (uint32_t i = 0; i < l->count && !error; i++)
    error = lent_find(r->m->source, grant, l->pieces[i].at, l->pieces[i].bytes,
                      MEM_READ | MEM_WRITE, &l->out[i]);
  return error;
}

static int take(const struct request *r, struct list *l) {
  uint32_t bytes = r->m->payload;
  struct file *f;
  int error = request_readable(r, IPC(r->m, io_read_list)->handle, &f);
  if (error) return error;
  if (!bytes || bytes % sizeof *l->pieces || bytes > sizeof l->pieces) return -EINVAL;
  memcpy(l->pieces, r->payload, bytes);
  l->count = bytes / sizeof *l->pieces;
  for (uint32_t i = 0; i < l->count; i++)
    if (l->pieces[i].offset > INT64_MAX || l->pieces[i].unused) return -EINVAL;
  l->node = f->node;
  limit(l);
  return find_memory(r, l);
}

/* @return 1: all are there; 0: some are on their way; a negative errno */
static int fetch(const struct list *l) {
  int all = 1;
  for (uint32_t i = 0; i < l->count; i++) {
    int there = data_fetch(l->node, l->pieces[i].offset, l->pieces[i].bytes);
    if (there < 0) return there;
    all &= there;
  }
  return all;
}

int32_t do_read_list(struct request *r) {
  static int32_t results[IO_LIST_MAX];
  struct list l;
  int error = take(r, &l);
  int there = error ? error : fetch(&l);
  if (there == 0) disk_hold_none(); /* they are together already */
  if (there < 1) return there < 0 ? there : DATA_WAITS;
  for (uint32_t i = 0; i < l.count; i++) {
    results[i] = data_read(l.node, l.pieces[i].offset, l.pieces[i].bytes, l.out[i]);
    if (results[i] == DATA_WAITS) return DATA_WAITS;
  }
  r->out = results;
  r->out_bytes = l.count * sizeof *results;
  return 0;
}
