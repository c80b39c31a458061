#include "servers/storage/commit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/sys.h"
#include "servers/storage/blocks.h"
#include "servers/storage/cache.h"
#include "servers/storage/copies.h"
#include "servers/storage/disk.h"
#include "servers/storage/flush.h"
#include "servers/storage/journal/journal.h"
#include "servers/storage/parked.h"
#include "servers/storage/volume.h"
#include "servers/storage/wanted.h"
#include "servers/storage/writeback.h"

enum {
  OVERHEAD = 8, /* pages of the log beside copies, at least */
};

enum commit_state {
  COMMIT_IDLE,
  COMMIT_PREPARING, /* waits for pages, or for room in the log */
  COMMIT_TAIL,      /* writes the journal's super block */
  COMMIT_WRITING,   /* the log, and data */
  COMMIT_FLUSHING,
  COMMIT_RECORD,  /* writes the commit record */
  COMMIT_PLACING, /* writes the metadata in place */
};

static struct {
  enum commit_state state;
  commit_number asked, begun, done;
  uint32_t age_s, since_s; /* of the running transaction; since_s 0: it is empty */
  uint32_t flush;          /* COMMIT_FLUSHING: waits for it */
  struct copies body;      /* the log's blocks */
  struct copies place;     /* metadata of the committing transaction */
  struct copies previous;  /* of the one before; in place, but not flushed */
  uint32_t previous_flush; /* that makes it last */
  struct copies single;    /* the block that is written alone */
  journal_tid tid, previous_tid;
  bool with_journal; /* the transaction has metadata */
  bool look;         /* something has been done that it may wait for */
} commit;

void commit_init(uint32_t age_s) {
  commit.age_s = age_s;
}

uint64_t commit_count(void) {
  return commit.done;
}

/* ---- asking ---- */

commit_number commit_ask(void) {
  commit.asked = commit.begun + 1;
  return commit.asked;
}

commit_number commit_ask_with_data(uint32_t inode) {
  wanted_sync(inode);
  return commit_ask();
}

bool commit_is_done(commit_number number) {
  return number <= commit.done;
}

bool commit_is_pending(void) {
  return commit.state != COMMIT_IDLE || cache_count(PAGES_CHANGED) || blocks_are_pending();
}

static uint32_t most_changed(void) {
  uint32_t by_cache = cache_size() / 8, by_log = journal_capacity(volume_journal()) / 4;
  return by_cache < by_log ? by_cache : by_log;
}

bool commit_is_behind(void) {
  return cache_count(PAGES_CHANGED) >= most_changed() + most_changed() / 2;
}

/* ---- sealing ---- */

/* Copies of what the transaction has changed. There are pages for them. */
static int copy_changed(void) {
  int error = 0;
  while (!error && cache_count(PAGES_CHANGED)) {
    uint32_t page = cache_oldest(PAGES_CHANGED);
    struct page *p = cache_page(page);
    uint32_t copy = copies_add(&commit.place, p->block, disk_page(page));
    error = copy == NO_PAGE ? -ENOMEM : blocks_log(p->block, disk_page(copy), commit.tid);
    p->flags = (p->flags & ~PAGE_CHANGED) | PAGE_COMMITTED;
    cache_sort_in(page);
  }
  return error;
}

static int take_body(void) {
  const struct journal_write *writes;
  size_t n;
  int error = journal_seal(volume_journal(), &writes, &n);
  for (size_t i = 0; i < n && !error; i++) {
    uint32_t page;
    if (disk_is_page(writes[i].data, &page))
      error = copies_refer(&commit.body, writes[i].block, page);
    else if (copies_add(&commit.body, writes[i].block, writes[i].data) == NO_PAGE)
      error = -ENOMEM;
  }
  return error;
}

static uint32_t pages_needed(uint32_t changed) {
  return OVERHEAD + journal_needs(volume_journal(), changed, blocks_revoked());
}

static void fail(const char *what, int error) {
  sys_log("%s: %s", what, sys_strerror(error));
  volume_fail("a transaction has failed");
  commit.state = COMMIT_IDLE;
  commit.done = commit.begun = commit.asked; /* nobody waits for what never comes */
  parked_wake();
}

static void go_on(void);

static void seal(void) {
  commit.begun++;
  commit.since_s = 0;
  commit.with_journal = cache_count(PAGES_CHANGED) || journal_running_needs(volume_journal());
  wanted_begin();
  if (commit.with_journal) {
    commit.tid = journal_running(volume_journal());
    int error = copy_changed();
    if (!error) error = take_body();
    if (error) {
      fail("a transaction cannot be written to the journal", error);
      return;
    }
    blocks_seal();
    copies_write_all(&commit.body);
  }
  commit.state = COMMIT_WRITING;
  go_on();
}

/* ---- what comes before ---- */

static bool write_alone(uint64_t block, const void *data) {
  copies_free(&commit.single);
  commit.single.flags = DISK_FUA;
  if (copies_add(&commit.single, block, data) == NO_PAGE) return false;
  copies_write_all(&commit.single);
  return true;
}

static bool has_log_room(void) {
  const struct journal *j = volume_journal();
  uint32_t needs = journal_needs(j, cache_count(PAGES_CHANGED), blocks_revoked());
  return journal_free_blocks(j) >= needs + OVERHEAD &&
         journal_free_blocks(j) >= journal_capacity(j) / 4;
}

static void prepare(void) {
  struct journal_write write;
  int error = volume_flush_memory();
  if (error) {
    fail("metadata cannot be gathered", error);
    return;
  }
  if (!cache_can_take(pages_needed(cache_count(PAGES_CHANGED)))) {
    writeback_all();
    flush_begin();
  } else if (has_log_room()) {
    seal();
  } else if (commit.previous.count) {
    flush_begin();
  } else if (journal_superblock(volume_journal(), JOURNAL_OPEN, &write) == 1) {
    if (write_alone(write.block, write.data)) commit.state = COMMIT_TAIL;
  } else {
    seal(); /* there is as much room as there ever will be */
  }
}

/* ---- the steps ---- */

static void flushed_previous(void) {
  if (!commit.previous.count || !flush_is_done(commit.previous_flush)) return;
  journal_checkpointed(volume_journal(), commit.previous_tid);
  copies_free(&commit.previous);
}

static void written(void) {
  if (wanted_left()) writeback_wanted();
  if (wanted_left() || !copies_are_written(&commit.body) || !copies_are_written(&commit.previous))
    return;
  commit.state = COMMIT_FLUSHING;
  commit.flush = flush_needed_by_all();
  flush_begin();
  go_on();
}

static void finish(void) {
  commit.done = commit.begun;
  parked_wake();
}

static void flushed(void) {
  struct journal_write write;
  if (!flush_is_done(commit.flush)) return;
  flushed_previous();
  if (!commit.with_journal) {
    commit.state = COMMIT_IDLE;
    finish();
  } else if (journal_commit_record(volume_journal(), sys_wall_time_ns(), &write) == 0 &&
             write_alone(write.block, write.data)) {
    commit.state = COMMIT_RECORD;
  }
}

static void recorded(void) {
  if (!copies_are_written(&commit.single)) return;
  copies_free(&commit.single);
  copies_free(&commit.body);
  journal_committed(volume_journal());
  blocks_committed();
  commit.state = COMMIT_PLACING;
  copies_write_all(&commit.place);
  finish();
  go_on();
}

static void end_committed(uint64_t block) {
  uint32_t page = cache_find(block);
  if (page == NO_PAGE) return;
  struct page *p = cache_page(page);
  p->flags &= ~PAGE_COMMITTED;
  p->written = flush_needed();
}

static void placed(void) {
  if (!copies_are_written(&commit.place)) return;
  for (uint32_t i = 0; i < commit.place.count; i++)
    end_committed(commit.place.items[i].block);
  commit.previous = commit.place;
  commit.previous_flush = flush_needed();
  commit.previous_tid = commit.tid;
  commit.place = (struct copies){0};
  commit.state = COMMIT_IDLE;
  parked_wake();
}

static void tail_written(void) {
  if (!copies_are_written(&commit.single)) return;
  copies_free(&commit.single);
  journal_superblock_written(volume_journal());
  blocks_log_moved();
  commit.state = COMMIT_PREPARING;
  prepare();
}

static void go_on(void) {
  copies_go_on(&commit.body);
  copies_go_on(&commit.place);
  copies_go_on(&commit.previous);
  copies_go_on(&commit.single);
  switch (commit.state) {
  case COMMIT_IDLE:
    if (copies_are_written(&commit.previous)) flushed_previous();
    break;
  case COMMIT_PREPARING:
    flushed_previous();
    prepare();
    break;
  case COMMIT_TAIL:
    tail_written();
    break;
  case COMMIT_WRITING:
    written();
    break;
  case COMMIT_FLUSHING:
    flushed();
    break;
  case COMMIT_RECORD:
    recorded();
    break;
  case COMMIT_PLACING:
    placed();
    break;
  }
}

/* ---- from outside ---- */

/* Only at the end of a turn: who waits for the disk may be in the middle of an operation. */
void commit_look(void) {
  commit.look = true;
}

void commit_written(const uint32_t *pages, uint32_t count, int status) {
  if (status) {
    fail("the journal cannot be written", status);
    return;
  }
  struct copies *all[] = {&commit.body, &commit.place, &commit.previous, &commit.single};
  for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
    copies_written(all[i], pages, count);
  flush_needed();
  commit_look();
}

/* The step that goes on is done again; data comes by itself, see cache_lost(). */
void commit_lost(void) {
  copies_write_all(&commit.previous);
  if (commit.state == COMMIT_WRITING || commit.state == COMMIT_FLUSHING) {
    copies_write_all(&commit.body);
    commit.state = COMMIT_WRITING;
    wanted_again();
  }
  if (commit.state == COMMIT_PLACING) copies_write_all(&commit.place);
  commit_look();
}

int commit_all_wait(void) {
  struct journal_write write;
  commit_number number = commit_ask_with_data(0);
  while (!commit_is_done(number) || commit.state != COMMIT_IDLE || commit.previous.count) {
    if (volume_has_failed()) return -EIO;
    if (commit.state == COMMIT_IDLE && commit.previous.count) flush_begin();
    commit_turn_end();
    disk_poll();
  }
  if (journal_superblock(volume_journal(), JOURNAL_CLEAN, &write) != 1) return 0;
  int error = volume_write_wait(write.block, write.data);
  if (!error) journal_superblock_written(volume_journal());
  return error;
}

void commit_turn_end(void) {
  if (volume_may_write()) return;
  bool large = cache_count(PAGES_CHANGED) >= most_changed();
  if (!commit.since_s && commit_is_pending()) commit.since_s = cache_clock();
  if (large) commit_ask();
  if (commit.state == COMMIT_IDLE && commit.asked > commit.begun) commit.state = COMMIT_PREPARING;
  if (!commit.look && commit.state != COMMIT_PREPARING) return;
  commit.look = false;
  go_on();
}

void commit_tick(void) {
  if (commit.since_s && cache_clock() - commit.since_s >= commit.age_s) commit_ask();
}
