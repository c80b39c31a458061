/* What lies at an offset in an object, as a program would write it. */
#ifndef LIBST_DATUM_H
#define LIBST_DATUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block;
struct st_meta;
struct st_variable;
struct transfer;

/* A way from an object down to what lies at an offset in it. */
struct datum {
  const struct st_meta *meta;
  uint32_t type;      /* where the way has come; 0: into padding */
  uint64_t offset;    /* into it */
  uint64_t object;    /* of several that follow each other */
  uint32_t in;        /* the last struct or array on the way, stripped */
  const char *member; /* of that struct, NULL: */
  uint64_t index;     /* of that array */
};

/** The start of a way. @param offset  beyond the type when there are several objects */
struct datum datum_at(const struct st_meta *meta, uint32_t type, uint64_t offset);
/** One step further down. @return false when there is none */
bool datum_enter(struct datum *datum);

/** Prints the path to the number, pointer or union at `offset` of an object: ".peer.addr[2]"; of an
 * array of objects when the offset is beyond one.
 * @param leaf  receives its type, 0 when there is none (padding)
 * @return `out` */
const char *datum_path(const struct st_meta *meta, uint32_t type, uint64_t offset, char *out,
                       size_t cap, uint32_t *leaf);
/** Prints the annotation that would say `what` of a member: "ST_FIELD(struct conn, peer, opaque)".
 * @return `out`: "" when it is no member of a struct with a name */
const char *datum_annotation(const struct st_meta *meta, uint32_t type, uint64_t offset,
                             const char *what, char *out, size_t cap);
/** The same of a whole variable. */
const char *datum_variable_annotation(const struct st_meta *meta, const struct st_variable *v,
                                      const char *what, char *out, size_t cap);
/** Prints a datum's full name: of the variable `name`, or, when that is NULL, of a block of the old
 * version. @return `out` */
const char *datum_name(struct transfer *t, const char *name, const struct block *block,
                       const char *path, char *out, size_t cap);

#endif
