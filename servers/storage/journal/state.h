/* The journal's state, as its parts see it. */
#ifndef STORAGE_JOURNAL_STATE_H
#define STORAGE_JOURNAL_STATE_H

#include <sys/queue.h>

#include "servers/storage/journal/block-map.h"
#include "servers/storage/journal/jbd2.h"
#include "servers/storage/journal/journal.h"
#include "servers/storage/journal/log-map.h"

enum { LOG_BLOCKS_MIN = 4 }; /* room for a transaction of one block, and one more */

enum journal_state {
  JOURNAL_OPENED,    /* what is on the medium is not known yet */
  JOURNAL_RECOVERED, /* it is in place; the super block does not say so yet */
  JOURNAL_READY      /* transactions can commit */
};

/** What the super block says of the log. */
struct log_tail {
  uint32_t start; /* 0: there is no log */
  journal_tid sequence;
};

/** A block of a transaction. */
struct logged_block {
  uint64_t block;
  const uint8_t *data; /* what it is */
  uint8_t *copy;       /* ours, or NULL: then the data is the caller's */
};

/** A transaction that gathers. */
struct gathering {
  journal_tid tid;
  struct logged_block *blocks;
  uint32_t nblocks, capacity;
  struct block_map index;   /* block -> its index in blocks */
  struct block_map revoked; /* the values mean nothing */
};

enum commit_state {
  COMMIT_NONE,   /* no transaction commits */
  COMMIT_SEALED, /* its log is being written */
  COMMIT_RECORD  /* its commit record is */
};

/** The transaction that commits. */
struct committing {
  enum commit_state state;
  struct gathering what;
  uint32_t blocks;    /* of the log, with the commit record */
  uint32_t record_at; /* the commit record's place in the log */
  bool with_superblock;
  uint8_t *records; /* the blocks of the log that are ours; the commit record is the last */
  uint32_t nrecords;
  uint8_t *escaped; /* blocks that began with the magic number, as they are in the log */
  struct journal_write *writes;
  uint32_t nwrites;
};

/** A transaction that has committed, or is about to. */
struct logged {
  TAILQ_ENTRY(logged) link;
  journal_tid tid;
  uint32_t start; /* its first block in the log */
  bool committed, checkpointed;
};
TAILQ_HEAD(logged_list, logged);

struct journal {
  enum journal_state state;
  uint32_t block_bytes;
  uint64_t fs_blocks;
  unsigned wanted;   /* enum journal_features */
  uint32_t incompat; /* enum jbd2_incompat, of the journal as it is */
  uint32_t checksum_seed;
  struct log_map map;
  uint32_t first, end;           /* the log is [first, end) of the journal, a ring */
  uint8_t *superblock;           /* a block: the one on the medium, or the next */
  struct log_tail medium;        /* what it says on the medium */
  struct log_tail being_written; /* what it will say */
  bool superblock_is_out;        /* it is being written */
  uint32_t head;                 /* where the next transaction's log begins */
  struct gathering running;
  struct committing commit;
  struct logged_list logged; /* the oldest first */
};

/** Notes why something is refused. @return the error */
int refuse(struct journal_reason *, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- the ring ---- */

static inline uint32_t log_blocks(const struct journal *j) {
  return j->end - j->first;
}

/** The place of the block that is `n` after another. */
static inline uint32_t log_after(const struct journal *j, uint32_t at, uint32_t n) {
  return j->first + (uint32_t)(((uint64_t)(at - j->first) + n) % log_blocks(j));
}

/* ---- layout.c: how much fits into a block of the log ---- */

bool has_checksums(const struct journal *);
/** Bytes of a tag, without UUID. */
uint32_t tag_bytes(const struct journal *);
/** Bytes of a number in a revoke block. */
uint32_t revoke_bytes(const struct journal *);
/** Where a descriptor or revoke block's tail begins. */
uint32_t tail_at(const struct journal *);
uint32_t tags_per_block(const struct journal *);
uint32_t revokes_per_block(const struct journal *);

/* ---- checksum.c ---- */

/** Sets the checksum at the end of a descriptor or revoke block, if there are any. */
void checksum_set_tail(const struct journal *, uint8_t *block);
/** @return whether it is right, or there are none */
bool checksum_tail_is_right(const struct journal *, const uint8_t *block);
void checksum_set_commit(const struct journal *, uint8_t *block);
bool checksum_commit_is_right(const struct journal *, const uint8_t *block);
/** The checksum of a block of data, for its tag. */
uint32_t checksum_of_data(const struct journal *, journal_tid, const uint8_t *data);
/** What begins all others. */
uint32_t checksum_seed(const uint8_t *uuid);
/** The checksum of a super block, as it is on the medium, whatever the block says that it is. */
be32 checksum_of_superblock(const struct jbd2_superblock *);

/* ---- superblock.c ---- */

/** Takes up the features that are wanted; for when there is no log on the medium. */
void superblock_take_features(struct journal *);
/** Makes the super block say where the log begins; its bytes must not be being written. */
void superblock_point_to(struct journal *, struct log_tail);

/* ---- gather.c ---- */

void gathering_free(struct gathering *);

/* ---- commit.c ---- */

void committing_free(struct committing *);

#endif
