/* The on-disk format of JBD2: numbers are big-endian. After "Journal (jbd2)" of the kernel's
 * documentation of ext4's data structures, and include/linux/jbd2.h. */
#ifndef STORAGE_JOURNAL_JBD2_H
#define STORAGE_JOURNAL_JBD2_H

#include <stdint.h>

typedef uint32_t be32;
typedef uint64_t be64;

enum { JBD2_MAGIC = 0xc03b3998u };

enum jbd2_block_type {
  JBD2_DESCRIPTOR = 1,
  JBD2_COMMIT = 2,
  JBD2_SUPERBLOCK_V1 = 3,
  JBD2_SUPERBLOCK_V2 = 4,
  JBD2_REVOKE = 5,
};

/** Begins each block of the log that is not data. */
struct jbd2_header {
  be32 magic;
  be32 type;
  be32 sequence; /* the transaction's number */
};

enum jbd2_compat {
  JBD2_COMPAT_CHECKSUM = 1, /* one for all of a transaction (version 1), in its commit record */
};

enum jbd2_incompat {
  JBD2_INCOMPAT_REVOKE = 0x01,
  JBD2_INCOMPAT_64BIT = 0x02,
  JBD2_INCOMPAT_ASYNC_COMMIT = 0x04,
  JBD2_INCOMPAT_CSUM_V2 = 0x08,
  JBD2_INCOMPAT_CSUM_V3 = 0x10,
  JBD2_INCOMPAT_FAST_COMMIT = 0x20,
};

enum { JBD2_CRC32C = 4, JBD2_UUID_BYTES = 16, JBD2_MIN_BLOCKS = 1024 };

/** Journal block 0. */
struct jbd2_superblock {
  struct jbd2_header header;
  be32 block_bytes;
  be32 length; /* blocks of the journal, with this one */
  be32 first;  /* block of the log */
  be32 sequence;
  be32 start; /* where the log begins; 0: it is empty */
  be32 error;
  be32 compat;
  be32 incompat;
  be32 ro_compat;
  uint8_t uuid[JBD2_UUID_BYTES];
  be32 users;
  be32 dynamic_superblock;
  be32 transaction_max;
  be32 transaction_data_max;
  uint8_t checksum_type;
  uint8_t unused1[3];
  be32 fast_commit_blocks;
  be32 unused2[41];
  be32 checksum; /* of these 1024 bytes, with this being 0 */
  uint8_t user_uuids[16 * 48];
};
_Static_assert(sizeof(struct jbd2_superblock) == 1024, "as on the medium");

enum jbd2_tag_flags {
  JBD2_TAG_ESCAPED = 1,   /* the block began with the magic number, and begins with 0 in the log */
  JBD2_TAG_SAME_UUID = 2, /* no UUID follows the tag */
  JBD2_TAG_LAST = 8,      /* of its descriptor block */
};

/** A tag with checksums of version 3. */
struct jbd2_tag3 {
  be32 block;
  be32 flags;
  be32 block_high;
  be32 checksum; /* of sequence and block, as it is in the log */
};

/** A tag otherwise. Without the feature 64bit it ends before block_high; checksums of version 2
 * lengthen it by two bytes, which nothing uses. */
struct jbd2_tag {
  be32 block;
  uint16_t checksum; /* the lower half */
  uint16_t flags;
  be32 block_high;
};

/** Ends descriptor and revoke blocks with checksums. */
struct jbd2_tail {
  be32 checksum; /* of the block, with this being 0 */
};

struct jbd2_revoke_header {
  struct jbd2_header header;
  be32 bytes; /* that are used, with this header; block numbers of 4 or, with 64bit, 8 bytes follow
               */
};

struct jbd2_commit {
  struct jbd2_header header;
  uint8_t checksum_type; /* of version 1 only */
  uint8_t checksum_bytes;
  uint8_t unused[2];
  be32 checksum[8]; /* the first: of the block, with this being 0 */
  be64 seconds;
  be32 nanoseconds;
} __attribute__((packed));
_Static_assert(sizeof(struct jbd2_commit) == 60, "as on the medium");

#endif
