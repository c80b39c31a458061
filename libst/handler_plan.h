/* Handlers in a plan: which run, and what they declare to read. */
#ifndef LIBST_HANDLER_PLAN_H
#define LIBST_HANDLER_PLAN_H

#include <stdbool.h>

#include "libst/transfer.h"

/* A member that may be read, of an old type; of type 0 a variable. */
struct declared {
  uint32_t type;
  char name[64];
};

struct handler {
  struct handler *next;
  const struct st_annotation *by;
  const char *name;
  uint64_t function;                /* link-time address */
  const struct st_variable *target; /* of the new version; NULL: a type's */
  uint32_t old_type, new_type;      /* of a type's */
  struct declared *declared;
  unsigned declared_count;
};

/** Finds the handlers that will run. @return 0 or a negative errno; refusals are in the report */
int handlers_plan(struct plan *plan, struct st_report *report);
/** Does a handler declare to read this variable of the old version? */
bool handler_reads(const struct plan *plan, const struct st_variable *old);
/** Does one make this variable of the new version? */
bool handler_makes(const struct plan *plan, const struct st_variable *new);
/** Does a type's handler declare this member of its type? */
bool handler_declares(const struct handler *handler, uint32_t type, const char *name);

/** Starts handing the handlers' allocations to the state heap. */
int handlers_begin(struct transfer *t);
/** Runs a type's handler for one object. */
void handler_run(struct transfer *t, const struct handler *handler, const void *old, void *new,
                 const struct place *place);
/** Runs the handlers of variables. */
void handlers_run_variables(struct transfer *t);
/** Frees what handlers freed; the transfer is over. */
void handlers_end(void);

#endif
