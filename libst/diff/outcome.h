/* What an update from one executable to another would do: the plan of the update itself, in the
 * order in which people ask about it. */
#ifndef DIFF_OUTCOME_H
#define DIFF_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libst/initial.h"
#include "libst/plan.h"
#include "libst/type.h"

enum fate {
  FATE_SAME,      /* carried over as it is */
  FATE_FOLLOWED,  /* the same, but its pointers follow what they point to */
  FATE_CONVERTED, /* rewritten for another layout */
  FATE_ADDED,
  FATE_REMOVED,
  FATE_REPLACED, /* the new version's value counts: it is constant there, or annotated so */
  FATE_TRACED,   /* of no known type: stays as it is; what its words may point to must not change */
  FATE_REFUSED,
  FATES,
};

/** One word for a fate, "converted". */
const char *fate_name(enum fate fate);

/* A line of the update's report. */
struct message {
  bool violation;
  char *text;
};

/* What must hold of a value when the update runs. */
struct condition {
  char *path;   /* from the variable or block: "[].count", or "" */
  char *must;   /* "fit an unsigned integer of 8 bits" */
  bool refused; /* the update is, otherwise; else the value is dropped, which is reported */
};

struct conditions {
  size_t count;
  struct condition *items;
};

struct variable_outcome {
  const struct st_variable *old, *new; /* NULL: it has none */
  const struct program *program;       /* with both */
  enum fate fate;
  enum initial_change initial;
  struct conditions conditions;
  unsigned first_message, messages;
};

/* A member, or a member of a nameless member. */
struct field {
  char *old_name, *new_name; /* NULL: only the other version has it */
  struct type_member old, new;
  enum fate fate;
};

/* A struct or union that a variable or block has in it or leads to, in both versions. */
struct type_outcome {
  char *name;
  uint32_t old, new;
  const struct program *program;
  enum fate fate;
  size_t count;
  struct field *fields;
};

/* The blocks of one allocation site. */
struct block_outcome {
  const struct st_site *site; /* of the old version */
  uint32_t type;              /* its own, or what an annotation says; 0 = not known */
  enum fate fate;
  const struct program *program;
  bool orphan; /* the new version has no such type */
  struct conditions conditions;
};

/* What is known of the cost. Blocks add to it: how many exist depends on the run. */
struct cost {
  size_t variables, bytes;           /* that are copied */
  size_t converted, converted_bytes; /* of these */
  size_t pointers;                   /* in variables */
};

struct outcome {
  struct plan plan;
  size_t message_count, variable_count, type_count, block_count, gone_count;
  struct message *messages;
  struct variable_outcome *variables; /* of the old version in its order, then those added */
  struct type_outcome *types;
  struct block_outcome *blocks;
  const char **gone; /* functions that the new version does not have */
  struct cost cost;
  bool refused;    /* by the plan, before anything is frozen */
  bool needs_help; /* refused, or would be if a block of a certain type exists */
};

/** Makes the plan for an update to st_process from the executable `old_exe_fd`, and what follows
 * from it.
 * @return 0 or a negative errno */
int outcome_make(struct outcome *outcome, int old_exe_fd);
void outcome_free(struct outcome *outcome);

/** How many variables are of a fate. */
size_t outcome_variables(const struct outcome *outcome, enum fate fate);
/** True when blocks of the site grow, so that each may need another place. */
bool outcome_block_moves(const struct block_outcome *block);

#endif
