/* A member of an update: one component, the executable of its new version, and how far it is. */
#ifndef UPDMGR_MEMBER_H
#define UPDMGR_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bus/abi.h"

#define MEMBER_EDGES_MAX 64

/* Longest times of an update, in milliseconds. */
struct limits {
  uint32_t load_ms, converge_ms, transfer_ms; /* of each phase; 0: not said */
  uint32_t max_ms;                            /* from the request to the commit; 0: none */
};

/* When a member came how far: microseconds from the transaction's start, 0: it did not. */
struct member_times {
  uint64_t loaded, planned, prepared, converging, frozen, transferred;
};

struct member {
  TAILQ_ENTRY(member) link;
  char name[BUS_NAME_MAX]; /* the component's */
  char *path;              /* of the new version, as the user gave it; for people only */
  char *filter;            /* state filter; "" is always true */
  char *allow;             /* interface filter, for people; "" is the bus's rule */
  uint8_t *steps;          /* the same as struct bus_step, or NULL */
  size_t steps_bytes;
  uint8_t *options; /* packed UpdateOptions, for the new version; NULL: none */
  size_t options_bytes;
  uint8_t *signature; /* of exe_fd's content, as it came; NULL: none */
  size_t signature_bytes;
  struct limits limits; /* what was said with this member */
  bool self;            /* to the executable that runs already */
  int exe_fd;           /* the new version's executable; owned; -1: not known yet (self) */

  /* Filled by member_check(). */
  endpoint_t endpoint;
  char old_build_id[41], new_build_id[41];
  uint32_t ncalls; /* endpoints that it waits for by sys_sendrec() */
  endpoint_t calls[MEMBER_EDGES_MAX];

  /* Filled in the course of the transaction. */
  int new_pid;       /* 0: not loaded */
  unsigned reported; /* 1 << enum update_phase, of the phases reported as successful */
  bool converging;   /* KERN_CONVERGE was sent */
  bool orphaned;     /* its new version has lost the old one, of whose end we shall hear */
  uint64_t handled;  /* messages, when it was last looked at while converging */
  struct member_times times;
};

TAILQ_HEAD(member_list, member);

/** @param exe_fd  owned by the member from now on; -1: the executable that runs already (self)
 * @return owned by the caller, or NULL (out of memory; exe_fd is closed) */
struct member *member_new(const char *name, const char *path, const char *filter, int exe_fd);
/** A member like `m`, to which nothing has happened yet. @return owned by the caller, or NULL */
struct member *member_copy(const struct member *m);
/** Gives it an interface filter. @return false without memory */
bool member_set_allow(struct member *m, const char *text, const void *steps, size_t bytes);
void member_free(struct member *m);
void member_list_free(struct member_list *list);
struct member *member_find(struct member_list *list, const char *name);

/** Whether `m` has reported a phase as successful. */
bool member_reached(const struct member *m, enum update_phase phase);

/** Checks everything that can be known before anything starts: the component exists and runs, the
 * file is an instrumented version of it, the filter compiles against the running version. May be
 * asked again, since what runs changes.
 * @param why  receives the reason on failure
 * @return 0 or a negative errno */
int member_check(struct member *m, char *why, size_t why_cap);

/** The name of any component, for people. */
void member_name(endpoint_t ep, char name[BUS_NAME_MAX]);

/** Sorts so that callers come before those they call, which is the order of freezing. */
void member_list_order(struct member_list *list);

#endif
