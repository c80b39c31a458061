/* Areas and their grants: the tables of the memory server. */
#ifndef MM_AREA_H
#define MM_AREA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "libsys/if/mem.h"
#include "libsys/msg.h"

#define AREAS_MAX        64u
#define AREAS_OWNED_MAX  16u
#define GRANTS_MAX       256u
#define GRANTS_OWNED_MAX 64u /* of the areas of one owner */

enum grant_state {
  GRANT_GIVEN,    /* not mapped */
  GRANT_MAPPED,   /* its holder may have it mapped */
  GRANT_REVOKING, /* so too, and is to unmap it */
};

struct grant {
  uint32_t number;
  enum grant_state state;
  endpoint_t holder;
  uint32_t incarnation;  /* of the holder */
  uint32_t first, count; /* segments of its area */
  uint32_t rights;       /* enum mem_right */
  /* While it is revoked: */
  bool ended; /* its holder, since it was late */
  uint32_t patience_ms;
  uint64_t deadline_us; /* 0: its holder's death is awaited */
  uint64_t token;       /* of the MEM_REVOKE that waits; 0: none */
  LIST_ENTRY(grant) link;
};

enum area_state {
  AREA_FREE,
  AREA_LIVE,
  AREA_ENDING, /* goes with its last grant */
};

struct area {
  enum area_state state;
  uint32_t number;
  endpoint_t owner; /* 0: it has died */
  uint64_t segment_bytes;
  uint32_t segments[MEM_SEGMENTS_MAX]; /* the kernel's numbers */
  uint32_t nsegments;
  uint64_t token; /* of the MEM_DESTROY that waits; 0: none */
  uint32_t ended; /* holders, since then */
  LIST_HEAD(grants, grant) grants;
};

extern struct area areas[AREAS_MAX];

/** Makes an area, and its owner's grant. The caller has looked at the quota.
 * @return 0, -EINVAL, -ENFILE, -ENOMEM or the kernel's error */
int area_create(endpoint_t owner, uint64_t bytes, uint64_t segment_bytes, struct area **made,
                struct grant **own);
/** Bytes of an area with these sizes, in whole segments. @param segment_bytes  0 becomes all
 * @return 0: they are not valid */
uint64_t area_round(uint64_t bytes, uint64_t *segment_bytes);
/** An area of this owner's that lives, or NULL. */
struct area *area_find(endpoint_t owner, uint32_t number);
uint64_t area_bytes(const struct area *a);
/** Ends an area that has no grants any more. */
void area_free(struct area *a);

/** Gives a run of segments to a holder. @return 0, -EINVAL, -ENFILE, -ENOMEM, -ESRCH */
int grant_make(struct area *a, endpoint_t to, uint64_t first, uint64_t bytes, uint32_t rights,
               struct grant **made);
/** A grant, with its area; or NULL. */
struct grant *grant_find(uint32_t number, struct area **of);
/** Lets the holder open the segments. @return 0 or the kernel's error */
int grant_open(const struct area *a, struct grant *g);
/** The holder has unmapped it, or has died. */
void grant_close(const struct area *a, struct grant *g);
/** Ends a grant that is closed. */
void grant_free(struct grant *g);
/** The first grant of a holder beyond number `after` that it is to release, 0: none. */
uint32_t grant_next_revoked(endpoint_t holder, uint32_t after);

#endif
