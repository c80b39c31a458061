/* Reset, EEPROM, PHY, link, and registers that are not there. */
#include <unistd.h>

#include "harness.h"

START_TEST(reset_gives_defaults) {
  set(E1000_RCTL, 0x1234);
  set(E1000_IMS, 0xFF);
  set(E1000_MTA + 4, 7);
  set(E1000_CTRL, E1000_CTRL_RST);
  ck_assert_uint_eq(get(E1000_CTRL) & E1000_CTRL_RST, 0);
  ck_assert_uint_eq(get(E1000_RCTL), 0);
  ck_assert_uint_eq(get(E1000_IMS), 0);
  ck_assert_uint_eq(get(E1000_MTA + 4), 0);
  ck_assert_uint_eq(get(E1000_RAL), 0xAB005452);
  ck_assert_uint_eq(get(E1000_RAH), E1000_RAH_AV | 0xEFCD);
}
END_TEST

START_TEST(posted_reset_is_seen_at_the_doorbell) {
  set(E1000_RCTL, 0x1234);
  post(E1000_CTRL, E1000_CTRL_RST);
  device_look(&table.device);
  ck_assert_uint_eq(get(E1000_RCTL), 0);
}
END_TEST

static uint16_t eerd(uint32_t word) {
  set(E1000_EERD, word << E1000_EERD_ADDR_SHIFT | E1000_EERD_START);
  ck_assert(get(E1000_EERD) & E1000_EERD_DONE);
  ck_assert(!(get(E1000_EERD) & E1000_EERD_START));
  return get(E1000_EERD) >> E1000_EERD_DATA_SHIFT;
}

START_TEST(eeprom_has_address_and_checksum) {
  uint16_t sum = 0;
  for (uint32_t i = 0; i < E1000_EEPROM_WORDS; i++)
    sum += eerd(i);
  ck_assert_uint_eq(sum, E1000_EEPROM_SUM);
  ck_assert_uint_eq(eerd(0), 0x5452);
  ck_assert_uint_eq(eerd(1), 0xAB00);
  ck_assert_uint_eq(eerd(2), 0xEFCD);
  ck_assert_uint_eq(eerd(200), 0xFFFF);
}
END_TEST

static void shift_in(uint32_t lines, uint32_t value, int bits) {
  for (int i = bits - 1; i >= 0; i--) {
    uint32_t in = value >> i & 1 ? E1000_EECD_DI : 0;
    set(E1000_EECD, lines | in);
    set(E1000_EECD, lines | in | E1000_EECD_SK);
    set(E1000_EECD, lines | in);
  }
}

static uint16_t microwire(uint32_t word) {
  uint32_t lines = E1000_EECD_REQ | E1000_EECD_CS;
  uint16_t value = 0;
  set(E1000_EECD, E1000_EECD_REQ);
  ck_assert(get(E1000_EECD) & E1000_EECD_GNT);
  shift_in(lines, 6, 3); /* start bit and the opcode for reading */
  shift_in(lines, word, 6);
  for (int i = 0; i < 16; i++) {
    set(E1000_EECD, lines | E1000_EECD_SK);
    value = value << 1 | !!(get(E1000_EECD) & E1000_EECD_DO);
    set(E1000_EECD, lines);
  }
  set(E1000_EECD, 0);
  return value;
}

START_TEST(eeprom_lines_give_what_eerd_gives) {
  for (uint32_t i = 0; i < E1000_EEPROM_WORDS; i++)
    ck_assert_uint_eq(microwire(i), eerd(i));
  ck_assert(!(get(E1000_EECD) & E1000_EECD_GNT));
}
END_TEST

static uint32_t mdic(uint32_t phy, uint32_t reg, uint32_t op, uint16_t data) {
  set(E1000_MDIC, phy << E1000_MDIC_PHY_SHIFT | reg << E1000_MDIC_REG_SHIFT | op | data);
  ck_assert(get(E1000_MDIC) & E1000_MDIC_READY);
  return get(E1000_MDIC);
}

START_TEST(phy_identifies_itself) {
  ck_assert_uint_eq(mdic(1, E1000_PHY_ID1, E1000_MDIC_OP_READ, 0) & 0xFFFF, 0x0141);
  ck_assert_uint_eq(mdic(1, E1000_PHY_ID2, E1000_MDIC_OP_READ, 0) & 0xFFF0, 0x0C20);
  ck_assert(mdic(2, E1000_PHY_ID1, E1000_MDIC_OP_READ, 0) & E1000_MDIC_ERROR);
  ck_assert(!(mdic(1, E1000_PHY_ID1, E1000_MDIC_OP_READ, 0) & E1000_MDIC_ERROR));
}
END_TEST

START_TEST(phy_access_may_interrupt) {
  mdic(1, E1000_PHY_STATUS, E1000_MDIC_OP_READ | E1000_MDIC_INTERRUPT, 0);
  ck_assert_uint_eq(get(E1000_ICR), E1000_ICR_MDAC);
}
END_TEST

static bool link_is_up(void) {
  return get(E1000_STATUS) & E1000_STATUS_LU;
}

START_TEST(link_follows_driver_phy_and_wire) {
  set(E1000_IMS, E1000_ICR_LSC);
  ck_assert(!link_is_up());
  set(E1000_CTRL, E1000_CTRL_SLU);
  ck_assert(link_is_up());
  ck_assert_uint_eq(get(E1000_ICR), E1000_ICR_LSC);
  ck_assert_uint_eq(mdic(1, E1000_PHY_STATUS, E1000_MDIC_OP_READ, 0) & E1000_PHY_STATUS_LINK,
                    E1000_PHY_STATUS_LINK);

  mdic(1, E1000_PHY_CONTROL, E1000_MDIC_OP_WRITE, E1000_PHY_CONTROL_POWER_DOWN);
  ck_assert(!link_is_up());
  mdic(1, E1000_PHY_CONTROL, E1000_MDIC_OP_WRITE, E1000_PHY_CONTROL_AUTONEG);
  ck_assert(link_is_up());
  get(E1000_ICR);

  start(8, 0, 0);
  give_rx(0);
  set(E1000_RDT, 1);
  table.interrupts = 0;
  set(E1000_IMS, E1000_ICR_LSC);
  close(table.peer);
  table.peer = -1;
  turn();
  ck_assert(!link_is_up());
  ck_assert_uint_eq(table.interrupts, 1);
  ck_assert_uint_eq(get(E1000_ICR), E1000_ICR_LSC);
}
END_TEST

START_TEST(registers_that_are_not_there) {
  ck_assert_uint_eq(get(E1000_BAR_BYTES), UINT32_MAX);
  ck_assert_uint_eq(get(UINT32_MAX & ~3u), UINT32_MAX);
  ck_assert_uint_eq(get(2), UINT32_MAX);
  set(E1000_BAR_BYTES, 1);
  set(UINT32_MAX, 1);
  uint32_t status = get(E1000_STATUS);
  set(E1000_STATUS, UINT32_MAX);
  ck_assert_uint_eq(get(E1000_STATUS), status);
  set(E1000_GPRC, 77);
  ck_assert_uint_eq(get(E1000_GPRC), 0);
}
END_TEST

TCase *registers_case(void) {
  TCase *c = tcase_create("registers");
  tcase_add_checked_fixture(c, table_setup, table_teardown);
  tcase_add_test(c, reset_gives_defaults);
  tcase_add_test(c, posted_reset_is_seen_at_the_doorbell);
  tcase_add_test(c, eeprom_has_address_and_checksum);
  tcase_add_test(c, eeprom_lines_give_what_eerd_gives);
  tcase_add_test(c, phy_identifies_itself);
  tcase_add_test(c, phy_access_may_interrupt);
  tcase_add_test(c, link_follows_driver_phy_and_wire);
  tcase_add_test(c, registers_that_are_not_there);
  return c;
}
