#include "servers/storage/flush.h"

#include "servers/storage/commit.h"
#include "servers/storage/disk.h"
#include "servers/storage/inbox.h"
#include "servers/storage/volume.h"

enum { TRIES = 150, PAUSE_US = 100 * 1000 };

enum flush_state { FLUSH_IDLE, FLUSH_UNDER_WAY, FLUSH_FAILED };

static struct {
  enum flush_state state;
  uint32_t begun, done, wanted; /* numbers */
  uint32_t needed;              /* the one that what was written last needs */
  uint32_t failures;
  bool counts; /* the one under way; not when the device has lost something meanwhile */
} flush;

uint32_t flush_needed(void) {
  return flush.needed = flush.begun + 1;
}

uint32_t flush_needed_by_all(void) {
  return flush_is_done(flush.needed) ? 0 : flush.needed;
}

bool flush_is_done(uint32_t number) {
  return number <= flush.done;
}

static void begin(void) {
  if (!disk_begin(FOR_FLUSH, DISK_FLUSH, 0, 0, NULL, 0)) return; /* flush_look() tries again */
  flush.state = FLUSH_UNDER_WAY;
  flush.counts = true;
  flush.begun++;
}

void flush_begin(void) {
  if (flush_is_done(flush.needed)) return;
  flush.wanted = flush.needed;
  flush_look();
}

/* The news of a loss may still be on its way. */
static bool was_good(int status) {
  if (status || !flush.counts) return false;
  if (!disk_was_reset()) return true;
  disk_lost();
  return false;
}

void flush_done(int status) {
  if (was_good(status))
    flush.done = flush.begun;
  else
    flush.begun--; /* the next one does for both */
  flush.state = FLUSH_IDLE;
  flush.failures = status ? flush.failures + 1 : 0;
  if (flush.failures >= TRIES) {
    volume_fail("the disk cannot be flushed");
  } else if (status) {
    flush.state = FLUSH_FAILED;
    inbox_alarm(ALARM_DISK, PAUSE_US);
  }
  commit_look();
}

void flush_look(void) {
  if (flush.state == FLUSH_IDLE && flush.wanted > flush.done) begin();
}

void flush_lost(void) {
  flush.counts = false;
}

void flush_try_again(void) {
  if (flush.state == FLUSH_FAILED) flush.state = FLUSH_IDLE;
  flush_look();
}
