/* The link: up when the wire has a peer, the driver set CTRL.SLU, and the PHY has power (8.6). */
#include "parts.h"

void link_update(struct device *d) {
  bool up = !d->wire.closed && reg_load(d, E1000_CTRL) & E1000_CTRL_SLU &&
            !(d->phy.control & E1000_PHY_CONTROL_POWER_DOWN);
  if (up == d->link) return;
  d->link = up;
  uint32_t status = reg_load(d, E1000_STATUS) & ~(uint32_t)E1000_STATUS_LU;
  reg_store(d, E1000_STATUS, status | (up ? E1000_STATUS_LU : 0));
  interrupt_raise(d, E1000_ICR_LSC);
}
