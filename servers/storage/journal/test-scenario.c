#include "servers/storage/journal/test-scenario.h"

#include <check.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "servers/storage/journal/jbd2.h"

enum { STARTED_S = 1000000000 };

/* What only lives while the scenario runs. */
struct transaction {
  journal_tid tid;
  struct content *now; /* of all blocks, once it has committed */
  bool *holds;         /* whether it has a copy of the block */
  bool checkpointed;
};

struct life {
  struct scenario *s;
  struct content now[BLOCKS_MAX]; /* with what the running transaction does */
  bool touched[BLOCKS_MAX];       /* by the running transaction */
  bool data_is_due[BLOCKS_MAX];   /* freed, committed, and may become data */
  uint8_t *referred[BLOCKS_MAX];  /* what the running transaction refers to */
  uint8_t *committing[BLOCKS_MAX];
  struct transaction *transactions; /* that have been sealed */
  size_t ntransactions;
  const struct journal_write *writes; /* of the one that commits */
  size_t nwrites, next_write;
  uint32_t *order;
  struct journal_write superblock; /* asked for, and not yet written */
  uint32_t largest;
};

static uint64_t place(const struct scenario *s, uint32_t b) {
  return s->image->unused[b];
}

static uint64_t pick(struct life *l, uint64_t below) {
  return chance(&l->s->seed, below);
}

/* Some look like the journal's own, even like a commit record that it will wait for. */
static uint8_t *make_content(struct life *l, uint32_t version) {
  size_t n = l->s->image->geometry.block_bytes;
  uint8_t *page = malloc(n);
  for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
    uint64_t word = pick(l, UINT64_MAX);
    memcpy(page + i, &word, sizeof word);
  }
  struct jbd2_header h = {htobe32(JBD2_MAGIC), htobe32(version % 2 ? JBD2_COMMIT : JBD2_DESCRIPTOR),
                          htobe32(journal_running(l->s->journal) + version % 8)};
  if (version % 5 == 0) memcpy(page, &h, sizeof h);
  return page;
}

static uint32_t new_version(struct life *l) {
  struct scenario *s = l->s;
  s->versions++;
  s->contents = realloc(s->contents, (s->versions + 1) * sizeof *s->contents);
  s->contents[0] = NULL;
  s->contents[s->versions] = make_content(l, s->versions);
  return s->versions;
}

/* ---- the running transaction ---- */

static void add(struct life *l, uint32_t b) {
  if (l->data_is_due[b]) return; /* it is data; let it be written first */
  uint32_t version = new_version(l);
  bool refer = pick(l, 2);
  const uint8_t *data = l->s->contents[version];
  free(l->referred[b]);
  l->referred[b] = NULL;
  if (refer) {
    l->referred[b] = malloc(l->s->image->geometry.block_bytes);
    data = memcpy(l->referred[b], data, l->s->image->geometry.block_bytes);
  }
  ck_assert_int_eq(
      journal_add(l->s->journal, place(l->s, b), data, refer ? JOURNAL_REFER : JOURNAL_COPY), 0);
  l->now[b] = (struct content){.version = version};
  l->touched[b] = true;
}

static void revoke(struct life *l, uint32_t b) {
  if (l->now[b].version == 0 || l->now[b].revoked) return;
  ck_assert_int_eq(journal_revoke(l->s->journal, place(l->s, b)), 0);
  free(l->referred[b]);
  l->referred[b] = NULL;
  l->now[b].revoked = true;
  l->touched[b] = true;
}

static void gather(struct life *l) {
  uint32_t n = 1 + (uint32_t)pick(l, l->largest / 2);
  for (uint32_t i = 0; i < n; i++) {
    uint32_t b = (uint32_t)pick(l, l->s->nblocks);
    uint32_t more = journal_running_needs(l->s->journal) + 3;
    if (more > l->largest || more > journal_capacity(l->s->journal)) return;
    if (pick(l, 4) == 0)
      revoke(l, b);
    else
      add(l, b);
  }
}

/* ---- the transaction that commits ---- */

static void shuffle(struct life *l) {
  for (size_t i = 0; i < l->nwrites; i++)
    l->order[i] = (uint32_t)i;
  for (size_t i = l->nwrites; i > 1; i--) {
    size_t other = pick(l, i);
    uint32_t kept = l->order[i - 1];
    l->order[i - 1] = l->order[other];
    l->order[other] = kept;
  }
}

static void seal(struct life *l) {
  struct scenario *s = l->s;
  journal_tid tid = journal_running(s->journal);
  uint32_t needs = journal_running_needs(s->journal), free_blocks = journal_free_blocks(s->journal);
  int err = journal_seal(s->journal, &l->writes, &l->nwrites);
  if (err == -ENOSPC) ck_assert_uint_gt(needs, free_blocks);
  if (err == -ENOSPC || err == -EBUSY) return;
  ck_assert_int_eq(err, 0);
  if (l->nwrites == 0) return;
  ck_assert_uint_le(needs, free_blocks);
  ck_assert_uint_le(l->nwrites, needs);
  l->order = realloc(l->order, l->nwrites * sizeof *l->order);
  shuffle(l);
  l->next_write = 0;
  struct transaction t = {
      .tid = tid, .now = malloc(sizeof l->now), .holds = calloc(BLOCKS_MAX, sizeof(bool))};
  memcpy(t.now, l->now, sizeof l->now);
  for (uint32_t b = 0; b < s->nblocks; b++)
    t.holds[b] = l->touched[b] && !l->now[b].revoked;
  l->transactions = realloc(l->transactions, (l->ntransactions + 1) * sizeof t);
  l->transactions[l->ntransactions++] = t;
  memcpy(l->committing, l->referred, sizeof l->referred);
  memset(l->referred, 0, sizeof l->referred);
  memset(l->touched, 0, sizeof l->touched);
}

static void write_log(struct life *l, size_t n) {
  for (; n && l->next_write < l->nwrites; n--) {
    const struct journal_write *w = &l->writes[l->order[l->next_write++]];
    history_write(&l->s->history, w->block, w->data, EVENT_WRITE);
  }
}

/* What was freed by the transaction that has just committed may become data from now on. */
static void note_freed(struct life *l, struct transaction *t) {
  for (uint32_t b = 0; b < l->s->nblocks; b++) {
    if (!t->now[b].revoked || t->now[b].since) continue;
    t->now[b].since = l->s->history.nevents;
    if (l->now[b].revoked && !l->now[b].since) {
      l->now[b].since = t->now[b].since;
      l->data_is_due[b] = !l->touched[b];
    }
  }
}

static void commit(struct life *l) {
  struct scenario *s = l->s;
  struct journal_write record;
  write_log(l, l->nwrites);
  history_flush(&s->history);
  ck_assert_int_eq(
      journal_commit_record(s->journal, (STARTED_S + s->ncommits) * UINT64_C(1000000000), &record),
      0);
  history_write(&s->history, record.block, record.data, EVENT_FUA);
  ck_assert_int_eq(journal_committed(s->journal), 0);
  struct transaction *t = &l->transactions[l->ntransactions - 1];
  note_freed(l, t);
  s->commits = realloc(s->commits, (s->ncommits + 1) * sizeof *s->commits);
  struct commit *c = &s->commits[s->ncommits++];
  c->record = s->history.nevents - 1;
  memcpy(c->blocks, t->now, sizeof c->blocks);
  for (uint32_t b = 0; b < s->nblocks; b++)
    free(l->committing[b]);
  memset(l->committing, 0, sizeof l->committing);
}

static bool is_committing(const struct life *l) {
  journal_tid tid;
  return journal_committing(l->s->journal, &tid);
}

/* ---- in place ---- */

static void write_data(struct life *l) {
  struct scenario *s = l->s;
  for (uint32_t b = 0; b < s->nblocks; b++) {
    if (!l->data_is_due[b] || pick(l, 2)) continue;
    uint32_t version = new_version(l);
    s->data = realloc(s->data, (s->ndata + 1) * sizeof *s->data);
    s->data[s->ndata++] = (struct data_write){s->history.nevents, b, version};
    history_write(&s->history, place(s, b), s->contents[version], EVENT_WRITE);
    l->data_is_due[b] = false;
  }
}

/* The last state that has committed. */
static const struct content *committed(const struct life *l) {
  return l->transactions[l->ntransactions - 1 - is_committing(l)].now;
}

static void write_in_place(struct life *l, const struct transaction *t) {
  for (uint32_t b = 0; b < l->s->nblocks; b++) {
    const struct content *c = &committed(l)[b];
    if (!t->holds[b] || c->revoked || c->version != t->now[b].version) continue;
    history_write(&l->s->history, place(l->s, b), l->s->contents[c->version], EVENT_WRITE);
  }
}

/* Asks for the super block, or, when it has been asked for, writes it. */
static void write_superblock(struct life *l, enum journal_tail tail) {
  struct journal *j = l->s->journal;
  if (!l->superblock.data) {
    struct journal_write w;
    if (journal_superblock(j, tail, &w) == 1) l->superblock = w;
    return;
  }
  ck_assert_int_eq(journal_superblock(j, tail, &l->superblock), -EBUSY);
  history_write(&l->s->history, l->superblock.block, l->superblock.data, EVENT_FUA);
  ck_assert_int_eq(journal_superblock_written(j), 0);
  l->superblock.data = NULL;
}

static void checkpoint(struct life *l) {
  size_t n = l->ntransactions - is_committing(l), at = 0;
  while (at < n && l->transactions[at].checkpointed)
    at++;
  if (at == n) return;
  if (pick(l, 4) == 0) at += pick(l, n - at); /* out of order */
  struct transaction *t = &l->transactions[at];
  if (t->checkpointed) return;
  write_in_place(l, t);
  history_flush(&l->s->history);
  ck_assert_int_eq(journal_checkpointed(l->s->journal, t->tid), 0);
  ck_assert_int_eq(journal_checkpointed(l->s->journal, t->tid), -ENOENT);
  t->checkpointed = true;
}

/* ---- life ---- */

static void live(struct life *l) {
  switch (pick(l, 8)) {
  case 0:
  case 1:
    gather(l);
    break;
  case 2:
    if (!is_committing(l)) seal(l);
    break;
  case 3:
    if (is_committing(l)) write_log(l, 1 + pick(l, 8));
    break;
  case 4:
    if (is_committing(l)) commit(l);
    break;
  case 5:
    checkpoint(l);
    break;
  case 6:
    write_superblock(l, pick(l, 6) ? JOURNAL_OPEN : JOURNAL_CLEAN);
    break;
  case 7:
    write_data(l);
    break;
  }
}

static int no_read(void *arg, uint64_t block, void *data) {
  (void)arg, (void)block, (void)data;
  return -EIO;
}

static int no_write(void *arg, uint64_t block, const void *data) {
  (void)arg, (void)block, (void)data;
  return -EIO;
}

static void begin(struct scenario *s) {
  struct journal_reason why = {""};
  ck_assert_msg(journal_open(&s->journal, &s->image->geometry, image_superblock(s->image), &why) ==
                    0,
                "%s", why.text);
  ck_assert(!journal_needs_recovery(s->journal));
  ck_assert_int_eq(journal_recover(s->journal, no_read, no_write, NULL, NULL, &why), 0);
}

void scenario_run(struct scenario *s, struct image *image, uint64_t seed, uint32_t transactions,
                  uint32_t nblocks, uint32_t largest) {
  *s = (struct scenario){.image = image, .history.image = image, .seed = seed, .nblocks = nblocks};
  ck_assert_uint_le(nblocks, BLOCKS_MAX);
  ck_assert_uint_le(nblocks, image->nunused);
  begin(s);
  struct life *l = calloc(1, sizeof *l);
  *l = (struct life){.s = s, .largest = largest};
  while (s->ncommits < transactions)
    live(l);
  for (uint32_t b = 0; b < nblocks; b++) {
    free(l->referred[b]);
    free(l->committing[b]);
  }
  for (size_t i = 0; i < l->ntransactions; i++) {
    free(l->transactions[i].now);
    free(l->transactions[i].holds);
  }
  free(l->transactions);
  free(l->order);
  free(l);
  journal_free(s->journal);
}

void scenario_free(struct scenario *s) {
  history_free(&s->history);
  free(s->commits);
  free(s->data);
  for (uint32_t i = 1; i <= s->versions; i++)
    free(s->contents[i]);
  free(s->contents);
}

/* ---- what must be found ---- */

static const struct commit *last_commit(const struct scenario *s, size_t cut) {
  const struct commit *last = NULL;
  for (size_t i = 0; i < s->ncommits && s->commits[i].record < cut; i++)
    last = &s->commits[i];
  return last;
}

static bool is_flushed(const struct scenario *s, size_t event, size_t cut) {
  for (size_t i = event; i < cut; i++)
    if (s->history.events[i].kind == EVENT_FLUSH) return true;
  return false;
}

/* @return what the block must hold, or NULL when that is not certain */
static const uint8_t *expect_data(const struct scenario *s, uint32_t b, const struct content *c,
                                  size_t cut) {
  for (size_t i = s->ndata; i-- > 0;) {
    const struct data_write *d = &s->data[i];
    if (d->block != b || d->event >= cut) continue;
    return d->event >= c->since && is_flushed(s, d->event, cut) ? s->contents[d->version] : NULL;
  }
  return NULL;
}

static const uint8_t *expect(const struct scenario *s, uint32_t b, size_t cut) {
  const struct commit *last = last_commit(s, cut);
  struct content c = last ? last->blocks[b] : (struct content){0};
  if (c.revoked) return expect_data(s, b, &c, cut);
  return c.version ? s->contents[c.version] : image_block(s->image, place(s, b));
}

void scenario_check(const struct scenario *s, size_t cut, const uint8_t *bytes, const char *who) {
  size_t n = s->image->geometry.block_bytes;
  for (uint32_t b = 0; b < s->nblocks; b++) {
    const uint8_t *must = expect(s, b, cut);
    if (must && memcmp(must, bytes + place(s, b) * n, n) != 0)
      ck_abort_msg("%s: block %" PRIu64 " is wrong after a power cut before write %zu of %zu", who,
                   place(s, b), cut, s->history.nevents);
  }
}

void scenario_save(const struct scenario *s, size_t cut, const char *path) {
  uint64_t n = s->image->geometry.block_bytes;
  FILE *f = fopen(path, "we");
  ck_assert_ptr_nonnull(f);
  fwrite(&n, sizeof n, 1, f);
  for (uint32_t b = 0; b < s->nblocks; b++) {
    const uint8_t *must = expect(s, b, cut);
    uint64_t block = place(s, b);
    if (!must) continue;
    fwrite(&block, sizeof block, 1, f);
    fwrite(must, n, 1, f);
  }
  ck_assert_int_eq(fclose(f), 0);
}
