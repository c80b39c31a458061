/* Which variable or function of the new version is which of the old one: what has its name, and of
 * those what is in its place. */
#ifndef LIBST_COUNTERPART_H
#define LIBST_COUNTERPART_H

#include <stdbool.h>
#include <stdint.h>

#include "libst/file_pair.h"

/* A variable or function of one version. */
struct named {
  const char *name, *function; /* function: that it is a static of; else "" */
  uint32_t file;               /* string of its metadata */
  uint32_t nth, of;            /* as in struct st_variable */
  bool is_static;
  bool own;  /* of the new version: it keeps its value, and takes none by a guess */
  bool said; /* of the new version: an annotation says that it is what had its name */
};

/* How likely two of one name are each other; the last is certain. */
enum likeness {
  LIKE_NONE,
  LIKE_RELATED, /* statics of different functions */
  LIKE_SCOPE,   /* static and global, or of a function and of a file */
  LIKE_PLACE,   /* statics of different files */
  LIKE_SAME,
};

struct counterpart {
  enum likeness likeness; /* LIKE_NONE: it has none */
  bool doubtful;          /* it may be `index`, but others may, too, or nothing says so */
  uint32_t index;         /* in the new version */
};

struct pairing {
  const struct file_pairs *files;
  struct named *old, *new; /* from malloc(); the pairing's */
  uint32_t old_count, new_count;
  /** May one be the other, in another scope? NULL: yes. */
  bool (*fits)(void *ctx, uint32_t old, uint32_t new);
  void *ctx;
  struct counterpart *out; /* by index of the old version */
  bool *taken;             /* of the new version: is one's counterpart, or may be */
};

/** How alike an old and a new one are; LIKE_NONE when their names differ. */
enum likeness counterpart_likeness(const struct pairing *p, uint32_t old, uint32_t new);
/** Finds all counterparts: each of the new version is that of one at most.
 * @return false without memory */
bool counterparts_find(struct pairing *p);
void counterparts_free(struct pairing *p);

#endif
