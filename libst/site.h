/* Which call allocated a block: return addresses of this build become indices of the arena's site
 * table. */
#ifndef LIBST_SITE_H
#define LIBST_SITE_H

#include <stdbool.h>
#include <stdint.h>

#include "libst/arena.h"

struct images;
struct st_meta;

/** Code whose allocations are state; read on every allocation. */
struct site_code {
  uintptr_t start, bytes;
};
enum { SITE_CODES = 8 };
extern struct site_code site_code[SITE_CODES] __attribute__((visibility("hidden")));
extern unsigned site_code_count
    __attribute__((visibility("hidden"))); /* 0 until st_init(): all allocations are then libc's */

/* A call whose callers decide (it is in an allocator wrapper) has the complement of its address. */
struct site_cached {
  uintptr_t caller;
  uint16_t site;
  bool clear;
};
enum { SITE_CACHE = 512 };
extern struct site_cached site_cache[SITE_CACHE] __attribute__((visibility("hidden")));

/** Starts handing allocations of the executable and its state libraries to the arena. */
void sites_start(const struct images *images, const struct st_meta *meta);

/** Is `caller` code whose allocations are state? */
static inline bool site_is_state(uintptr_t caller) {
  for (unsigned i = 0; i < site_code_count; i++)
    if (caller - site_code[i].start < site_code[i].bytes) return true;
  return false;
}

/** Finds the site of a call that the cache does not decide.
 * @param frame  frame of the allocation function, whose saved frame pointer is its caller's */
struct site_cached site_resolve(uintptr_t caller, void *const *frame);

static inline struct site_cached *site_slot(uintptr_t caller) {
  return &site_cache[(caller ^ caller >> 9) % SITE_CACHE];
}

/** The site of a call that allocated before, which is then known to be state; NULL also for one
 * that is not in its first slot. */
static inline const struct site_cached *site_known(uintptr_t caller) {
  const struct site_cached *c = site_slot(caller);
  return c->caller == caller ? c : NULL;
}

static inline struct site_cached site_of(uintptr_t caller, void *const *frame) {
  const struct site_cached *c = site_known(caller);
  return __builtin_expect(c != NULL, 1) ? *c : site_resolve(caller, frame);
}

/** Enters a description into the arena's table, or finds an equal one there.
 * @return its index; that of an untyped site when the table is full */
unsigned site_intern(const struct site *site);
/** Entries before `first` are not to be found: their types are the old version's. 1 = all are. */
void sites_keep_apart(uint32_t first);
/** Whether blocks of a type (BTF id, 0 = untyped) may hold pointers. */
bool site_may_point(const struct st_meta *meta, uint32_t type);
/** Fills a table entry from a site of `meta`. */
void site_describe(struct site *out, const struct st_meta *meta, uint32_t index);

#endif
