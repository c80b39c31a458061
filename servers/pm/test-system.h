/* What pm has around it, played by a test: the bus with its places, servers, and processes. */
#ifndef PM_TEST_SYSTEM_H
#define PM_TEST_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "libsys/programs.h"

enum { INIT = 5, STORAGE = 10, TTY = 11, PIPE = 12, FIRST_PLACE = 20 };

#define CALLS_MAX   64
#define REPLIES_MAX 64

/* ---- what pm has done ---- */

extern uint64_t now_us, alarm_us;
extern unsigned calls_max; /* in flight */
extern bool storage_is_there;

extern struct call {
  endpoint_t dst;
  msg_t m;
  uint64_t cookie;
} calls[CALLS_MAX]; /* those from `nanswered` on wait */
extern unsigned ncalls, nanswered;

extern struct reply {
  uint64_t token;
  msg_t m;
  char payload[4096];
} replies[REPLIES_MAX];
extern unsigned nreplies;

extern struct notified {
  endpoint_t dst;
  uint64_t bits;
} last_notified;

extern struct place {
  bool taken, started, ended; /* ended: nobody has been told */
  bool answered;              /* by whichever version */
  int wait_status;
  uint32_t incarnation;
  int signal; /* the last one */
  uint64_t cpu_us;
  int start_error;
} places[KERN_PLACES_MAX];
extern unsigned nplaces;

/* ---- what others do ---- */

/** Starts pm. A fixture: each test has a pm of its own. */
void test_system_start(void);

extern uint64_t last_token; /* of the last request */
void request(endpoint_t source, msg_t m);
/** @return NULL: it is not answered */
const msg_t *answer_to(uint64_t token);
/** The status of the answer to the last request; fails the test when there is none. */
int status(void);

/** PROC_SPAWN. @param nfds  handles of that server @return the request's token */
uint64_t ask_spawn(endpoint_t by, unsigned nfds, endpoint_t server);
/** A server answers the oldest call that waits. */
void server_answers(int error);
/** PROC_BEGIN. */
void begin(endpoint_t endpoint);
/** All of that, up to a process at a place. @return its number */
int32_t start(endpoint_t by, endpoint_t at);
/** The program of a place ends. */
void ends(endpoint_t endpoint, int wait_status);

#endif
