/* What net has around it in its tests: a libsys that records what net does, and calls of its
 * requests. Connections go from net to its own address. */
#ifndef NET_TEST_SYSTEM_H
#define NET_TEST_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "libsys/if/nic.h"
#include "libsys/sys.h"

enum { DRIVER = 2, PM = DRIVER, SERVER = 5, CLIENT = 6, CHILD = 7 };
#define PORT 80

/** Bits that it has notified, by endpoint. */
extern uint64_t notified[16];
/** The region of its network interface. */
extern _Alignas(64) char frames[NIC_FRAMES_BYTES];
/** Grant 1 is of CLIENT's for reading and writing, 2 for reading, 3 of SERVER's; all are this. */
extern uint8_t lent[4096];
/** The grant that is revoked; 0: none. */
extern uint32_t revoked;
/** The answer that was taken last. */
extern msg_t reply;
extern char payload[SYS_PAYLOAD_MAX];
/** Of setup() and connect_both(). */
extern uint32_t listener, server, client;

/** Takes the answer to a request. @return false when there is none yet */
bool take_answer(uint64_t token);
/** Sends a request. @return its token */
uint64_t start(endpoint_t from, msg_t m, const void *data, uint32_t bytes);
/** Sends one that is answered at once. @return its status */
int ask(endpoint_t from, msg_t m, const void *data, uint32_t bytes);
uint32_t make_socket(endpoint_t who);
int bind_to(endpoint_t who, uint32_t s, uint16_t port);
int listen_on(endpoint_t who, uint32_t s, uint32_t backlog);
/** A request that begins with a handle. */
msg_t on_handle(uint32_t type, uint32_t s, uint32_t second, uint32_t third);
/** SOCK_CONNECT to net's own address. */
msg_t to_port(uint32_t s, uint32_t flags, uint16_t port);
/** Lets lwIP's timers run for a while. */
void pass(unsigned ms);
/** The server listens at PORT. */
void setup(void);
/** The client is connected to it. */
void connect_both(void);
/** SOCK_RECV. @return its status */
int receive(endpoint_t who, uint32_t s);

#endif
