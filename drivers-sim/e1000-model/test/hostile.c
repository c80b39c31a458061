/* A driver that writes anything anywhere must not get the device to touch memory that is not its
 * own. Run under a sanitizer this finds more; the guards around the windows find writes. */
#include <string.h>
#include <sys/socket.h>

#include "harness.h"

static uint64_t seed;

static uint32_t draw(uint32_t below) {
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(seed >> 33) % below;
}

static uint32_t any_register(void) {
  static const uint32_t registers[] = {
      E1000_CTRL, E1000_EECD, E1000_EERD, E1000_MDIC, E1000_ICR,   E1000_ICS,   E1000_IMS,
      E1000_IMC,  E1000_ITR,  E1000_RCTL, E1000_TCTL, E1000_RDBAL, E1000_RDBAH, E1000_RDLEN,
      E1000_RDH,  E1000_RDT,  E1000_RDTR, E1000_RADV, E1000_TDBAL, E1000_TDBAH, E1000_TDLEN,
      E1000_TDH,  E1000_TDT,  E1000_TIDV, E1000_TADV, E1000_RAL,   E1000_RAH,   E1000_MTA,
  };
  if (draw(8) == 0) return draw(UINT32_MAX);
  return registers[draw(sizeof(registers) / sizeof(registers[0]))];
}

/* Values near the edges of what is valid. */
static uint32_t any_value(void) {
  switch (draw(6)) {
  case 0:
    return draw(UINT32_MAX);
  case 1:
    return draw(8);
  case 2:
    return RINGS_BYTES - 128 * draw(4);
  case 3:
    return 128 * draw(64);
  case 4:
    return E1000_CTRL_SLU | E1000_RCTL_EN | draw(UINT32_MAX);
  default:
    return 1u << draw(32);
  }
}

static dma_addr_t any_address(void) {
  if (draw(4) == 0) return (uint64_t)draw(UINT32_MAX) << 32 | draw(UINT32_MAX);
  uint32_t bytes = draw(2) ? RINGS_BYTES : FRAMES_BYTES;
  return dma_address(draw(4), draw(2) ? bytes - draw(3000) : draw(bytes));
}

/* Descriptors, where the device will look next. */
static void scribble(void) {
  uint32_t rx = get(E1000_RDH), tx = get(E1000_TDH);
  for (uint32_t i = 0; i < 16; i++) {
    *rx_desc((rx + i) % 256) =
        (struct e1000_rx_desc){.address = any_address(), .status = draw(256)};
    *tx_desc((tx + i) % 256) = (struct e1000_tx_desc){
        .address = any_address(), .length = draw(65536) >> draw(8), .command = draw(256)};
  }
}

START_TEST(nothing_that_a_driver_writes_breaks_out) {
  static struct {
    uint8_t before[4096];
    uint8_t frames[FRAMES_BYTES];
    uint8_t after[4096];
  } guarded;
  uint8_t drained[65536];
  memset(guarded.before, 0xA5, sizeof(guarded.before));
  memset(guarded.after, 0xA5, sizeof(guarded.after));
  table.device.windows[DMA_FRAMES].base = guarded.frames;
  seed = _i;
  start(256, E1000_RCTL_UPE, 0);
  for (int i = 0; i < 20000 && !table.device.wire.closed; i++) {
    switch (draw(12)) {
    case 0:
      set(any_register(), any_value());
      break;
    case 1:
      post(any_register() % E1000_BAR_BYTES & ~3u, any_value());
      break;
    case 2:
      get(any_register());
      break;
    case 3:
      if (draw(4) == 0) start(256, E1000_RCTL_UPE | draw(UINT32_MAX), 0);
      post(E1000_RDT, draw(256));
      post(E1000_TDT, draw(256));
      break;
    case 4 ... 7:
      scribble();
      break;
    default:
      if (device_wants_read(&table.device)) peer_send(table_mac, draw(3000), i);
      device_look(&table.device);
      device_wire_readable(&table.device);
      clock_to(table.now_us + draw(1000));
      while (recv(table.peer, drained, sizeof(drained), MSG_DONTWAIT) > 0)
        continue;
      break;
    }
  }
  for (size_t i = 0; i < sizeof(guarded.before); i++)
    ck_assert(guarded.before[i] == 0xA5 && guarded.after[i] == 0xA5);
}
END_TEST

TCase *hostile_case(void) {
  TCase *c = tcase_create("hostile");
  tcase_add_checked_fixture(c, table_setup, table_teardown);
  tcase_set_timeout(c, 60);
  tcase_add_loop_test(c, nothing_that_a_driver_writes_breaks_out, 1, 9);
  return c;
}
