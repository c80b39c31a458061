/* A member of an update: one component, the executable of its new version, and how far it is. */
#ifndef UPDMGR_MEMBER_H
#define UPDMGR_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bus/abi.h"

#define MEMBER_EDGES_MAX 64

struct member {
  TAILQ_ENTRY(member) link;
  char name[BUS_NAME_MAX]; /* the component's */
  char *path;              /* of the new version, as the user gave it; for people only */
  char *filter;            /* state filter; "" is always true */
  uint8_t *options;        /* packed UpdateOptions, for the new version; NULL: none */
  size_t options_bytes;
  uint32_t converge_ms; /* longest time to reach quiescence; 0: the manifest's */
  int exe_fd;           /* the new version's executable; owned; -1 once passed on */

  /* From here on filled when the transaction begins. */
  endpoint_t endpoint;
  int new_pid;       /* 0: not loaded */
  unsigned reported; /* 1 << enum update_phase, of the phases reported as successful */
  bool converging;   /* KERN_CONVERGE was sent */
  uint32_t ncalls;   /* endpoints that it waits for by sys_sendrec() */
  endpoint_t calls[MEMBER_EDGES_MAX];
};

TAILQ_HEAD(member_list, member);

/** @param exe_fd  owned by the member from now on
 * @return owned by the caller, or NULL (out of memory; exe_fd is closed) */
struct member *member_new(const char *name, const char *path, const char *filter, int exe_fd);
void member_free(struct member *m);
void member_list_free(struct member_list *list);
struct member *member_find(struct member_list *list, const char *name);

/** Whether `m` has reported a phase as successful. */
bool member_reached(const struct member *m, enum update_phase phase);

/** Checks everything that can be known before anything starts: the component exists and runs, the
 * file is an instrumented version of it, the filter compiles against the running version. Fills
 * endpoint and calls.
 * @param why  receives the reason on failure
 * @return 0 or a negative errno */
int member_check(struct member *m, char *why, size_t why_cap);

/** Sorts so that callers come before those they call, which is the order of freezing. */
void member_list_order(struct member_list *list);

#endif
