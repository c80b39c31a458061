/* A device in memory with a journal of 1024 blocks of 1 KiB, for a file system of any size. */
#ifndef STORAGE_JOURNAL_TEST_DEVICE_H
#define STORAGE_JOURNAL_TEST_DEVICE_H

#include "servers/storage/journal/jbd2.h"
#include "servers/storage/journal/journal.h"

enum { BLOCK = 1024, JOURNAL_AT = 2000, JOURNAL_LENGTH = 1024, OTHERS = 4096 };

struct device {
  struct journal_geometry geometry;
  struct journal_extent extent;
  uint8_t log[JOURNAL_LENGTH][BLOCK];
  struct {
    uint64_t block;
    uint8_t data[BLOCK];
  } others[OTHERS]; /* blocks that were written, outside the journal */
  unsigned nothers;
  unsigned reads, writes;
  unsigned fail_read, fail_write; /* the how manieth fails; 0: none */
};

/** An empty device with a journal as mkfs.ext4 makes it, for a file system of 2^40 blocks. */
void device_init(struct device *, unsigned features);
struct jbd2_superblock *device_superblock(struct device *);
/** Sets the checksum of the super block, if it has one. */
void device_checksum(struct device *);
void device_put(struct device *, const struct journal_write *);
/** @return what a block outside the journal holds, or NULL: it was never written */
const uint8_t *device_at(const struct device *, uint64_t block);

/** Opens the journal; ends the test when that fails. */
struct journal *device_open(struct device *);
int device_recover(struct device *, struct journal *, struct journal_recovery *,
                   struct journal_reason *);
/** Opens, recovers, and writes the super block. */
struct journal *device_mount(struct device *);
/** Seals and writes the log, and, if wanted, the commit record. @return the transaction */
journal_tid device_commit(struct device *, struct journal *, bool with_record);
/** A block's content. */
const uint8_t *content(unsigned seed);

#endif
