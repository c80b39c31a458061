#include "servers/storage/batch.h"

#include "libsys/sys.h"
#include "servers/storage/inbox.h"

enum {
  TARGET_MAX = 12,
  PATIENCE_US = 1000, /* that a request is held at most */
  CALM = 200,         /* batches after one that was not complete before more are tried */
};

static struct {
  uint32_t target;   /* requests; less than 2: none is held */
  uint32_t calm;     /* batches to go before the next try */
  uint64_t since_us; /* the first one is held; 0: none is */
} batch;

void batch_was_given(void) {
  batch.since_us = 0;
}

bool batch_is_complete(uint32_t held) {
  if (held < batch.target) {
    if (batch.since_us) return false;
    batch.since_us = sys_time_us();
    inbox_alarm(ALARM_BATCH, PATIENCE_US);
    return false;
  }
  batch.since_us = 0;
  if (batch.calm)
    batch.calm--;
  else if (batch.target < TARGET_MAX)
    batch.target++;
  return true;
}

/* The alarm may have been set for an earlier batch. */
bool batch_alarm(uint32_t held) {
  if (!batch.since_us) return false;
  if (sys_time_us() - batch.since_us < PATIENCE_US / 2) {
    inbox_alarm(ALARM_BATCH, PATIENCE_US);
    return false;
  }
  batch.since_us = 0;
  batch.target = held;
  batch.calm = CALM;
  return true;
}
