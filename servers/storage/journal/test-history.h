/* What was written to a medium, in order, and what may be left of it when the power is cut. */
#ifndef STORAGE_JOURNAL_TEST_HISTORY_H
#define STORAGE_JOURNAL_TEST_HISTORY_H

#include "servers/storage/journal/test-image.h"

enum event_kind {
  EVENT_WRITE, /* into the device's cache */
  EVENT_FUA,   /* onto the medium */
  EVENT_FLUSH  /* of the cache */
};

struct event {
  enum event_kind kind;
  uint64_t block;
  uint8_t *data;
};

struct history {
  const struct image *image;
  struct event *events;
  size_t nevents, capacity;
};

void history_write(struct history *, uint64_t block, const uint8_t *data, enum event_kind);
void history_flush(struct history *);
void history_free(struct history *);

/** A medium on which nothing that was not flushed is certain. */
struct medium {
  const struct history *history;
  uint8_t *stable; /* all that is certain before the current event */
  size_t flushed;  /* events that are in it */
  uint8_t *bytes;  /* as found after the power cut */
  uint64_t *dirty; /* blocks in which they may differ */
  size_t ndirty;
};

void medium_init(struct medium *, const struct history *);
void medium_free(struct medium *);
/** What was written in one way of cutting the power before event `cut`; to be called with `cut`
 * that grows.
 * @param lost  out of 256, how likely a write that was not flushed is lost
 * @param seed  of the chance */
void medium_cut(struct medium *, size_t cut, unsigned lost, uint64_t *seed);
/** Writes to what was found. */
void medium_write(struct medium *, uint64_t block, const void *data);

uint64_t chance(uint64_t *seed, uint64_t below);

#endif
