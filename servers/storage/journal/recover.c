/* Recovery: three passes over the log, as in Linux's fs/jbd2/recovery.c. The first finds its end
 * and whether it is sound, the second what is revoked, the third writes the rest in place. */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "servers/storage/journal/state.h"

enum pass { PASS_SCAN, PASS_REVOKE, PASS_REPLAY };

enum { END_OF_LOG = 1 }; /* beside 0 and errors */

struct recovery {
  struct journal *j;
  journal_read_fn *read;
  journal_write_fn *write;
  void *arg;
  struct journal_reason *why;
  struct journal_recovery done;
  uint8_t *record, *data;   /* a block each */
  struct block_map revoked; /* block -> the last transaction that revokes it */
  journal_tid end;          /* the first transaction that did not commit */
  /* Of the current pass: */
  enum pass pass;
  journal_tid tid;
  uint32_t at;   /* the next block of the log */
  uint32_t left; /* blocks of the log that were not seen */
  /* Of the current transaction, in the first pass: what is wrong with it, should it have committed.
   */
  bool doubtful;
  struct journal_reason doubt;
  uint64_t last_commit; /* the time of the transaction before, in seconds */
};

static bool is_later(journal_tid a, journal_tid b) {
  return (int32_t)(a - b) > 0;
}

/* Notes what is wrong; the first thing counts. */
__attribute__((format(printf, 2, 3))) static void doubt(struct recovery *r, const char *format,
                                                        ...) {
  if (r->doubtful) return;
  r->doubtful = true;
  va_list args;
  va_start(args, format);
  vsnprintf(r->doubt.text, sizeof r->doubt.text, format, args);
  va_end(args);
}

/* ---- access ---- */

/* The next block of the log. @return 0 or END_OF_LOG */
static int next_place(struct recovery *r, uint32_t *at) {
  if (r->left == 0) return END_OF_LOG;
  r->left--;
  *at = r->at;
  r->at = log_after(r->j, r->at, 1);
  return 0;
}

static int read_log(struct recovery *r, uint32_t at, uint8_t *data) {
  int err = r->read(r->arg, log_map_block(&r->j->map, at), data);
  if (err == 0) return 0;
  if (err > 0) err = -EIO;
  return refuse(r->why, err, "block %" PRIu32 " of the journal cannot be read: %s", at,
                strerror(-err));
}

static int write_in_place(struct recovery *r, uint64_t block) {
  int err = r->write(r->arg, block, r->data);
  if (err == 0) return 0;
  if (err > 0) err = -EIO;
  return refuse(r->why, err, "block %" PRIu64 " cannot be written from the journal: %s", block,
                strerror(-err));
}

/* ---- descriptor blocks ---- */

struct tag {
  uint64_t block;
  uint32_t flags, checksum;
};

static struct tag parse_tag(const struct journal *j, const uint8_t *at) {
  struct tag t;
  be32 high = 0;
  if (j->incompat & JBD2_INCOMPAT_CSUM_V3) {
    struct jbd2_tag3 on_disk;
    memcpy(&on_disk, at, sizeof on_disk);
    t = (struct tag){be32toh(on_disk.block), be32toh(on_disk.flags), be32toh(on_disk.checksum)};
    high = on_disk.block_high;
  } else {
    struct jbd2_tag on_disk = {0};
    uint32_t bytes = tag_bytes(j);
    memcpy(&on_disk, at, bytes < sizeof on_disk ? bytes : sizeof on_disk);
    t = (struct tag){be32toh(on_disk.block), be16toh(on_disk.flags), be16toh(on_disk.checksum)};
    high = on_disk.block_high;
  }
  if (j->incompat & JBD2_INCOMPAT_64BIT) t.block |= (uint64_t)be32toh(high) << 32;
  return t;
}

static bool data_is_right(const struct recovery *r, const struct tag *t) {
  uint32_t sum = checksum_of_data(r->j, r->tid, r->data);
  if (!has_checksums(r->j)) return true;
  return t->checksum == (r->j->incompat & JBD2_INCOMPAT_CSUM_V3 ? sum : (uint16_t)sum);
}

static int scan_data(struct recovery *r, const struct tag *t, uint32_t at) {
  if (r->doubtful) return 0;
  if (t->block >= r->j->fs_blocks)
    doubt(r, "block %" PRIu64 " of transaction %" PRIu32 " lies outside the file system", t->block,
          r->tid);
  else if (log_map_has(&r->j->map, t->block))
    doubt(r, "block %" PRIu64 " of transaction %" PRIu32 " is one of the journal", t->block,
          r->tid);
  if (r->doubtful || !has_checksums(r->j)) return 0;
  int err = read_log(r, at, r->data);
  if (!err && !data_is_right(r, t))
    doubt(r, "the checksum of block %" PRIu64 " of transaction %" PRIu32 " is wrong", t->block,
          r->tid);
  return err;
}

static int replay_data(struct recovery *r, const struct tag *t, uint32_t at) {
  const uint32_t *revoked = block_map_find(&r->revoked, t->block);
  if (revoked && !is_later(r->tid, *revoked)) {
    r->done.revoked++;
    return 0;
  }
  int err = read_log(r, at, r->data);
  if (err) return err;
  if (t->flags & JBD2_TAG_ESCAPED) {
    be32 magic = htobe32(JBD2_MAGIC);
    memcpy(r->data, &magic, sizeof magic);
  }
  r->done.blocks++;
  return write_in_place(r, t->block);
}

static int on_descriptor(struct recovery *r) {
  const struct journal *j = r->j;
  if (r->pass == PASS_SCAN && !checksum_tail_is_right(j, r->record))
    doubt(r, "the checksum of a descriptor block of transaction %" PRIu32 " is wrong", r->tid);
  for (uint32_t at = sizeof(struct jbd2_header); at + tag_bytes(j) <= tail_at(j);) {
    struct tag t = parse_tag(j, r->record + at);
    uint32_t place;
    int err = next_place(r, &place);
    if (!err && r->pass == PASS_SCAN) err = scan_data(r, &t, place);
    if (!err && r->pass == PASS_REPLAY) err = replay_data(r, &t, place);
    if (err || t.flags & JBD2_TAG_LAST) return err;
    at += tag_bytes(j) + (t.flags & JBD2_TAG_SAME_UUID ? 0 : JBD2_UUID_BYTES);
  }
  return 0;
}

/* ---- revoke blocks ---- */

/* Where the block numbers end. */
static uint32_t revokes_end(const struct recovery *r) {
  struct jbd2_revoke_header h;
  memcpy(&h, r->record, sizeof h);
  return be32toh(h.bytes);
}

static int note_revoke(struct recovery *r, uint64_t block) {
  int err = block_map_reserve(&r->revoked);
  if (err) return refuse(r->why, err, "out of memory");
  block_map_set(&r->revoked, block, r->tid); /* transactions come in order: the last one counts */
  return 0;
}

static int note_revokes(struct recovery *r) {
  uint32_t step = revoke_bytes(r->j), end = revokes_end(r);
  int err = 0;
  for (uint32_t at = sizeof(struct jbd2_revoke_header); !err && at + step <= end; at += step) {
    be32 narrow;
    be64 wide;
    memcpy(&narrow, r->record + at, sizeof narrow);
    memcpy(&wide, r->record + at, step == sizeof wide ? sizeof wide : 0);
    err = note_revoke(r, step == sizeof wide ? be64toh(wide) : be32toh(narrow));
  }
  return err;
}

static int on_revoke(struct recovery *r) {
  if (r->pass == PASS_REVOKE) return note_revokes(r);
  if (r->pass == PASS_REPLAY) return 0;
  if (!checksum_tail_is_right(r->j, r->record))
    doubt(r, "the checksum of a revoke block of transaction %" PRIu32 " is wrong", r->tid);
  else if (revokes_end(r) > tail_at(r->j))
    doubt(r, "a revoke block of transaction %" PRIu32 " is longer than a block", r->tid);
  return 0;
}

/* ---- commit records ---- */

/* A transaction that is not sound was damaged, unless its record is older than the one before: then
 * it is what an earlier journal left behind. */
static int scan_commit(struct recovery *r) {
  struct jbd2_commit c;
  memcpy(&c, r->record, sizeof c);
  uint64_t seconds = be64toh(c.seconds);
  bool is_stale = seconds < r->last_commit;
  if (r->doubtful && is_stale) return END_OF_LOG;
  if (r->doubtful) return refuse(r->why, -EUCLEAN, "the journal is damaged: %s", r->doubt.text);
  if (!checksum_commit_is_right(r->j, r->record)) {
    r->done.torn = !is_stale;
    return END_OF_LOG;
  }
  r->last_commit = seconds;
  r->done.transactions++;
  return 0;
}

static int on_commit(struct recovery *r) {
  int err = r->pass == PASS_SCAN ? scan_commit(r) : 0;
  if (!err) r->tid++;
  return err;
}

/* ---- the passes ---- */

static int on_record(struct recovery *r) {
  struct jbd2_header h;
  memcpy(&h, r->record, sizeof h);
  if (be32toh(h.magic) != (uint32_t)JBD2_MAGIC || be32toh(h.sequence) != r->tid) return END_OF_LOG;
  switch (be32toh(h.type)) {
  case JBD2_DESCRIPTOR:
    return on_descriptor(r);
  case JBD2_REVOKE:
    return on_revoke(r);
  case JBD2_COMMIT:
    return on_commit(r);
  }
  return END_OF_LOG;
}

static int step(struct recovery *r) {
  uint32_t at;
  int err = next_place(r, &at);
  if (!err) err = read_log(r, at, r->record);
  return err ? err : on_record(r);
}

static int run_pass(struct recovery *r, enum pass pass) {
  r->pass = pass;
  r->tid = r->j->medium.sequence;
  r->at = r->j->medium.start;
  r->left = log_blocks(r->j);
  int err = 0;
  while (!err && (pass == PASS_SCAN || r->tid != r->end))
    err = step(r);
  if (err < 0) return err;
  if (pass == PASS_SCAN)
    r->end = r->tid;
  else if (r->tid != r->end)
    return refuse(r->why, -EIO, "the journal changed while it was read");
  return 0;
}

static int run_passes(struct recovery *r) {
  r->record = malloc(r->j->block_bytes);
  r->data = malloc(r->j->block_bytes);
  if (!r->record || !r->data) return refuse(r->why, -ENOMEM, "out of memory");
  int err = run_pass(r, PASS_SCAN);
  if (!err) err = run_pass(r, PASS_REVOKE);
  if (!err) err = run_pass(r, PASS_REPLAY);
  return err;
}

int journal_recover(struct journal *j, journal_read_fn *read, journal_write_fn *write, void *arg,
                    struct journal_recovery *done, struct journal_reason *why) {
  if (j->state != JOURNAL_OPENED)
    return refuse(why, -EINVAL, "the journal has been recovered already");
  struct recovery r = {
      .j = j, .read = read, .write = write, .arg = arg, .why = why, .end = j->medium.sequence};
  int err = j->medium.start ? run_passes(&r) : 0;
  free(r.record);
  free(r.data);
  block_map_free(&r.revoked);
  if (err) return err;
  if (done) *done = r.done;
  j->state = j->medium.start ? JOURNAL_RECOVERED : JOURNAL_READY;
  j->running.tid = r.end + 1; /* what did not commit is never taken for what will */
  j->head = j->first;
  superblock_take_features(j);
  return 0;
}
