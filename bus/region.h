/* Regions: shared memory that the manifest declares. Each is a memfd that lives as long as a
 * manifest declares it and is given only to those that it is shared with. */
#ifndef PROTEOS_REGION_H
#define PROTEOS_REGION_H

#include <stdint.h>

#include "bus/manifest.h"

struct endpoint;

/** Makes those of the manifest. @return 0 or a negative errno */
int region_init(void);

/** @param bytes  receives its size
 * @return a descriptor that stays busd's, -ENOENT, or -EPERM: not shared with this component */
int region_for(const struct endpoint *e, const char *name, uint64_t *bytes);

/** Makes the memory of regions that another manifest has beside this one's, for region_adopt() once
 * the bus has gone over to it, or region_unprepare(). @return 0 or a negative errno */
int region_prepare(const struct manifest *m);
void region_unprepare(void);
/** @param former  the manifest until now */
void region_adopt(const struct manifest *former);

#endif
