/* Between busd and the loader: one SOCK_SEQPACKET socketpair, one `struct loader_msg` a packet,
 * followed by strings where the type says so; descriptors travel beside it as SCM_RIGHTS.
 *
 * Every process has an id that busd chose; process ids are for people and for the record. */
#ifndef PROTEOS_LOADER_PROTO_H
#define PROTEOS_LOADER_PROTO_H

#include <stdint.h>

#include "libsys/msg.h"

/* Descriptors that busd is started with. */
#define LOADER_CHANNEL_FD   3
#define LOADER_BOOT_FD      4 /* where the result of the boot is written, once; not in an update */
#define LOADER_EXE_FD       5 /* its own executable, read-only */
#define LOADER_STATE_FD     6 /* updates only: the state channel from the old busd */
#define LOADER_OLD_EXE_FD   7 /* updates only: the old busd's executable, read-only */
#define LOADER_OPTIONS_FD   8 /* updates only: a file with the update's packed options */
#define LOADER_FAULT_FD     9 /* only after prctl boot --faults: the page of faults */
#define LOADER_FDS_MAX      24
#define LOADER_STRINGS_MAX  16384u
#define LOADER_ARGS_MAX     1024u
#define LOADER_MEMBERS_MAX  64
#define LOADER_RESEND_MS    50          /* ACTIVATE is repeated this often until acknowledged */
#define LOADER_COMPONENT_NO 0u          /* id of busd itself */
#define LOADER_NEXT_IDS     0x40000000u /* new versions of busd have ids from here on ... */
#define LOADER_HELPER_IDS   0x80000000u /* ... and helpers from here on */

enum loader_type {
  /* busd to loader */
  LOADER_SPAWN = 1, /* `spawn`; strings: nargs of argv; fds: executable, log, then fds[] */
  LOADER_KILL,      /* `kill`; a process that is gone is ignored */
  LOADER_PLACE,     /* `place` */
  LOADER_COMMIT,    /* `commit`: if all new processes live, this decides */
  LOADER_ACTIVATED, /* `commit.txid`: all endpoints are rebound */
  LOADER_SHUTDOWN,  /* kill what is left, clean up, exit with `exit.status` */
  /* loader to busd */
  LOADER_SPAWNED,  /* `spawned`: it was forked, or could not be */
  LOADER_EXITED,   /* `exited`; strings: why it did not get to run its executable, if so */
  LOADER_ACTIVATE, /* `commit`: committed; rebind, and answer ACTIVATED. May come repeatedly */
  LOADER_REFUSED,  /* `commit`: not committed: deadline passed or a member is dead */
  LOADER_TERM,     /* the instance was told to end (SIGTERM) */
  /* The update of busd itself. Its new version is spawned with a channel of its own to the loader,
   * which makes it. Once the loader holds, what it has to say waits for the busd that goes on. */
  LOADER_REPORT, /* new busd, passed on to the old one: `report`; strings: text */
  LOADER_HOLD,   /* busd: `commit`; say nothing more, and take LOADER_COMMIT of the new busd `id` */
  LOADER_HELD,   /* to busd: nothing more comes, until THAW; export the state now */
  LOADER_THAW,   /* to busd: the update is off, go on; what was held comes next, then REFUSED */
};

enum loader_spawn_flags {
  LOADER_CONFINE = 1,          /* resource limits, coarse filter, Landlock where there is any */
  LOADER_REQUIRE_LANDLOCK = 2, /* fail where there is none */
  LOADER_BACKGROUND = 4,       /* it gives way to others until LOADER_PLACE says otherwise */
  LOADER_APART = 8,            /* in a session of its own */
};

struct loader_member {
  endpoint_t endpoint;
  int32_t old_pid, new_pid;
};

struct loader_msg {
  uint32_t type; /* enum loader_type */
  uint32_t id;   /* of the process that it is about */
  union {
    struct {
      uint32_t flags; /* enum loader_spawn_flags */
      uint32_t nargs;
      uint64_t cpus;               /* affinity, one bit a CPU; 0 = as the loader's own */
      uint32_t nfds;               /* descriptors after the first two */
      int32_t fds[LOADER_FDS_MAX]; /* the numbers they get */
    } spawn;
    struct {
      int32_t signal;
    } kill;
    struct {
      uint64_t cpus;
      uint32_t background; /* 1: it gives way to others */
    } place;
    struct {
      uint64_t txid;
      uint64_t deadline_us; /* CLOCK_MONOTONIC; not committed after it */
      uint32_t nmembers;
      int32_t status; /* REFUSED: why, a negative errno */
      struct loader_member members[LOADER_MEMBERS_MAX];
    } commit;
    struct {
      uint32_t phase; /* enum update_phase */
      int32_t status; /* 0 or a negative errno */
    } report;
    struct {
      int32_t status;
    } exit;
    struct {
      int32_t pid;
      int32_t error; /* 0 or a negative errno */
    } spawned;
    struct {
      int32_t pid;
      int32_t wait_status;
      uint64_t cpu_us; /* that it has used in its life */
    } exited;
  };
};

#endif
