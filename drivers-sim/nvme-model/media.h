/* Where the blocks are kept: memory or a file. */
#ifndef PROTEOS_NVME_MEDIA_H
#define PROTEOS_NVME_MEDIA_H

#include <stddef.h>
#include <stdint.h>

struct media {
  char *memory; /* borrowed; NULL: the file */
  int fd;       /* borrowed */
  uint64_t bytes;
};

/** @param bytes  at least one block */
void media_open_memory(struct media *m, void *memory, uint64_t bytes);

/** @param fd  a file that can be read and written; its size is the medium's
 * @return 0, or a negative errno; -ENODATA: it is too short to have a block */
int media_open_file(struct media *m, int fd);

/* Ranges lie within the medium. @return 0 or a negative errno */
int media_read(const struct media *m, uint64_t offset, void *data, size_t bytes);
int media_write(const struct media *m, uint64_t offset, const void *data, size_t bytes);
/** What was written stays when the power fails. */
int media_sync(const struct media *m);

#endif
