/* The PHY behind MDIC (13.4.6): what a driver reads to identify it and to learn the link's state,
 * after section 8.5. Auto-negotiation always ends at once, at 1000 Mbit/s full duplex. */
#include "parts.h"

enum {
  PHY_ID1 = 0x0141, /* 8.5: the 82540EM's internal PHY */
  PHY_ID2 = 0x0C20,
  ADVERTISE_ALL = 0x01E1,
  ADVERTISE_1000_FULL = 0x0200,
  STATUS_CAPABLE = 0x7949, /* 10 and 100, half and full; extended; auto-negotiation */
  PARTNER = 0x45E1,        /* acknowledges all that we offer */
  PARTNER_1000 = 0x3C00,   /* both receivers fine, partner can do 1000 */
  SPECIFIC_DEFAULT = 0x0060,
  SPECIFIC_RESOLVED_1000_FULL = 0xA800,
  SPECIFIC_LINK = 0x0400,
};

void phy_reset(struct device *d) {
  d->phy = (struct phy){
      .control = E1000_PHY_CONTROL_AUTONEG | 0x0140, /* full duplex, 1000 Mbit/s */
      .advertise = ADVERTISE_ALL,
      .control_1000t = ADVERTISE_1000_FULL,
      .specific_control = SPECIFIC_DEFAULT,
  };
}

static uint16_t phy_read(const struct device *d, uint32_t reg) {
  switch (reg) {
  case E1000_PHY_CONTROL:
    return d->phy.control;
  case E1000_PHY_STATUS:
    return STATUS_CAPABLE | (d->link ? E1000_PHY_STATUS_LINK | E1000_PHY_STATUS_AUTONEG_DONE : 0);
  case E1000_PHY_ID1:
    return PHY_ID1;
  case E1000_PHY_ID2:
    return PHY_ID2;
  case E1000_PHY_AUTONEG_ADVERTISE:
    return d->phy.advertise;
  case E1000_PHY_LINK_PARTNER:
    return d->link ? PARTNER : 0;
  case E1000_PHY_1000T_CONTROL:
    return d->phy.control_1000t;
  case E1000_PHY_1000T_STATUS:
    return d->link ? PARTNER_1000 : 0;
  case E1000_PHY_SPECIFIC_CONTROL:
    return d->phy.specific_control;
  case E1000_PHY_SPECIFIC_STATUS:
    return d->link ? SPECIFIC_RESOLVED_1000_FULL | SPECIFIC_LINK : 0;
  default:
    return 0;
  }
}

static void phy_write(struct device *d, uint32_t reg, uint16_t value) {
  switch (reg) {
  case E1000_PHY_CONTROL:
    if (value & E1000_PHY_CONTROL_RESET) phy_reset(d);
    /* reset and restart clear themselves */
    else
      d->phy.control = value & ~E1000_PHY_CONTROL_RESTART;
    break;
  case E1000_PHY_AUTONEG_ADVERTISE:
    d->phy.advertise = value;
    break;
  case E1000_PHY_1000T_CONTROL:
    d->phy.control_1000t = value;
    break;
  case E1000_PHY_SPECIFIC_CONTROL:
    d->phy.specific_control = value;
    break;
  default:
    break; /* read-only, or not there */
  }
}

void phy_look(struct device *d) {
  uint32_t mdic = reg_load(d, E1000_MDIC);
  uint32_t op = mdic & E1000_MDIC_OP_MASK, reg = mdic >> E1000_MDIC_REG_SHIFT & 0x1F;
  if (mdic & E1000_MDIC_READY || !op) return;
  mdic &= ~(uint32_t)E1000_MDIC_ERROR;
  if ((mdic >> E1000_MDIC_PHY_SHIFT & 0x1F) != E1000_PHY_ADDRESS) {
    mdic |= E1000_MDIC_ERROR;
  } else if (op == E1000_MDIC_OP_READ) {
    mdic = (mdic & ~(uint32_t)E1000_MDIC_DATA_MASK) | phy_read(d, reg);
  } else if (op == E1000_MDIC_OP_WRITE) {
    phy_write(d, reg, mdic & E1000_MDIC_DATA_MASK);
    link_update(d);
  } else {
    mdic |= E1000_MDIC_ERROR;
  }
  reg_store(d, E1000_MDIC, mdic | E1000_MDIC_READY);
  if (mdic & E1000_MDIC_INTERRUPT) interrupt_raise(d, E1000_ICR_MDAC);
}
