/* Kernel calls by which one component, that of the manifest's `programs: by:`, starts programs
 * while the instance runs, and ends them. It needs `kernel: [processes]`. Arguments by position in
 * the body; "->" is the reply.
 *
 * A program is in a place: a component of the manifest's making, with an endpoint and a log of its
 * own. A place is taken with KERN_SPAWN, and its endpoint is known to others from then on: what the
 * program is to find when it begins is put there by servers before KERN_START. When it has ended
 * its peers are told SYS_EXITED, the spawner gets PROGRAM_ENDED as well, and the place is kept
 * until KERN_REAP. Each program of a place has an incarnation of its own; with another one the
 * calls are answered -ESRCH. */
#ifndef PROTEOS_BUS_ABI_PROGRAMS_H
#define PROTEOS_BUS_ABI_PROGRAMS_H

#include <stdint.h>

#include "libsys/msg.h"

enum program_call {
  KERN_SPAWN = 0x60,  /* payload: file, arguments, each NUL-terminated; the file is a name below the
                         manifest's root/bin or a path below its root -> i32[0] endpoint, u32[1]
                         incarnation. -ENOENT, -EACCES (not executable, or not signed), -ENOEXEC,
                         -EPERM (it needs what `programs:` does not give), -E2BIG, -EINVAL, -EAGAIN
                         (no place is free) */
  KERN_START = 0x61,  /* i32[0] endpoint, u32[1] incarnation -> i32[0] process id of the host.
                         Failed, the place is free again */
  KERN_SIGNAL = 0x62, /* i32[0] endpoint, u32[1] incarnation, i32[2] SIGKILL, SIGSTOP or SIGCONT */
  KERN_REAP = 0x63,   /* i32[0] endpoint, u32[1] incarnation: the place is free again. -EBUSY: its
                         program runs. Of one that was not started the peers are told SYS_EXITED */
  KERN_USAGE = 0x64,  /* i32[0] endpoint, u32[1] incarnation -> u64[0] CPU time in us */
  KERN_PLACES = 0x65, /* -> payload: struct kern_place of each place that is not free */
};

/* Messages to the spawner, without a token. */
enum program_message {
  PROGRAM_ENDED = 0x70, /* i32[0] endpoint, u32[1] incarnation, i32[2] wait status, u32[3] answered
                           (as in struct kern_place), u64[2] CPU time in us; payload: why its
                           executable could not be run, if so */
  PROGRAM_LOOK_AGAIN = 0x72, /* the spawner may not know what became of programs, as its state is
                                older than what others of its versions did: it was recovered, or
                                taken back within a probation. KERN_PLACES tells */
};

enum kern_place_state { KERN_PLACE_TAKEN, KERN_PLACE_STARTED, KERN_PLACE_ENDED };

struct kern_place {
  endpoint_t endpoint;
  uint32_t incarnation;
  uint32_t state;      /* enum kern_place_state */
  int32_t pid;         /* STARTED: the process id of the host */
  int32_t wait_status; /* ENDED */
  uint32_t answered;   /* 1: a version of the spawner has answered it, without an error: it is up */
};

#define KERN_PLACES_MAX 63u

/* Bytes of KERN_SPAWN's payload: what fits into the loader's packet. */
#define KERN_SPAWN_MAX 16384u

#endif
