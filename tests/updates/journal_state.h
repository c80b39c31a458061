/* An ext4 journal in the midst of things: one transaction waits to be checkpointed, one is being
 * written, one gathers. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "servers/storage/journal/jbd2.h"
#include "servers/storage/journal/journal.h"
#include "tests/updates/pair.h"

enum { BLOCK = 1024, JOURNAL_AT = 100, GATHERED = 20 };

static struct journal *journal;
static uint8_t *page; /* what the transactions refer to */
static const struct journal_write *writes;
static size_t nwrites;
static journal_tid sealed;

static int no_read(void *arg, uint64_t block, void *data) {
  (void)arg, (void)block, (void)data;
  return -1;
}

static int no_write(void *arg, uint64_t block, const void *data) {
  (void)arg, (void)block, (void)data;
  return -1;
}

static void gather(void) {
  uint8_t data[BLOCK];
  for (uint64_t b = 10; b < 10 + GATHERED; b++) {
    memset(data, (int)b, BLOCK);
    CHECK(journal_add(journal, b, data, JOURNAL_COPY) == 0);
    CHECK(journal_revoke(journal, b + 50) == 0);
  }
  CHECK(journal_add(journal, 5, page, JOURNAL_REFER) == 0);
  uint8_t escaped[BLOCK] = {0xc0, 0x3b, 0x39, 0x98};
  CHECK(journal_add(journal, 6, escaped, JOURNAL_COPY) == 0);
}

static void seal(void) {
  sealed = journal_running(journal);
  CHECK(journal_seal(journal, &writes, &nwrites) == 0);
  gather();
}

static void commit(void) {
  struct journal_write record;
  CHECK(journal_commit_record(journal, 1, &record) == 0);
  const struct jbd2_commit *c = (const struct jbd2_commit *)record.data;
  CHECK(be32toh(c->header.magic) == (uint32_t)JBD2_MAGIC && be32toh(c->header.type) == JBD2_COMMIT);
  CHECK(be32toh(c->header.sequence) == sealed);
  CHECK(journal_committed(journal) == 0);
}

static void build_state(void) {
  const struct journal_extent extent = {0, 1024, JOURNAL_AT};
  const struct journal_geometry g = {.block_bytes = BLOCK,
                                     .fs_blocks = 4096,
                                     .features = JOURNAL_CHECKSUM,
                                     .extents = &extent,
                                     .nextents = 1};
  struct jbd2_superblock s = {.header = {htobe32(JBD2_MAGIC), htobe32(JBD2_SUPERBLOCK_V2), 0},
                              .block_bytes = htobe32(BLOCK),
                              .length = htobe32(1024),
                              .first = htobe32(1),
                              .sequence = htobe32(1)};
  CHECK(journal_open(&journal, &g, &s, NULL) == 0);
  CHECK(journal_recover(journal, no_read, no_write, NULL, NULL, NULL) == 0);
  page = malloc(BLOCK);
  memset(page, 77, BLOCK);
  gather();
  seal();
  commit();
  seal();
}

/* Each block that is added is in what is written. */
static void check_writes(void) {
  unsigned seen[256] = {0};
  for (size_t i = 0; i < nwrites; i++) {
    CHECK(writes[i].block >= JOURNAL_AT && writes[i].block < JOURNAL_AT + 1024);
    const uint8_t *d = writes[i].data;
    if (d[0] == d[1] && memcmp(d, d + 1, BLOCK - 1) == 0) seen[d[0]]++;
    if (d[0] == 77) CHECK(d == page);
  }
  for (unsigned b = 10; b < 10 + GATHERED; b++)
    CHECK(seen[b] == 1);
  CHECK(seen[77] == 1 && seen[0] == 1);
}

/* All goes on as it would have, to where it was. */
static void check_state(void) {
  journal_tid tid;
  CHECK(journal_committing(journal, &tid) && tid == sealed);
  CHECK(journal_oldest(journal, &tid) && tid == sealed - 1);
  CHECK(journal_running_needs(journal) == journal_needs(journal, GATHERED + 2, GATHERED));
  check_writes();
  commit();
  CHECK(journal_checkpointed(journal, sealed - 1) == 0);
  struct journal_write w;
  CHECK(journal_superblock(journal, JOURNAL_OPEN, &w) == 1);
  CHECK(w.block == JOURNAL_AT && journal_superblock_written(journal) == 0);
  seal();
}
