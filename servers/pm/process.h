/* The process table. */
#ifndef PM_PROCESS_H
#define PM_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "libsys/if/proc.h"
#include "libsys/programs.h"

/* The parent of those who have none: the process manager itself, which is no entry of the table. */
#define PROCESS_ORPHANAGE 1

#define PROCESSES_MAX 512u /* in the table, zombies included */

#define ROOT 0u

struct spawn; /* servers/pm/spawn.h */

enum process_phase {
  PROCESS_GATHERING, /* its handles are being made; it has a place, and does not run */
  PROCESS_STARTING,  /* it runs, and has not called PROC_BEGIN */
  PROCESS_RUNNING,
  PROCESS_ENDED, /* a zombie: its parent has not asked for its status */
};

/* A PROC_WAIT that is not answered. */
struct wait {
  uint64_t token; /* 0: none */
  int32_t pid;    /* as in PROC_WAIT */
  uint32_t flags; /* enum proc_wait_flag */
};

/* What its parent has not been told of, beside its end. */
enum news { NEWS_NONE, NEWS_STOPPED, NEWS_CONTINUED };

struct limits {
  uint64_t children; /* at a time */
  uint64_t cpu_s;    /* of each */
};

#define NO_LIMIT UINT64_MAX

struct process {
  int32_t pid, parent, group;
  uint32_t user, gid;
  enum process_phase phase;
  struct kern_program program; /* endpoint 0: it has ended */
  char name[PROC_NAME_MAX + 1];
  uint64_t started_us;
  uint64_t cpu_us;     /* of one that has ended, if it is known */
  struct spawn *spawn; /* until PROC_BEGIN is answered */
  bool untold;         /* the file server does not know who it is */

  uint64_t caught, ignored; /* bit N-1: signal N */
  uint64_t pending;         /* caught, and not yet taken */
  uint64_t postponed;       /* would end it, but come when it is stopped */
  bool stopped;
  int32_t stop_signal;
  enum news news;
  int32_t end_signal; /* it is being ended by; 0: none */
  int32_t status;     /* ENDED: its wait status */

  struct wait wait;
  struct limits limits;
  uint64_t cpu_next_s; /* when SIGXCPU comes next */
  TAILQ_ENTRY(process) link;
};

TAILQ_HEAD(process_list, process);
extern struct process_list processes; /* in the order of their numbers */

/** A new entry at the end, with a number of its own and all else zero.
 * @return NULL: the table is full, or there is no memory */
struct process *process_new(void);
void process_free(struct process *p);

struct process *process_by_pid(int32_t pid);
/** The one that lives at an endpoint, or NULL. */
struct process *process_by_endpoint(endpoint_t endpoint);

/** The first one with a number beyond `pid`, or NULL: to go through all while any may be freed. */
struct process *process_after(int32_t pid);

/** Whether it has an end to come. */
bool process_is_alive(const struct process *p);
unsigned process_count_children(int32_t parent);
unsigned process_count_of_user(uint32_t user);
/** Living ones in a group. */
unsigned process_count_members(int32_t group);

#endif
