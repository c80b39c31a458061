/* A real image of an ext4 file system, made by mkfs.ext4, in memory. */
#ifndef STORAGE_JOURNAL_TEST_IMAGE_H
#define STORAGE_JOURNAL_TEST_IMAGE_H

#include "servers/storage/journal/journal.h"

struct image {
  uint8_t *bytes;
  uint64_t nbytes;
  struct journal_geometry geometry; /* of its journal; features as the file system's */
  uint64_t *unused;                 /* blocks that nothing uses */
  size_t nunused;
};

/** Makes an image whose flag "needs recovery" is set, with a journal of 1024 blocks.
 * @param options  of mkfs.ext4, beside the size of blocks and journal */
struct image image_make(uint32_t block_bytes, const char *options);
void image_free(struct image *);
uint8_t *image_block(const struct image *, uint64_t block);
/** The journal's super block. */
struct jbd2_superblock *image_superblock(const struct image *);
/** Sets the flag "needs recovery", which e2fsck has cleared. */
void image_expect_recovery(struct image *);
/** Has the log begin late, so that it is short. */
void image_shorten_log(struct image *, uint32_t blocks);
/** Sets the checksum of the journal's super block, if it has one. */
void image_checksum(struct image *);

/** Has e2fsck replay the journal and repair a copy of the image. Ends the test when it finds more
 * to do than that.
 * @param bytes  of the size of the image; takes the result */
void image_judge(const struct image *, uint8_t *bytes);

/** Writes bytes of the size of the image to a file. */
void image_save(const struct image *, const uint8_t *bytes, const char *path);

#endif
