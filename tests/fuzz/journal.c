/* Fuzzes the recovery of an ext4 journal.
 * An input is a place in the journal (two bytes), its super block (256 bytes), and blocks of the
 * log that follow each other from that place on; all others are zero. Checksums are right, unless
 * they are 0xff: a fuzzer finds no CRC. */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "servers/storage/journal/state.h"
#include "tests/fuzz/seeds.h"

enum {
  BLOCK = 1024,
  BLOCKS = 1024,
  FS_BLOCKS = 4096,
  AT_1 = 100,
  AT_2 = 2000,
  FIRST_PART = 600,
  SUPER_BYTES = 256
};

static const struct journal_extent extents[] = {{0, FIRST_PART, AT_1},
                                                {FIRST_PART, BLOCKS - FIRST_PART, AT_2}};
static uint8_t fs[FS_BLOCKS][BLOCK];
static bool written[FS_BLOCKS]; /* may differ from zero */
static unsigned reads;

/* ---- instead of checksum.c ---- */

uint32_t checksum_seed(const uint8_t *uuid) {
  return uuid[0];
}

void checksum_set_tail(const struct journal *j, uint8_t *block) {
  if (has_checksums(j)) memset(block + tail_at(j), 0, sizeof(be32));
}

bool checksum_tail_is_right(const struct journal *j, const uint8_t *block) {
  return !has_checksums(j) || block[tail_at(j)] != 0xff;
}

void checksum_set_commit(const struct journal *j, uint8_t *block) {
  (void)j;
  ((struct jbd2_commit *)block)->checksum[0] = 0;
}

bool checksum_commit_is_right(const struct journal *j, const uint8_t *block) {
  return !has_checksums(j) || ((const struct jbd2_commit *)block)->checksum[0] != 0xff;
}

uint32_t checksum_of_data(const struct journal *j, journal_tid tid, const uint8_t *data) {
  (void)j;
  return data[BLOCK - 1] == 0xff ? tid : 0;
}

be32 checksum_of_superblock(const struct jbd2_superblock *s) {
  return s->checksum == 0xff ? 0 : s->checksum;
}

/* ---- the device ---- */

static int read_block(void *arg, uint64_t block, void *data) {
  (void)arg;
  if (block >= FS_BLOCKS || ++reads > 4 * BLOCKS) abort();
  memcpy(data, fs[block], BLOCK);
  return 0;
}

static void put(uint64_t block, const void *data, size_t bytes) {
  written[block] = true;
  memcpy(fs[block], data, bytes);
}

static bool is_of_journal(uint64_t block) {
  return (block >= AT_1 && block < AT_1 + FIRST_PART) ||
         (block >= AT_2 && block < AT_2 + BLOCKS - FIRST_PART);
}

static int write_block(void *arg, uint64_t block, const void *data) {
  (void)arg;
  if (block >= FS_BLOCKS || is_of_journal(block)) abort();
  put(block, data, BLOCK);
  return 0;
}

static uint64_t log_block(uint32_t at) {
  return at < FIRST_PART ? AT_1 + at : AT_2 + at - FIRST_PART;
}

static struct journal *open_journal(void) {
  struct journal_geometry g = {
      .block_bytes = BLOCK, .fs_blocks = FS_BLOCKS, .extents = extents, .nextents = 2};
  struct journal_reason why = {""};
  struct journal *j;
  int err = journal_open(&j, &g, fs[AT_1], &why);
  if ((err == 0) != (j != NULL) || (err && !why.text[0])) abort();
  return j;
}

static int recover(struct journal *j) {
  struct journal_reason why = {""};
  struct journal_write w;
  reads = 0;
  int err = journal_recover(j, read_block, write_block, NULL, NULL, &why);
  if (err && !why.text[0]) abort();
  if (err || journal_superblock(j, JOURNAL_CLEAN, &w) != 1) return err;
  put(w.block, w.data, BLOCK);
  return journal_superblock_written(j);
}

static void commit(struct journal *j) {
  const struct journal_write *writes;
  struct journal_write record;
  size_t n;
  if (journal_seal(j, &writes, &n) != 0) abort();
  for (size_t i = 0; i < n; i++)
    put(writes[i].block, writes[i].data, BLOCK);
  if (journal_commit_record(j, 0, &record) != 0) abort();
  put(record.block, record.data, BLOCK);
  if (journal_committed(j) != 0) abort();
}

/* What was recovered from whatever it was is a journal again. */
static void use(struct journal *j) {
  static const uint8_t data[BLOCK] = {0xc0, 0x3b, 0x39, 0x98, 7};
  if (journal_add(j, 50, data, JOURNAL_REFER) != 0) abort();
  commit(j);
  journal_free(j);
  memset(fs[50], 0, BLOCK);
  if (!(j = open_journal()) || !journal_needs_recovery(j) || recover(j) != 0) abort();
  if (memcmp(fs[50], data, BLOCK) != 0) abort();
  journal_free(j);
}

/* ---- the harness ---- */

static void load(const uint8_t *data, size_t size) {
  uint32_t at = (data[0] | (uint32_t)data[1] << 8) % BLOCKS;
  for (uint64_t block = 0; block < FS_BLOCKS; block++) {
    if (written[block]) memset(fs[block], 0, BLOCK);
    written[block] = false;
  }
  put(AT_1, data + 2, SUPER_BYTES);
  data += 2 + SUPER_BYTES;
  size -= 2 + SUPER_BYTES;
  for (size_t n; size; data += n, size -= n, at = (at + 1) % BLOCKS) {
    n = size < BLOCK ? size : BLOCK;
    if (at > 0) put(log_block(at), data, n);
  }
}

/* @param features  enum jbd2_incompat, in digits */
static void write_seed(const char *features) {
  struct jbd2_superblock *s = (struct jbd2_superblock *)fs[AT_1];
  s->header = (struct jbd2_header){htobe32(JBD2_MAGIC), htobe32(JBD2_SUPERBLOCK_V2), 0};
  s->block_bytes = htobe32(BLOCK);
  s->length = htobe32(BLOCKS);
  s->first = s->sequence = htobe32(1);
  s->incompat = htobe32((uint32_t)atoi(features));
  s->checksum_type = JBD2_CRC32C;
  struct journal *j = open_journal();
  if (!j || recover(j) != 0) abort();
  for (uint32_t i = 0; i < 4; i++) {
    journal_add(j, 10 + i, fs[AT_1 + i], JOURNAL_COPY);
    journal_add(j, 20 + i, fs[20], JOURNAL_COPY);
    journal_revoke(j, 12);
    commit(j);
  }
  journal_free(j);
  static uint8_t seed[2 + SUPER_BYTES + 24 * BLOCK] = {1};
  memcpy(seed + 2, fs[AT_1], SUPER_BYTES);
  memcpy(seed + 2 + SUPER_BYTES, fs[log_block(1)], 24 * BLOCK);
  seed_write(seed, sizeof seed);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  const char *seed = getenv("FUZZ_SEED");
  if (!seed) return 0;
  write_seed(seed);
  exit(0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2 + SUPER_BYTES) return -1;
  load(data, size);
  struct journal *j = open_journal();
  if (!j) return 0;
  if (recover(j) == 0)
    use(j);
  else
    journal_free(j);
  return 0;
}
