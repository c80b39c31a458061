/* A version: one process that serves an endpoint, or is to serve it, or did. */
#ifndef PROTEOS_VERSION_H
#define PROTEOS_VERSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bus/abi.h"
#include "libsys/sys.h"

struct endpoint;

/* What a version waits for. It gets a packet from busd only in a state that waits, and exactly one:
 * that is why nothing ever lies in the socket of a frozen component. */
enum version_state {
  VERSION_SPAWNING,  /* asked of the loader; no process yet */
  VERSION_BUSY,      /* runs, and waits for nothing of ours */
  VERSION_RECEIVING, /* in receive */
  VERSION_CALLING,   /* in sendrec: its endpoint's request slot 0 is pending */
  VERSION_IN_KERNEL, /* in a kernel call that takes time (load) */
  VERSION_ENDING,    /* told to die, or dead; its exit is awaited */
};

/* What is to be said to it, the lowest bit first, at its next receive. That it is live comes
 * first: the next update may begin before a new version is back in receive. */
enum version_control {
  CONTROL_LIVE = 1,
  CONTROL_THAW = 2,
  CONTROL_PREPARE = 4,
  CONTROL_CONVERGE = 8,
  CONTROL_SHUTDOWN = 16,
  CONTROL_PASSED = 32,
  CONTROL_PING = 64,
};

struct version {
  uint32_t id; /* the loader's name for the process */
  struct endpoint *endpoint;
  enum version_state state;
  enum sys_start start;
  int32_t pid;
  int channel; /* busd's end, -1 when closed */
  int exe;     /* its executable, read-only */
  char build_id[41];
  char *path;        /* of the executable, for people */
  unsigned controls; /* enum version_control, or-ed */
  bool plain;        /* a program that may block anywhere, and never receives */
  bool prepared;     /* an old version that PREPARE was given to */
  bool transferred;  /* a new version that has reported success */
  int state_channel; /* the old version's end, until PREPARE has carried it; else -1 */
  int kept;          /* its state stream, sent in advance (KERN_KEEP); else -1 */
  char *filter;      /* state filter that goes with PREPARE */
  uint8_t *options;  /* of the update that it is started for; they go with HELLO */
  uint32_t options_bytes;
  uint64_t started_us;
  uint32_t exchanges;  /* packets from it and to it: they stand still while it hangs */
  bool exited;         /* its exit is known, and handled once a commit is decided */
  int32_t wait_status; /* if so */
  uint64_t cpu_us;     /* of its process, once that has ended */
  LIST_ENTRY(version) link;
};

LIST_HEAD(version_list, version);
extern struct version_list versions;

/** Makes a version that has no process yet. @param exe  taken over */
struct version *version_new(struct endpoint *e, enum sys_start start, int exe);
/** Frees it, when its process is gone. */
void version_free(struct version *v);
struct version *version_by_id(uint32_t id);

/** Ends the process, whatever it does, for a reason that is logged; its exit comes later. */
void version_kill(struct version *v, const char *reason);

/** Asks it to end by itself: it runs its shutdown handler. A plain program, which would not hear,
 * is killed. */
void version_end(struct version *v);

/** Asks for a control message; it is delivered at once when the version is in receive. */
void version_control(struct version *v, enum version_control c);

/** Sends the one packet that the version waits for; it is BUSY afterwards. A version whose socket
 * refuses it is killed. @param fd  goes along, stays the caller's; -1: none */
void version_deliver(struct version *v, enum bus_delivery_kind kind, int error, const msg_t *m,
                     const void *payload, const int *fds, unsigned nfds);

/** Delivers the first pending control message to a version in receive. @return whether it did */
bool version_deliver_control(struct version *v);

/** Whether a debugger holds the process. */
bool version_is_traced(const struct version *v);

/** Is the version that its endpoint's messages come from and go to. */
bool version_is_live(const struct version *v);

#endif
