/* Between busd and the loader: one SOCK_SEQPACKET socketpair, one `struct loader_msg` a packet,
 * followed by strings where the type says so; descriptors travel beside it as SCM_RIGHTS.
 *
 * Every process has an id that busd chose; process ids are for people and for the record. */
#ifndef PROTEOS_LOADER_PROTO_H
#define PROTEOS_LOADER_PROTO_H

#include <stdint.h>

#include "libsys/msg.h"

#define LOADER_CHANNEL_FD   3 /* in busd */
#define LOADER_BOOT_FD      4 /* in busd: where the result of the boot is written, once */
#define LOADER_FDS_MAX      24
#define LOADER_STRINGS_MAX  16384u
#define LOADER_MEMBERS_MAX  64
#define LOADER_RESEND_MS    50 /* ACTIVATE is repeated this often until acknowledged */
#define LOADER_COMPONENT_NO 0u /* id of busd itself */

enum loader_type {
  /* busd to loader */
  LOADER_SPAWN = 1, /* `spawn`; strings: nargs of argv; fds: executable, log, then fds[] */
  LOADER_KILL,      /* `kill`; a process that is gone is ignored */
  LOADER_AFFINITY,  /* `affinity` */
  LOADER_COMMIT,    /* `commit`: if all new processes live, this decides */
  LOADER_ACTIVATED, /* `commit.txid`: all endpoints are rebound */
  LOADER_SHUTDOWN,  /* kill what is left, clean up, exit with `exit.status` */
  /* loader to busd */
  LOADER_SPAWNED,  /* `spawned`: it was forked, or could not be */
  LOADER_EXITED,   /* `exited`; strings: why it did not get to run its executable, if so */
  LOADER_ACTIVATE, /* `commit`: committed; rebind, and answer ACTIVATED. May come repeatedly */
  LOADER_REFUSED,  /* `commit`: not committed: deadline passed or a member is dead */
  LOADER_TERM,     /* the instance was told to end (SIGTERM) */
};

enum loader_spawn_flags {
  LOADER_CONFINE = 1,          /* resource limits, coarse filter, Landlock where there is any */
  LOADER_REQUIRE_LANDLOCK = 2, /* fail where there is none */
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
    } affinity;
    struct {
      uint64_t txid;
      uint64_t deadline_us; /* CLOCK_MONOTONIC; not committed after it */
      uint32_t nmembers;
      struct loader_member members[LOADER_MEMBERS_MAX];
    } commit;
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
    } exited;
  };
};

#endif
