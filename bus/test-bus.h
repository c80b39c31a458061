/* A bus that runs in the test itself, with four components that the test plays packet by packet,
 * over real socketpairs: client calls server, other calls both, a stranger calls nobody. */
#ifndef PROTEOS_BUS_TEST_BUS_H
#define PROTEOS_BUS_TEST_BUS_H

#include "bus/bus.h"

enum { SERVER = 1, CLIENT = 2, OTHER = 3, STRANGER = 4 };
#define ASK 0x900u

/** A fixture: every test has a bus of its own. */
void test_bus_setup(void);
void test_bus_teardown(void);

/** What the manifest says of them, by endpoint less one. */
extern struct manifest_component test_components[];

/** Their ends of their channels, by endpoint. */
extern int component_end[];

/** What the bus has sent last to a component that got() or one of the expectations looked at. */
extern struct test_delivery {
  struct bus_delivery d;
  char payload[SYS_PAYLOAD_MAX];
} in;

/* ---- what a component does ---- */

/** A packet of `n` operations; `payload` are the payloads of all, one after the other. */
void send_ops(endpoint_t id, const struct bus_op *ops, uint32_t n, const void *payload);

void receive(endpoint_t id);
void sendrec(endpoint_t id, endpoint_t dst, uint32_t value);
void call(endpoint_t id, endpoint_t dst, uint64_t cookie);
void notify(endpoint_t id, endpoint_t dst, uint64_t bits);
/** @param flags  BUS_ACK: the bus answers, too */
void reply(endpoint_t id, uint64_t token, uint32_t value, uint16_t flags);

/** A version, which is busy, over a new channel; component_end[id] becomes its other end, and the
 * former one is the caller's. */
struct version *serve(endpoint_t id);

/* ---- what it gets ---- */

/** @return whether there was a packet for it, now in `in` */
bool got(endpoint_t id);

/** Each fails the test when the next packet is none such. */
void expect_message(endpoint_t id, endpoint_t source, uint32_t type);
void expect_answer(endpoint_t id, int error);

/** Fails the test unless the bus has ended the component's version. */
void expect_killed(endpoint_t id);

#endif
