/* The plan: which variable, function and type of the old version is which of the new one. */
#ifndef LIBST_PLAN_H
#define LIBST_PLAN_H

#include "libst/counterpart.h"
#include "libst/elf_file.h"
#include "libst/meta.h"
#include "libst/program.h"

struct st_report;

struct variable_pair {
  const struct st_variable *new; /* NULL: removed */
  const struct program *program; /* NULL when there is none */
  unsigned first_line, lines;    /* of the report, about this variable */
};

/* What becomes of heap blocks of a type. */
struct block_plan {
  bool typed;  /* else traced conservatively */
  bool skip;   /* nothing in them can change */
  bool orphan; /* the new version lacks the type: they stay as they are, pointers are followed */
  const struct program *program; /* when typed */
};

struct plan {
  struct st_meta *old;       /* annotated: libst/plan_annotate.h */
  const struct st_meta *new; /* this process's, or `own` */
  struct st_meta *own;       /* an annotated copy of this process's; NULL without annotations */
  struct elf_file old_exe;
  struct programs *programs;
  struct variable_pair *variables; /* by index of the old variable */
  struct file_pairs files;
  struct pairing variable_names, function_names; /* libst/plan_pair.h */
  struct handler *handlers;                      /* libst/handler_plan.h */
  uint32_t *former;                              /* the same: their strings before renaming, or 0 */
};

/** Pairs the metadata of `old_exe_fd` with this process's.
 * @return 0, or a negative errno; refusals are in the report. */
int plan_make(struct plan *plan, int old_exe_fd, struct st_report *report);
void plan_free(struct plan *plan);
/** What becomes of blocks of an old type; 0 is untyped.
 * @param new_type  what they become; 0: the type's counterpart */
struct block_plan plan_block(const struct plan *plan, uint32_t old_type, uint32_t new_type);
/** What becomes of the blocks of an old allocation site. @param old_type  its, as annotated */
struct block_plan plan_site(struct plan *plan, uint32_t index, uint32_t old_type);
/** The function of the new version that an old one became, or NULL. */
const struct st_function *plan_function(const struct plan *plan, const struct st_function *old);
/** Why there is none: "which the new version does not have; ...". @return `out` */
const char *plan_function_lack(const struct plan *plan, const struct st_function *old, char *out,
                               size_t cap);
/** What the old version itself calls one of its variables. */
const char *plan_former_name(const struct plan *plan, const struct st_variable *old);
/** How the old variable is named in messages: "count" or "next_id in alloc_id". */
const char *plan_variable_text(const struct st_meta *meta, const struct st_variable *v, char *out,
                               size_t cap);

#endif
