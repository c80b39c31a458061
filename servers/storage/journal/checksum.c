/* The checksums of versions 2 and 3: CRC32C, not inverted at the end, that begins with the
 * journal's UUID. */
#include <endian.h>
#include <ext2fs/ext2fs.h>
#include <string.h>

#include "servers/storage/journal/state.h"

uint32_t checksum_seed(const uint8_t *uuid) {
  return ext2fs_crc32c_le(UINT32_MAX, uuid, JBD2_UUID_BYTES);
}

/* Of a block, with the checksum at an offset in it taken as 0. */
static be32 of_block(const struct journal *j, const uint8_t *block, size_t at) {
  static const uint8_t zero[sizeof(be32)];
  uint32_t sum = ext2fs_crc32c_le(j->checksum_seed, block, at);
  sum = ext2fs_crc32c_le(sum, zero, sizeof zero);
  at += sizeof zero;
  return htobe32(ext2fs_crc32c_le(sum, block + at, j->block_bytes - at));
}

static void set(const struct journal *j, uint8_t *block, size_t at) {
  if (!has_checksums(j)) return;
  be32 sum = of_block(j, block, at);
  memcpy(block + at, &sum, sizeof sum);
}

static bool is_right(const struct journal *j, const uint8_t *block, size_t at) {
  if (!has_checksums(j)) return true;
  be32 sum = of_block(j, block, at);
  return memcmp(block + at, &sum, sizeof sum) == 0;
}

void checksum_set_tail(const struct journal *j, uint8_t *block) {
  set(j, block, tail_at(j));
}

bool checksum_tail_is_right(const struct journal *j, const uint8_t *block) {
  return is_right(j, block, tail_at(j));
}

void checksum_set_commit(const struct journal *j, uint8_t *block) {
  set(j, block, offsetof(struct jbd2_commit, checksum));
}

bool checksum_commit_is_right(const struct journal *j, const uint8_t *block) {
  return is_right(j, block, offsetof(struct jbd2_commit, checksum));
}

uint32_t checksum_of_data(const struct journal *j, journal_tid tid, const uint8_t *data) {
  if (!has_checksums(j)) return 0;
  be32 sequence = htobe32(tid);
  uint32_t sum = ext2fs_crc32c_le(j->checksum_seed, (const uint8_t *)&sequence, sizeof sequence);
  return ext2fs_crc32c_le(sum, data, j->block_bytes);
}

be32 checksum_of_superblock(const struct jbd2_superblock *s) {
  struct jbd2_superblock copy = *s;
  copy.checksum = 0;
  return htobe32(ext2fs_crc32c_le(UINT32_MAX, (const uint8_t *)&copy, sizeof copy));
}
