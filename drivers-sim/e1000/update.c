/* What a new version checks before commit, beyond what is checked for every component. */
#include <errno.h>

#include "driver.h"

static bool ring_is_sane(const struct hw_ring *ring) {
  return ring->next < RING_DESCRIPTORS && ring->clean < RING_DESCRIPTORS &&
         hw_dma(&driver.hw, ring->address, RING_DESCRIPTORS * 16);
}

int driver_live_update(void) {
  if (!driver.tx_slots || !driver.rx_slots || driver.ngroups > MULTICAST_GROUPS) return -EINVAL;
  if (driver.server && (!ring_is_sane(&driver.tx) || !ring_is_sane(&driver.rx))) return -EINVAL;
  return 0;
}
