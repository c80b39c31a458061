/* The journal's super block: what it may say, and how it is changed. */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "servers/storage/journal/state.h"

int refuse(struct journal_reason *why, int error, const char *format, ...) {
  va_list args;
  va_start(args, format);
  if (why) vsnprintf(why->text, sizeof why->text, format, args);
  va_end(args);
  return error;
}

static struct jbd2_superblock *superblock_of(struct journal *j) {
  return (struct jbd2_superblock *)j->superblock;
}

static int check_geometry(const struct journal_geometry *g, struct journal_reason *why) {
  uint32_t bytes = g->block_bytes;
  if (bytes < 1024 || bytes > 65536 || (bytes & (bytes - 1)))
    return refuse(why, -EINVAL, "blocks of %" PRIu32 " bytes", bytes);
  return 0;
}

static int check_header(const struct jbd2_superblock *s, struct journal_reason *why) {
  if (be32toh(s->header.magic) != (uint32_t)JBD2_MAGIC)
    return refuse(why, -EUCLEAN, "the journal has no super block");
  switch (be32toh(s->header.type)) {
  case JBD2_SUPERBLOCK_V2:
    return 0;
  case JBD2_SUPERBLOCK_V1:
    return refuse(why, -EOPNOTSUPP, "the journal is of version 1, which is not supported");
  case JBD2_DESCRIPTOR:
  case JBD2_COMMIT:
  case JBD2_REVOKE:
    return refuse(why, -EUCLEAN,
                  "the journal has a block of the log in the place of its super block");
  }
  return refuse(why, -EOPNOTSUPP,
                "the journal's super block is of type %" PRIu32 ", which is not supported",
                be32toh(s->header.type));
}

static int check_features(const struct jbd2_superblock *s, struct journal_reason *why) {
  const uint32_t known =
      JBD2_INCOMPAT_REVOKE | JBD2_INCOMPAT_64BIT | JBD2_INCOMPAT_CSUM_V2 | JBD2_INCOMPAT_CSUM_V3;
  uint32_t incompat = be32toh(s->incompat);
  if (incompat & JBD2_INCOMPAT_FAST_COMMIT)
    return refuse(why, -EOPNOTSUPP,
                  "the journal has the feature fast_commit, which is not supported");
  if (incompat & JBD2_INCOMPAT_ASYNC_COMMIT)
    return refuse(why, -EOPNOTSUPP,
                  "the journal has the feature async_commit, which is not supported");
  if (incompat & ~known)
    return refuse(why, -EOPNOTSUPP, "the journal has unknown incompatible features (0x%" PRIx32 ")",
                  incompat & ~known);
  if (s->ro_compat)
    return refuse(why, -EOPNOTSUPP,
                  "the journal has unknown read-only compatible features (0x%" PRIx32 ")",
                  be32toh(s->ro_compat));
  if (be32toh(s->users) > 1)
    return refuse(why, -EOPNOTSUPP, "the journal is shared by %" PRIu32 " file systems",
                  be32toh(s->users));
  return 0;
}

static int check_checksum(const struct jbd2_superblock *s, struct journal_reason *why) {
  uint32_t incompat = be32toh(s->incompat);
  bool v2 = incompat & JBD2_INCOMPAT_CSUM_V2, v3 = incompat & JBD2_INCOMPAT_CSUM_V3;
  if (!v2 && !v3) return 0;
  if ((v2 && v3) || be32toh(s->compat) & JBD2_COMPAT_CHECKSUM)
    return refuse(why, -EUCLEAN, "the journal has checksums of several versions");
  if (s->checksum_type != JBD2_CRC32C)
    return refuse(why, -EOPNOTSUPP, "the journal has checksums of type %u, which is not supported",
                  s->checksum_type);
  if (s->checksum != checksum_of_superblock(s))
    return refuse(why, -EUCLEAN, "the checksum of the journal's super block is wrong");
  return 0;
}

static int check_sizes(const struct journal *j, const struct jbd2_superblock *s,
                       struct journal_reason *why) {
  uint32_t length = be32toh(s->length), first = be32toh(s->first), start = be32toh(s->start);
  if (be32toh(s->block_bytes) != j->block_bytes)
    return refuse(why, -EUCLEAN,
                  "the journal has blocks of %" PRIu32 " bytes, the file system of %" PRIu32,
                  be32toh(s->block_bytes), j->block_bytes);
  if (length > j->map.length)
    return refuse(why, -EUCLEAN, "the journal is cut off: it has %" PRIu32 " blocks of %" PRIu32,
                  j->map.length, length);
  if (length < JBD2_MIN_BLOCKS)
    return refuse(why, -EUCLEAN, "the journal has %" PRIu32 " blocks, fewer than %d", length,
                  JBD2_MIN_BLOCKS);
  if (first == 0 || first > length - LOG_BLOCKS_MIN)
    return refuse(why, -EUCLEAN, "the journal's log cannot begin at block %" PRIu32 " of %" PRIu32,
                  first, length);
  if (start && (start < first || start >= length))
    return refuse(why, -EUCLEAN,
                  "the journal says that its log starts at block %" PRIu32 ", outside of %" PRIu32
                  " to %" PRIu32,
                  start, first, length - 1);
  return 0;
}

static int load(struct journal *j, const struct journal_geometry *g, const void *superblock,
                struct journal_reason *why) {
  int err = log_map_init(&j->map, g, why);
  if (err) return err;
  j->superblock = malloc(j->block_bytes);
  if (!j->superblock) return refuse(why, -ENOMEM, "out of memory");
  memcpy(j->superblock, superblock, j->block_bytes);
  const struct jbd2_superblock *s = superblock_of(j);
  if ((err = check_header(s, why)) || (err = check_features(s, why)) ||
      (err = check_checksum(s, why)) || (err = check_sizes(j, s, why)))
    return err;
  j->incompat = be32toh(s->incompat);
  j->checksum_seed = checksum_seed(s->uuid);
  j->first = be32toh(s->first);
  j->end = be32toh(s->length);
  j->medium = (struct log_tail){.start = be32toh(s->start), .sequence = be32toh(s->sequence)};
  return 0;
}

int journal_open(struct journal **out, const struct journal_geometry *g, const void *superblock,
                 struct journal_reason *why) {
  *out = NULL;
  int err = check_geometry(g, why);
  if (err) return err;
  struct journal *j = calloc(1, sizeof *j);
  if (!j) return refuse(why, -ENOMEM, "out of memory");
  TAILQ_INIT(&j->logged);
  j->block_bytes = g->block_bytes;
  j->fs_blocks = g->fs_blocks;
  j->wanted = g->features | (g->fs_blocks > UINT32_MAX ? JOURNAL_64BIT : 0);
  if ((err = load(j, g, superblock, why)))
    journal_free(j);
  else
    *out = j;
  return err;
}

void journal_free(struct journal *j) {
  if (!j) return;
  gathering_free(&j->running);
  committing_free(&j->commit);
  struct logged *l;
  while ((l = TAILQ_FIRST(&j->logged))) {
    TAILQ_REMOVE(&j->logged, l, link);
    free(l);
  }
  log_map_free(&j->map);
  free(j->superblock);
  free(j);
}

bool journal_needs_recovery(const struct journal *j) {
  return j->state == JOURNAL_OPENED && j->medium.start != 0;
}

int journal_noted_error(const struct journal *j) {
  return (int32_t)be32toh(((const struct jbd2_superblock *)j->superblock)->error);
}

void superblock_take_features(struct journal *j) {
  struct jbd2_superblock *s = superblock_of(j);
  j->incompat |= JBD2_INCOMPAT_REVOKE;
  if (j->wanted & JOURNAL_64BIT) j->incompat |= JBD2_INCOMPAT_64BIT;
  if (j->wanted & JOURNAL_CHECKSUM) {
    j->incompat = (j->incompat & ~JBD2_INCOMPAT_CSUM_V2) | JBD2_INCOMPAT_CSUM_V3;
    s->compat &= htobe32(~JBD2_COMPAT_CHECKSUM);
    s->checksum_type = JBD2_CRC32C;
  }
  s->incompat = htobe32(j->incompat);
}

void superblock_point_to(struct journal *j, struct log_tail tail) {
  struct jbd2_superblock *s = superblock_of(j);
  s->start = htobe32(tail.start);
  s->sequence = htobe32(tail.sequence);
  if (has_checksums(j)) s->checksum = checksum_of_superblock(s);
  j->being_written = tail;
}
