/* Scheduling policy: who runs when several want to compute, by the scheduler (component `sched`).
 *
 * Components that wait for messages, and compute little for each, run whenever they have something
 * to do. One that computes for long takes turns with others that do so on the same CPUs: the
 * scheduler stops those whose turn it is not. How turns are given is the policy, which a live
 * update can replace; every policy gives each component a turn within bounded time.
 *
 * A setting is of one life of a component; the scheduler's own arguments (NAME=...) hold for all.
 *
 * Errors in a reply's status: -ESRCH (no such component runs), -EINVAL, -EPERM: a component may
 * only make itself less important, except those that the scheduler's arguments name as admin. */
#ifndef PROTEOS_IF_SCHED_H
#define PROTEOS_IF_SCHED_H

#include "libsys/interface.h"

enum sched_class {
  SCHED_CLASS_NORMAL, /* as it behaves */
  SCHED_CLASS_BATCH,  /* as if it always computed for long */
  SCHED_CLASS_URGENT, /* never stopped, and served first */
  SCHED_CLASSES,
};

#define SCHED_NICE_MAX 3u

enum sched_flag {
  SCHED_BUSY = 1,      /* it computes, or would if it were its turn */
  SCHED_PREEMPTED = 2, /* it is stopped now */
  SCHED_LONG = 4,      /* it computes for long, and takes turns */
};

/** One entry of SCHED_LIST's payload. Components with kernel rights are not in it: they are never
 * stopped. */
struct sched_entry {
  int32_t endpoint;
  uint32_t incarnation;
  uint64_t cpu_us; /* that it has used */
  uint64_t cpus;   /* where it runs, one bit a CPU */
  uint32_t class;  /* enum sched_class */
  uint32_t nice;
  uint32_t flags;     /* enum sched_flag, or-ed */
  uint32_t rank;      /* the policy's own figure: the later its turn, the larger */
  uint32_t preempted; /* times that it was stopped */
  uint32_t turns;     /* times that it used up what it was given */
  char name[32];
};

/* SCHED_SET: nice from 0, the default, to SCHED_NICE_MAX, the least important.
 * SCHED_PLACE: by an admin: the CPUs for a component, 0: those that the manifest gives it.
 * Components that talk to each other should share one: a message to another CPU costs several times
 * as much. SCHED_LIST: policy is its number: 1 feedback, 2 fair share; payload: struct sched_entry.
 */
#define SCHED_SET_FIELDS(F)   F(i32, endpoint) F(u32, class) F(u32, nice)
#define SCHED_PLACE_FIELDS(F) F(u64, cpus) F(i32, endpoint)
#define SCHED_LIST_FIELDS(F)
#define SCHED_LIST_REPLY(F) F(u64, ticks) F(u32, policy)
#define SCHED_MESSAGES(M)                                                                          \
  M(SCHED_SET, 0xc80, sched_set, SCHED_SET_FIELDS, IPC_NO_FIELDS)                                  \
  M(SCHED_PLACE, 0xc81, sched_place, SCHED_PLACE_FIELDS, IPC_NO_FIELDS)                            \
  M(SCHED_LIST, 0xc82, sched_list, SCHED_LIST_FIELDS, SCHED_LIST_REPLY)
IPC_INTERFACE(sched, SCHED_MESSAGES)

#endif
