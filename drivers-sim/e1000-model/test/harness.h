/* The device on a table: memory, a stream wire, a clock that the test moves, and what it raised. */
#ifndef PROTEOS_E1000_HARNESS_H
#define PROTEOS_E1000_HARNESS_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "../device.h"

enum { RINGS_BYTES = 65536, FRAMES_BYTES = 1 << 20, RX_AT = 0, TX_AT = 32768 };

struct table {
  struct device device;
  uint32_t bar[E1000_BAR_BYTES / 4];
  uint8_t rings[RINGS_BYTES];
  uint8_t frames[FRAMES_BYTES];
  int peer; /* the other end of the wire; -1: closed */
  unsigned interrupts, complaints;
  uint64_t now_us, timer_us;
};

extern struct table table;
extern const uint8_t table_mac[6];

/** Check fixtures: power on, with a wire. */
void table_setup(void);
void table_teardown(void);

/** Register accesses as messages, and posted writes. */
uint32_t get(uint32_t reg);
void set(uint32_t reg, uint32_t value);
void post(uint32_t reg, uint32_t value);

/** Sets the clock, and runs the timer if its time has come. */
void clock_to(uint64_t now_us);

/** Link up, both rings formed with `n` descriptors, units enabled with these extra bits. */
void start(uint32_t n, uint32_t rctl, uint32_t tctl);
struct e1000_rx_desc *rx_desc(uint32_t i);
struct e1000_tx_desc *tx_desc(uint32_t i);
/** Gives receive descriptor `i` the buffer of `bytes` at frames + i * 2048. */
void give_rx(uint32_t i);
uint8_t *rx_buffer(uint32_t i);
/** Fills transmit descriptor `i` with `bytes` bytes of value `fill`, kept at frames + 512 K. */
void put_tx(uint32_t i, uint32_t bytes, uint8_t fill, uint8_t command);

/** A frame to `to` whose payload is `fill`, as the peer sends it, with its length before it. */
void peer_send(const uint8_t *to, uint32_t bytes, uint8_t fill);
/** Reads one frame that the device sent. @return its length; 0 when there is none */
uint32_t peer_receive(uint8_t *frame, uint32_t most);
/** Lets the device do what its wire's readiness allows. */
void turn(void);

TCase *registers_case(void);
TCase *interrupt_case(void);
TCase *receive_case(void);
TCase *transmit_case(void);
TCase *hostile_case(void);

#endif
