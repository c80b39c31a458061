#include "servers/storage/journal/test-device.h"

#include <check.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "servers/storage/journal/state.h"

void device_init(struct device *d, unsigned features) {
  memset(d, 0, sizeof *d);
  d->extent = (struct journal_extent){.first = 0, .count = JOURNAL_LENGTH, .block = JOURNAL_AT};
  d->geometry = (struct journal_geometry){.block_bytes = BLOCK,
                                          .fs_blocks = UINT64_C(1) << 40,
                                          .features = features,
                                          .extents = &d->extent,
                                          .nextents = 1};
  struct jbd2_superblock *s = device_superblock(d);
  s->header = (struct jbd2_header){htobe32(JBD2_MAGIC), htobe32(JBD2_SUPERBLOCK_V2), 0};
  s->block_bytes = htobe32(BLOCK);
  s->length = htobe32(JOURNAL_LENGTH);
  s->first = htobe32(1);
  s->sequence = htobe32(1);
  s->users = htobe32(1);
  memset(s->uuid, 0x5a, sizeof s->uuid);
  memset(s->user_uuids, 0x77, sizeof s->user_uuids);
}

struct jbd2_superblock *device_superblock(struct device *d) {
  return (struct jbd2_superblock *)d->log[0];
}

void device_checksum(struct device *d) {
  struct jbd2_superblock *s = device_superblock(d);
  if (!(be32toh(s->incompat) & (JBD2_INCOMPAT_CSUM_V2 | JBD2_INCOMPAT_CSUM_V3))) return;
  s->checksum_type = JBD2_CRC32C;
  s->checksum = checksum_of_superblock(s);
}

static uint8_t *find(struct device *d, uint64_t block) {
  if (block >= JOURNAL_AT && block < JOURNAL_AT + JOURNAL_LENGTH) return d->log[block - JOURNAL_AT];
  unsigned i = 0;
  while (i < d->nothers && d->others[i].block != block)
    i++;
  return i < d->nothers ? d->others[i].data : NULL;
}

const uint8_t *device_at(const struct device *d, uint64_t block) {
  return find((struct device *)d, block);
}

static int read_block(void *arg, uint64_t block, void *data) {
  struct device *d = arg;
  if (++d->reads == d->fail_read) return -EIO;
  if (!find(d, block)) abort();
  memcpy(data, find(d, block), BLOCK);
  return 0;
}

static int write_block(void *arg, uint64_t block, const void *data) {
  struct device *d = arg;
  if (++d->writes == d->fail_write) return -EIO;
  uint8_t *at = find(d, block);
  if (!at) {
    if (d->nothers == OTHERS) abort();
    d->others[d->nothers].block = block;
    at = d->others[d->nothers++].data;
  }
  memcpy(at, data, BLOCK);
  return 0;
}

void device_put(struct device *d, const struct journal_write *w) {
  unsigned fail = d->fail_write;
  d->fail_write = 0;
  write_block(d, w->block, w->data);
  d->fail_write = fail;
}

struct journal *device_open(struct device *d) {
  struct journal *j;
  struct journal_reason why = {""};
  int err = journal_open(&j, &d->geometry, d->log[0], &why);
  ck_assert_msg(err == 0, "%d: %s", err, why.text);
  return j;
}

int device_recover(struct device *d, struct journal *j, struct journal_recovery *done,
                   struct journal_reason *why) {
  d->reads = d->writes = 0;
  return journal_recover(j, read_block, write_block, d, done, why);
}

struct journal *device_mount(struct device *d) {
  struct journal *j = device_open(d);
  struct journal_reason why = {""};
  int err = device_recover(d, j, NULL, &why);
  ck_assert_msg(err == 0, "%d: %s", err, why.text);
  struct journal_write w;
  if (journal_superblock(j, JOURNAL_CLEAN, &w) == 1) {
    device_put(d, &w);
    ck_assert_int_eq(journal_superblock_written(j), 0);
  }
  return j;
}

journal_tid device_commit(struct device *d, struct journal *j, bool with_record) {
  const struct journal_write *writes;
  size_t n;
  journal_tid tid;
  ck_assert_int_eq(journal_seal(j, &writes, &n), 0);
  ck_assert(journal_committing(j, &tid));
  for (size_t i = 0; i < n; i++)
    device_put(d, &writes[i]);
  if (!with_record) return tid;
  struct journal_write record;
  ck_assert_int_eq(journal_commit_record(j, UINT64_C(1700000000123456789), &record), 0);
  device_put(d, &record);
  ck_assert_int_eq(journal_committed(j), 0);
  return tid;
}

const uint8_t *content(unsigned seed) {
  static uint8_t pages[16][BLOCK];
  static unsigned next;
  uint8_t *page = pages[next++ % 16];
  for (unsigned i = 0; i < BLOCK; i++)
    page[i] = (uint8_t)(seed * 31 + i * 7 + (i >> 8));
  return page;
}
