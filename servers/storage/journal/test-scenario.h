/* A file system's life with a journal, at random: transactions commit one after the other while the
 * next one gathers, blocks are written in place, freed, reused as data. It knows what must be found
 * after each power cut. */
#ifndef STORAGE_JOURNAL_TEST_SCENARIO_H
#define STORAGE_JOURNAL_TEST_SCENARIO_H

#include "servers/storage/journal/test-history.h"

enum { BLOCKS_MAX = 640 };

/** What a block is, in the file system's eyes. */
struct content {
  uint32_t version; /* of its metadata; 0: as it was made */
  bool revoked;     /* it is no metadata any more, */
  size_t since;     /* since this event */
};

struct commit {
  size_t record; /* the event that makes it count */
  struct content blocks[BLOCKS_MAX];
};

struct data_write {
  size_t event;
  uint32_t block, version;
};

struct scenario {
  struct image *image;
  struct history history;
  struct journal *journal;
  uint64_t seed;
  uint32_t nblocks; /* of the image's unused ones that take part */
  struct commit *commits;
  size_t ncommits;
  struct data_write *data;
  size_t ndata;
  uint8_t **contents; /* by version, from 1 on */
  uint32_t versions;
};

/** Lives until so many transactions have committed.
 * @param largest  transactions have up to so many blocks */
void scenario_run(struct scenario *, struct image *, uint64_t seed, uint32_t transactions,
                  uint32_t nblocks, uint32_t largest);
void scenario_free(struct scenario *);
/** Ends the test when a medium does not hold what it must after a power cut before event `cut`, and
 * recovery. */
void scenario_check(const struct scenario *, size_t cut, const uint8_t *bytes, const char *who);

/** Writes what the medium must hold: the size of blocks, and each block's number and content;
 * numbers of 64 bits. */
void scenario_save(const struct scenario *, size_t cut, const char *path);

#endif
