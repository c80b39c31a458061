/* The transaction that commits: its log. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "servers/storage/journal/state.h"

enum { NS_PER_S = 1000000000 };

static bool must_be_escaped(const uint8_t *data) {
  be32 magic = htobe32(JBD2_MAGIC);
  return memcmp(data, &magic, sizeof magic) == 0;
}

static uint32_t count_escaped(const struct gathering *g) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < g->nblocks; i++)
    n += must_be_escaped(g->blocks[i].data);
  return n;
}

void committing_free(struct committing *c) {
  gathering_free(&c->what);
  free(c->records);
  free(c->escaped);
  free(c->writes);
  *c = (struct committing){0};
}

/* All memory that sealing needs. */
static int reserve(const struct journal *j, struct committing *c, struct logged **logged) {
  const struct gathering *g = &j->running;
  c->blocks = journal_running_needs(j);
  c->nrecords = c->blocks - g->nblocks;
  uint32_t nescaped = count_escaped(g);
  c->records = calloc(c->nrecords, j->block_bytes);
  c->escaped = nescaped ? calloc(nescaped, j->block_bytes) : NULL;
  c->writes = calloc(c->blocks,
                     sizeof *c->writes); /* one for the super block, none for the commit record */
  *logged = calloc(1, sizeof **logged);
  if (c->records && (c->escaped || !nescaped) && c->writes && *logged) return 0;
  committing_free(c);
  free(*logged);
  return -ENOMEM;
}

/* What of the log is filled. */
struct filling {
  uint32_t at;      /* of the log */
  uint8_t *record;  /* the next that is free */
  uint8_t *escaped; /* likewise */
  uint8_t *tag;     /* the end of the tags in the current descriptor block */
};

static void log_write(struct journal *j, struct filling *f, const uint8_t *data) {
  struct committing *c = &j->commit;
  c->writes[c->nwrites++] = (struct journal_write){log_map_block(&j->map, f->at), data};
  f->at = log_after(j, f->at, 1);
}

static uint8_t *take_record(struct journal *j, struct filling *f, enum jbd2_block_type type) {
  struct jbd2_header h = {htobe32(JBD2_MAGIC), htobe32(type), htobe32(j->commit.what.tid)};
  uint8_t *record = f->record;
  memcpy(record, &h, sizeof h);
  f->record += j->block_bytes;
  return record;
}

static void end_revokes(struct journal *j, struct filling *f, uint8_t *record, const uint8_t *end) {
  struct jbd2_revoke_header *h = (struct jbd2_revoke_header *)record;
  h->bytes = htobe32((uint32_t)(end - record));
  checksum_set_tail(j, record);
  log_write(j, f, record);
}

static uint8_t *put_revoke(const struct journal *j, uint8_t *at, uint64_t block) {
  be64 wide = htobe64(block);
  be32 narrow = htobe32((uint32_t)block);
  bool is_wide = j->incompat & JBD2_INCOMPAT_64BIT;
  memcpy(at, is_wide ? (void *)&wide : &narrow, revoke_bytes(j));
  return at + revoke_bytes(j);
}

static void fill_revokes(struct journal *j, struct filling *f) {
  const struct block_map *m = &j->commit.what.revoked;
  uint8_t *record = NULL, *at = NULL;
  uint32_t n = 0;
  for (uint32_t i = 0; i < m->nslots; i++) {
    if (!m->slots[i].used) continue;
    if (n++ % revokes_per_block(j) == 0) {
      if (record) end_revokes(j, f, record, at);
      record = take_record(j, f, JBD2_REVOKE);
      at = record + sizeof(struct jbd2_revoke_header);
    }
    at = put_revoke(j, at, m->slots[i].block);
  }
  if (record) end_revokes(j, f, record, at);
}

static void put_tag(const struct journal *j, struct filling *f, uint64_t block, uint32_t flags,
                    uint32_t sum) {
  be32 low = htobe32((uint32_t)block), high = htobe32((uint32_t)(block >> 32));
  if (j->incompat & JBD2_INCOMPAT_CSUM_V3) {
    struct jbd2_tag3 t = {low, htobe32(flags), high, htobe32(sum)};
    memcpy(f->tag, &t, sizeof t);
  } else {
    struct jbd2_tag t = {low, htobe16((uint16_t)sum), htobe16((uint16_t)flags), high};
    uint32_t bytes = tag_bytes(j);
    memcpy(f->tag, &t, bytes < sizeof t ? bytes : sizeof t);
  }
  f->tag += tag_bytes(j);
  if (!(flags & JBD2_TAG_SAME_UUID)) {
    memcpy(f->tag, ((const struct jbd2_superblock *)j->superblock)->uuid, JBD2_UUID_BYTES);
    f->tag += JBD2_UUID_BYTES;
  }
}

/* The block as it is in the log. */
static const uint8_t *data_for_log(const struct journal *j, struct filling *f,
                                   const uint8_t *data) {
  if (!must_be_escaped(data)) return data;
  uint8_t *copy = f->escaped;
  f->escaped += j->block_bytes;
  memcpy(copy, data, j->block_bytes);
  memset(copy, 0, sizeof(be32));
  return copy;
}

/* A descriptor block and the blocks that it describes. */
static void fill_described(struct journal *j, struct filling *f, const struct logged_block *b,
                           uint32_t n) {
  uint8_t *record = take_record(j, f, JBD2_DESCRIPTOR);
  f->tag = record + sizeof(struct jbd2_header);
  log_write(j, f, record);
  for (uint32_t i = 0; i < n; i++) {
    const uint8_t *data = data_for_log(j, f, b[i].data);
    uint32_t flags = (data != b[i].data ? JBD2_TAG_ESCAPED : 0) | (i > 0 ? JBD2_TAG_SAME_UUID : 0) |
                     (i == n - 1 ? JBD2_TAG_LAST : 0);
    put_tag(j, f, b[i].block, flags, checksum_of_data(j, j->commit.what.tid, data));
    log_write(j, f, data);
  }
  checksum_set_tail(j, record);
}

static void fill_blocks(struct journal *j, struct filling *f) {
  const struct gathering *g = &j->commit.what;
  for (uint32_t done = 0, n; done < g->nblocks; done += n) {
    n = g->nblocks - done;
    if (n > tags_per_block(j)) n = tags_per_block(j);
    fill_described(j, f, g->blocks + done, n);
  }
}

/* The super block must lead to the log before the commit record can count. */
static void fill_superblock(struct journal *j) {
  struct committing *c = &j->commit;
  c->with_superblock = j->medium.start == 0;
  if (!c->with_superblock) return;
  superblock_point_to(j, (struct log_tail){.start = j->head, .sequence = c->what.tid});
  c->writes[c->nwrites++] = (struct journal_write){log_map_block(&j->map, 0), j->superblock};
}

static void fill(struct journal *j) {
  struct committing *c = &j->commit;
  struct filling f = {.at = j->head, .record = c->records, .escaped = c->escaped};
  fill_revokes(j, &f);
  fill_blocks(j, &f);
  take_record(j, &f, JBD2_COMMIT);
  fill_superblock(j);
  c->record_at = f.at;
  j->head = log_after(j, f.at, 1);
}

static int may_seal(const struct journal *j) {
  if (j->state != JOURNAL_READY || j->commit.state != COMMIT_NONE) return -EBUSY;
  if (j->superblock_is_out && j->being_written.start == 0) return -EBUSY;
  return journal_running_needs(j) <= journal_free_blocks(j) ? 0 : -ENOSPC;
}

int journal_seal(struct journal *j, const struct journal_write **writes, size_t *n) {
  struct committing c = {.state = COMMIT_SEALED};
  struct logged *logged;
  *writes = NULL;
  *n = 0;
  int err = may_seal(j);
  if (err || journal_running_needs(j) == 0) return err;
  if ((err = reserve(j, &c, &logged))) return err;
  c.what = j->running;
  j->running = (struct gathering){.tid = c.what.tid + 1};
  j->commit = c;
  logged->tid = c.what.tid;
  logged->start = j->head;
  TAILQ_INSERT_TAIL(&j->logged, logged, link);
  fill(j);
  *writes = j->commit.writes;
  *n = j->commit.nwrites;
  return 0;
}

bool journal_committing(const struct journal *j, journal_tid *tid) {
  *tid = j->commit.what.tid;
  return j->commit.state != COMMIT_NONE;
}

int journal_commit_record(struct journal *j, uint64_t wall_ns, struct journal_write *write) {
  struct committing *c = &j->commit;
  if (c->state == COMMIT_NONE) return -EINVAL;
  uint8_t *record = c->records + (size_t)(c->nrecords - 1) * j->block_bytes;
  if (c->state == COMMIT_SEALED) {
    struct jbd2_commit *commit = (struct jbd2_commit *)record;
    commit->seconds = htobe64(wall_ns / NS_PER_S);
    commit->nanoseconds = htobe32((uint32_t)(wall_ns % NS_PER_S));
    checksum_set_commit(j, record);
    if (c->with_superblock) j->medium = j->being_written;
    c->state = COMMIT_RECORD;
  }
  *write = (struct journal_write){log_map_block(&j->map, c->record_at), record};
  return 0;
}

int journal_committed(struct journal *j) {
  if (j->commit.state != COMMIT_RECORD) return -EINVAL;
  TAILQ_LAST(&j->logged, logged_list)->committed = true;
  committing_free(&j->commit);
  return 0;
}
