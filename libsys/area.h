/* Shared memory of other components, over the memory server (libsys/if/mem.h). These functions ask
 * component `mm`, which must be in the caller's `calls:`.
 *
 * A struct sys_area is a plain value of the component's own state. Its mapping keeps its address
 * over updates of the component, and lasts over those of the memory server and of the owner.
 *
 *   case SYS_NOTIFIED:
 *     if (m.source == sys_lookup("mm") && m.bits & MEM_REVOKED)
 *       for (uint32_t g = 0; (g = sys_area_next_revoked(g)) != 0;)
 *         if (g == area.grant) sys_area_unmap(&area);
 */
#ifndef PROTEOS_AREA_H
#define PROTEOS_AREA_H

#include <stddef.h>
#include <stdint.h>

#include "libsys/if/mem.h"
#include "libsys/sys.h"

struct sys_area {
  uint8_t *address; /* NULL: not mapped */
  size_t bytes;
  uint32_t grant;  /* what it is mapped by */
  uint32_t rights; /* enum mem_right; writing without MEM_WRITE is a crash */
  endpoint_t owner;
};

/** Makes an area that this component owns, and maps all of it.
 * @param area  receives its number, for sys_area_grant()
 * @return 0, or a negative error of MEM_CREATE or of the bus */
int sys_area_create(size_t bytes, size_t segment_bytes, struct sys_area *mapped, uint32_t *area);

/** Gives a run of segments of an own area to another component, which maps it by the grant's
 * number.
 * @return 0, or a negative error of MEM_GRANT */
int sys_area_grant(uint32_t area, endpoint_t to, size_t first, size_t bytes, uint32_t rights,
                   uint32_t *grant);

/** Maps what a grant gives. @return 0; -ENOENT: there is no such grant, or it is revoked; or
 * another negative error. *mapped is only then changed when it is 0. */
int sys_area_map(uint32_t grant, struct sys_area *mapped);

/** Unmaps it and gives it back: so a revocation is acknowledged, too. Harmless when it is not
 * mapped. After SYS_RESTARTED of the memory server call it as well: the grant is gone already.
 * @return 0 or a negative error; it is unmapped in any case */
int sys_area_unmap(struct sys_area *mapped);

/** The next of this component's grants beyond number `after` that is revoked and to be unmapped;
 * 0: none. */
uint32_t sys_area_next_revoked(uint32_t after);

#endif
