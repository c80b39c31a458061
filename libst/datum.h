/* What lies at an offset in an object, as a program would write it. */
#ifndef LIBST_DATUM_H
#define LIBST_DATUM_H

#include <stddef.h>
#include <stdint.h>

struct block;
struct st_meta;
struct transfer;

/** Prints the path to the number, pointer or union at `offset` of an object: ".peer.addr[2]"; of an
 * array of objects when the offset is beyond one.
 * @param leaf  receives its type, 0 when there is none (padding)
 * @return `out` */
const char *datum_path(const struct st_meta *meta, uint32_t type, uint64_t offset, char *out,
                       size_t cap, uint32_t *leaf);
/** Prints a datum's full name: of the variable `name`, or, when that is NULL, of a block of the old
 * version. @return `out` */
const char *datum_name(struct transfer *t, const char *name, const struct block *block,
                       const char *path, char *out, size_t cap);

#endif
