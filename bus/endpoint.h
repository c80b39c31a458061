/* Endpoints and their rendezvous: who waits for whom, and what is delivered next.
 *
 * An endpoint outlives the versions that serve it. All that is pending lies here and not in a
 * version or a socket: requests, answers, notification bits, alarms, watches. So an update only
 * changes which version the endpoint delivers to. */
#ifndef PROTEOS_ENDPOINT_H
#define PROTEOS_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bus/heartbeat.h"
#include "bus/history.h"
#include "bus/interface.h"
#include "bus/manifest.h"
#include "bus/schedule.h"
#include "bus/stop.h"
#include "bus/version.h"
#include "libst/annotate.h"
#include "libsys/msg.h"

#define ENDPOINTS_MAX (MANIFEST_COMPONENTS_MAX + 1)

enum endpoint_state {
  ENDPOINT_DOWN,       /* not started yet */
  ENDPOINT_STARTING,   /* its version runs, and has not yet been in receive */
  ENDPOINT_RUNNING,    /* also while an update is being loaded */
  ENDPOINT_CONVERGING, /* held: its callers' requests wait; replies, notifications and requests of
                          those it calls are delivered. Or what its interface filter says */
  ENDPOINT_FROZEN,     /* held: nothing is delivered */
  ENDPOINT_RECOVERING, /* its version died; another that goes on with its state is about to start */
  ENDPOINT_DEAD,       /* its version died; a restart may be due */
  ENDPOINT_STOPPING,   /* asked to end; to others it is gone already */
  ENDPOINT_STOPPED,    /* ended because somebody asked for it: it is not restarted */
};

/* A request from its sendrec or call to the delivery of its answer. */
enum request_state {
  REQUEST_FREE,
  REQUEST_QUEUED,    /* in the callee's inbox */
  REQUEST_DELIVERED, /* the callee has it and owes a reply */
  REQUEST_ANSWERED,  /* of a call: the answer waits in the caller's `answers` */
};

struct request {
  enum request_state state;
  uint8_t overtaken; /* QUEUED: so many that came later have gone before it */
  uint8_t slot;      /* in the caller's table; 0 is its sendrec */
  uint32_t turn;     /* DELIVERED: of the callee */
  bool shared;       /* DELIVERED: before the probation of its callee: both versions have it */
  endpoint_t caller, callee;
  uint32_t sequence;
  uint64_t cookie;      /* of a call */
  uint64_t deadline_us; /* 0 = none */
  uint64_t since_us;    /* when it was made; only with a deadline */
  msg_t m;              /* QUEUED: the request; ANSWERED: the answer */
  uint8_t *payload;     /* a copy, while QUEUED or ANSWERED */
  TAILQ_ENTRY(request) link;
};
ST_FIELD(struct request, cookie, not_pointer); /* the caller's */
ST_FIELD(struct request, m, opaque);

TAILQ_HEAD(request_queue, request);

/* A message of the bus itself with a payload or descriptors: to um only. */
struct mail {
  msg_t m;
  uint8_t *payload;
  int *fds;
  unsigned nfds;
  TAILQ_ENTRY(mail) link;
};
ST_FIELD(struct mail, m, opaque);

TAILQ_HEAD(mail_queue, mail);

#define KERNEL_BITS 64u

struct alarms {
  uint64_t set; /* which bits have one */
  uint64_t at_us[KERNEL_BITS];
};

enum watch_state {
  WATCH_NONE,
  WATCH_ARMED,
  WATCH_FIRED,     /* its bit is pending */
  WATCH_DELIVERED, /* armed again by the next receive */
};

struct watch {
  enum watch_state state;
  int number; /* the component's descriptor */
  int fd;     /* busd's own duplicate */
  unsigned events;
};

struct watches {
  uint64_t delivered; /* bits whose watch is WATCH_DELIVERED */
  struct watch by_bit[KERNEL_BITS];
};

/* What a version was given since it was last in its event loop: should it die, that was being
 * handled. */
struct turn {
  uint32_t number;
  uint64_t exited, restarted;   /* peers that it was told about */
  uint64_t notified;            /* sources */
  uint64_t bits[ENDPOINTS_MAX]; /* theirs */
  msg_t answer;                 /* of a call; type 0: none */
};
ST_FIELD(struct turn, answer, opaque);

struct edge {
  uint32_t rights; /* enum bus_right; of this endpoint towards the other */
  uint32_t deadline_ms;
};

/* What a version leaves for one that goes on with its state. */
struct remains {
  int state; /* its state stream; -1: none */
  int exe;
};

struct probation; /* bus/probation.c */

struct endpoint {
  endpoint_t id;
  const struct manifest_component *component;
  enum endpoint_state state;
  struct version *live; /* NULL while down or dead */
  struct version *next; /* a new version before commit */
  uint32_t incarnation;

  struct request *requests; /* slot 0: its sendrec; the others: its calls */
  unsigned nrequests;       /* the last one is spare: for an answer that is lost */
  unsigned calls_in_flight;
  uint32_t sequence;
  struct request_queue inbox;   /* requests that wait for it */
  struct request_queue answers; /* of its calls */
  struct mail_queue mail;
  bool message_turn; /* notifications and messages take turns */

  uint64_t notified;            /* sources whose bits are pending */
  uint64_t bits[ENDPOINTS_MAX]; /* by source */
  uint64_t exited, restarted;   /* peers to be told about ... */
  unsigned answers_first;       /* ... after so many answers, which are of their former lives */
  struct turn turn;
  struct alarms alarms;
  struct watches watches;
  struct edge edges[ENDPOINTS_MAX]; /* by destination */

  uint64_t held_since_us;
  struct interface allow; /* while it converges; its count is 0 otherwise */
  uint64_t messages;      /* handled: requests, replies and notifications delivered */
  uint32_t updates, restarts;
  uint32_t hung;              /* times that it was killed for its heartbeat */
  uint32_t recovered;         /* restarts that took the state along */
  uint64_t up_since_us;       /* last start or restart; updates do not count */
  unsigned failures;          /* exits in quick succession */
  uint64_t restart_at_us;     /* 0 = none due */
  struct remains remains;     /* RECOVERING: of the version that died */
  uint64_t start_deadline_us; /* 0 = none */
  uint64_t stop_deadline_us;  /* 0 = none */
  uint32_t start_sequence;    /* its `sequence` when that was set */
  struct heartbeat heartbeat;
  struct probation *probation; /* NULL: its version is on none */
  struct schedule schedule;
  struct stop stop;
  struct history history;
  int log_pipe[2];
};

/** @param component  its manifest entry, which must outlive it */
int endpoint_init(struct endpoint *e, endpoint_t id, const struct manifest_component *component);
void endpoint_deinit(struct endpoint *e);
/** Gives it room for as many calls as its manifest entry says; it must have none.
 * @return 0 or -ENOMEM */
int endpoint_fit(struct endpoint *e);

const char *endpoint_state_name(enum endpoint_state s);

/* ---- what a live version does ---- */

/** sendrec. The version waits until it gets an answer, which may be an error at once.
 * @param payload  m->payload bytes */
void endpoint_sendrec(struct endpoint *e, endpoint_t dst, const msg_t *m, const void *payload);
/** call. Errors come as an answer. */
void endpoint_call(struct endpoint *e, endpoint_t dst, const msg_t *m, const void *payload,
                   uint64_t cookie);
/** reply. @return 0, or -ESTALE: that request is not pending here */
int endpoint_reply(struct endpoint *e, uint64_t token, const msg_t *m, const void *payload);
/** notify. @return 0 or -EPERM */
int endpoint_notify(struct endpoint *e, endpoint_t dst, uint64_t bits);
/** receive: the version is RECEIVING and gets what is pending, or waits.
 * @param in_loop  in its event loop: it has handled what it was given before */
void endpoint_receive(struct endpoint *e, bool in_loop);
/** Its live version is up: it receives, or says so. */
void endpoint_ready(struct endpoint *e);

/* ---- what happens to it ---- */

/** Delivers the next thing, if its live version is in receive and its state lets it. */
void endpoint_pump(struct endpoint *e);
/** The same, at once, where there are priorities (bus/order.h). */
void endpoint_deliver(struct endpoint *e);
/** Tells it that a peer has died, or was started afresh. */
void endpoint_tell(struct endpoint *e, endpoint_t peer, bool restarted);
/** Sets bits of SYS_KERNEL: alarms and watches. */
void endpoint_notify_kernel(struct endpoint *e, uint64_t bits);
/** Queues a message of the bus. @param fds  taken over */
void endpoint_mail(struct endpoint *e, const msg_t *m, const void *payload, const int *fds,
                   unsigned nfds);
/** Fails requests that wait for it (made by others) with a negative error. */
void endpoint_fail_requests(struct endpoint *e, int error);
/** Forgets what it asked and was to be told: its version is gone and takes no state along. */
void endpoint_forget(struct endpoint *e);
/** Its version is gone, but another will go on with its state: what that version was doing fails,
 * what it was told is told again, and all else stays. Its watches end. */
void endpoint_interrupt(struct endpoint *e);
/** Stops (or lets go on) the clocks of requests that wait for it. */
void endpoint_hold(struct endpoint *e, enum endpoint_state held);
void endpoint_release(struct endpoint *e);
/** Fails requests whose deadline has passed. @return the earliest deadline left, or UINT64_MAX */
uint64_t endpoint_expire(struct endpoint *e, uint64_t now_us);
/** Moves the deadline of its request by as long as the clocks stood still (bus/debug.h). */
void endpoint_delay(struct endpoint *e, uint64_t stopped_us, uint64_t now_us);
/** Whether either of the two may talk to the other. */
bool endpoint_peers(const struct endpoint *a, const struct endpoint *b);

#endif
