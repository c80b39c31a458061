/* The contents of files. */
#ifndef PROTEOS_STORAGE_DATA_H
#define PROTEOS_STORAGE_DATA_H

#include <stdint.h>

#include "servers/storage/node.h"

/** As a result: it cannot be done yet; something is on its way that it needs. */
#define DATA_WAITS INT32_MIN

/** Reads.
 * @return bytes, 0 at the end of the file; DATA_WAITS; a negative errno */
int32_t data_read(struct node *node, uint64_t offset, uint32_t bytes, void *out);
/** Begins to read what of it is not there.
 * @return 1: all is there; 0: some is on its way, or there is no room now; a negative errno */
int data_fetch(struct node *node, uint64_t offset, uint32_t bytes);
/** Writes.
 * @return bytes, at least 1, which may be fewer; DATA_WAITS; a negative errno */
int32_t data_write(struct node *node, uint64_t offset, uint32_t bytes, const void *in);
/** Makes it shorter or longer. @return 0, DATA_WAITS, a negative errno */
int32_t data_truncate(struct node *node, uint64_t bytes);

#endif
