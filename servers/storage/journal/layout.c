/* How much fits into a block of the log, and how much of the log a transaction needs. */
#include "servers/storage/journal/state.h"

bool has_checksums(const struct journal *j) {
  return j->incompat & (JBD2_INCOMPAT_CSUM_V2 | JBD2_INCOMPAT_CSUM_V3);
}

uint32_t tag_bytes(const struct journal *j) {
  if (j->incompat & JBD2_INCOMPAT_CSUM_V3) return sizeof(struct jbd2_tag3);
  uint32_t bytes = j->incompat & JBD2_INCOMPAT_64BIT ? sizeof(struct jbd2_tag)
                                                     : offsetof(struct jbd2_tag, block_high);
  return bytes + (j->incompat & JBD2_INCOMPAT_CSUM_V2 ? 2 : 0);
}

uint32_t revoke_bytes(const struct journal *j) {
  return j->incompat & JBD2_INCOMPAT_64BIT ? sizeof(be64) : sizeof(be32);
}

uint32_t tail_at(const struct journal *j) {
  return j->block_bytes - (has_checksums(j) ? sizeof(struct jbd2_tail) : 0);
}

uint32_t tags_per_block(const struct journal *j) {
  return (tail_at(j) - sizeof(struct jbd2_header) - JBD2_UUID_BYTES) / tag_bytes(j);
}

uint32_t revokes_per_block(const struct journal *j) {
  return (tail_at(j) - sizeof(struct jbd2_revoke_header)) / revoke_bytes(j);
}

static uint64_t divide_up(uint64_t n, uint32_t by) {
  return (n + by - 1) / by;
}

uint32_t journal_needs(const struct journal *j, uint32_t blocks, uint32_t revokes) {
  if (blocks == 0 && revokes == 0) return 0;
  uint64_t needs =
      divide_up(revokes, revokes_per_block(j)) + divide_up(blocks, tags_per_block(j)) + blocks + 1;
  return needs < UINT32_MAX ? (uint32_t)needs : UINT32_MAX;
}

/* One block stays free, so that a full log is not taken for an empty one. */
uint32_t journal_capacity(const struct journal *j) {
  return log_blocks(j) - 1;
}

uint32_t journal_free_blocks(const struct journal *j) {
  if (j->medium.start == 0) return journal_capacity(j);
  uint32_t used = (j->head + log_blocks(j) - j->medium.start) % log_blocks(j);
  return journal_capacity(j) - used;
}
