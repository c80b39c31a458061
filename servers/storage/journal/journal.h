/* The journal of an ext4 file system, in the on-disk format of Linux's JBD2 (include/linux/jbd2.h;
 * "Journal" in Documentation/filesystems/ext4), so that the kernel, e2fsck and debugfs read what is
 * written here.
 *
 * It does no I/O. It says what is to be written; the caller writes it, and says when it is on the
 * medium. Only recovery, at mount, reads and writes, through two functions of the caller's.
 *
 * At mount:
 *   journal_open()                     the super block is sound, or there is a reason why not
 *   journal_recover()                  replays what is there; then the caller flushes the device,
 * and journal_superblock(JOURNAL_CLEAN)  is written (FUA), journal_superblock_written() said
 *
 * A transaction:
 *   journal_add(), journal_revoke()    as long as the caller likes; all of it commits, or nothing
 *   journal_seal()                     what to write; the next transaction gathers from here on
 *   ... write all of it, and the data that the metadata points to; flush the device ...
 *   journal_commit_record()            one block, written with FUA (or followed by a flush)
 *   journal_committed()                it will survive a crash; its blocks may be written in place
 * from now on
 *   ... write its blocks in place, at leisure; flush the device ...
 *   journal_checkpointed()             its place in the log is no longer needed
 *   journal_superblock(JOURNAL_OPEN)   now and then: is written (FUA), and its place is free
 *
 * What is written between two flushes may reach the medium in any order, or not at all: that is
 * allowed for. When the device says that it lost what was not flushed, all of the current step is
 * written again.
 *
 * The flag "needs recovery" of the file system's super block (EXT3_FEATURE_INCOMPAT_RECOVER) is the
 * caller's. It is set, and on the medium, before the first journal_commit_record() after mount; it
 * is set, too, in each copy of the super block that a transaction holds. It is cleared after the
 * super block of JOURNAL_CLEAN is on the medium, or after mount when there was nothing to do.
 * e2fsck then neither misses a log nor looks for one in vain.
 *
 * A block that was metadata in a transaction, is freed and becomes data, is revoked in the
 * transaction that frees it: else replay would write the old metadata over the data. It must not be
 * used again before that transaction has committed.
 *
 * All state is plain structs on the heap. Functions return 0 or a negative errno. No function
 * changes anything when it fails, and -ENOMEM only ever comes from those that say so. */
#ifndef STORAGE_JOURNAL_H
#define STORAGE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal;

/** The number of a transaction; they follow each other modulo 2^32. */
typedef uint32_t journal_tid;

/** `count` blocks of the journal from block `first` on lie at `block` of the file system. */
struct journal_extent {
  uint32_t first;
  uint32_t count;
  uint64_t block;
};

/** What journals of this file system are to have; taken up when the log is empty, never given up.
 */
enum journal_features {
  JOURNAL_64BIT = 1,   /* for file systems with the feature 64bit */
  JOURNAL_CHECKSUM = 2 /* checksums (version 3), for those with metadata_csum */
};

struct journal_geometry {
  uint32_t block_bytes; /* of the file system: a power of two, 1024 to 65536 */
  uint64_t fs_blocks;   /* of the file system */
  unsigned features;    /* enum journal_features */
  /** The journal's inode: all its blocks from 0 on, in order, without holes. Copied. */
  const struct journal_extent *extents;
  size_t nextents;
};

enum { JOURNAL_REASON_BYTES = 160 };

/** Why something was refused: one line, for the log. */
struct journal_reason {
  char text[JOURNAL_REASON_BYTES];
};

/** A block to be written. */
struct journal_write {
  uint64_t block;      /* of the file system */
  const uint8_t *data; /* block_bytes; the journal's, or the caller's from journal_add() */
};

/** Reads the journal's super block, which is its block 0.
 * @param superblock  block_bytes; copied
 * @return 0; -EINVAL: the geometry makes no sense; -EUCLEAN: damaged, no journal, or not as long as
 * it says; -EOPNOTSUPP: a version or feature that is not supported; -ENOMEM. The reason says which.
 */
int journal_open(struct journal **, const struct journal_geometry *, const void *superblock,
                 struct journal_reason *);
/** Frees it, whatever its state. NULL does nothing. */
void journal_free(struct journal *);

/** Whether there is a log that journal_recover() has to replay. */
bool journal_needs_recovery(const struct journal *);
/** What the driver that had it before noted as error (errno, s_errno of the super block); 0: none.
 * The file system should be checked then; e2fsck clears it. */
int journal_noted_error(const struct journal *);

/* ---- recovery ---- */

struct journal_recovery {
  uint32_t transactions; /* replayed */
  uint32_t blocks;       /* written in place */
  uint32_t revoked;      /* not written, since they were revoked */
  bool torn; /* the log ends with a commit record whose checksum is wrong; it does not count */
};

/** @return 0, or a negative errno, which ends the recovery */
typedef int journal_read_fn(void *arg, uint64_t block, void *data);
typedef int journal_write_fn(void *arg, uint64_t block, const void *data);

/** Replays the log; to be called once, also when there is none. Nothing is written before all of
 * the log has been found sound. Then flush the device and write the super block (JOURNAL_CLEAN):
 * until that is on the medium, journal_seal() says -EBUSY. After an error other than -ENOMEM the
 * journal can only be freed, or recovered again.
 * @param done  what was done; may be NULL
 * @return 0; -EUCLEAN: a damaged log, nothing has been written; -ENOMEM; the error of a callback,
 * what was written is written again next time */
int journal_recover(struct journal *, journal_read_fn *, journal_write_fn *, void *arg,
                    struct journal_recovery *done, struct journal_reason *);

/* ---- the transaction that gathers ---- */

enum journal_keep {
  JOURNAL_COPY, /* the data is copied now */
  JOURNAL_REFER /* it stays where it is and what it is, until journal_committed(), or until it is
                   replaced */
};

/** Adds a block of metadata, as it shall be when the transaction has committed; takes the place of
 * what was added or revoked of it in this transaction before.
 * @param data  block_bytes
 * @return 0; -EINVAL: not a block of the file system, or one of the journal itself; -ENOMEM */
int journal_add(struct journal *, uint64_t block, const void *data, enum journal_keep);
/** Says that no older copy of a block, in this transaction or those before, may be replayed.
 * @return 0, -EINVAL, -ENOMEM, as above */
int journal_revoke(struct journal *, uint64_t block);

/** The transaction that gathers. */
journal_tid journal_running(const struct journal *);
/** Blocks of the log that it needs, as it is now; 0: it is empty. */
uint32_t journal_running_needs(const struct journal *);
/** Blocks of the log that a transaction of so many blocks and revokes needs; 0 for 0 and 0. */
uint32_t journal_needs(const struct journal *, uint32_t blocks, uint32_t revokes);
/** Blocks of the log that are free now. */
uint32_t journal_free_blocks(const struct journal *);
/** Blocks of the log that are free when it is empty: no transaction may need more. */
uint32_t journal_capacity(const struct journal *);

/* ---- the transaction that commits ---- */

/** Closes the transaction that gathers, and starts the next one. An empty one is not closed: *n is
 * 0.
 * @param writes  what is to be written, in any order, and flushed: the log, and before the first
 * transaction the super block; valid until journal_committed(). May be written any number of times
 * until then.
 * @return 0; -EBUSY: another one commits, recovery or its super block is not done, or one is being
 * written that must be the next one's; -ENOSPC: the log has no room (now, or, with more than
 * journal_capacity(), ever); -ENOMEM. After an error it still gathers. */
int journal_seal(struct journal *, const struct journal_write **writes, size_t *n);
/** The transaction that is sealed, and not yet committed; false: none. */
bool journal_committing(const struct journal *, journal_tid *);
/** What journal_seal() gave is on the medium: the block that makes it count, to be written with
 * FUA. May be asked for again, until journal_committed().
 * @param wall_ns  the time of day, in nanoseconds since 1970
 * @return 0; -EINVAL: nothing is sealed */
int journal_commit_record(struct journal *, uint64_t wall_ns, struct journal_write *);
/** The commit record is on the medium. Frees what the transaction held.
 * @return 0; -EINVAL: no commit record was asked for */
int journal_committed(struct journal *);

/* ---- the log's tail ---- */

/** All blocks of a committed transaction are in place, and flushed; those that a later one holds,
 * too, need not be. In any order; the log is freed from its tail on.
 * @return 0; -ENOENT: no such transaction is waiting for it */
int journal_checkpointed(struct journal *, journal_tid);
/** The oldest transaction that has committed and is not checkpointed; false: none. */
bool journal_oldest(const struct journal *, journal_tid *);

enum journal_tail {
  JOURNAL_OPEN, /* the log begins where it begins now */
  JOURNAL_CLEAN /* there is no log: at mount and at unmount */
};

/** The super block, to be written with FUA when it differs from the one on the medium.
 * @return 1: it is to be written, then journal_superblock_written() called; 0: it need not be;
 * -EBUSY: one is being written, or, with JOURNAL_CLEAN, transactions are not checkpointed; -EINVAL:
 * not recovered yet */
int journal_superblock(struct journal *, enum journal_tail, struct journal_write *);
/** It is on the medium: what it no longer points to is free.
 * @return 0; -EINVAL: none was asked for */
int journal_superblock_written(struct journal *);

#endif
