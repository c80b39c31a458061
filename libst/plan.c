#include "libst/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libst/handler_plan.h"
#include "libst/plan_annotate.h"
#include "libst/plan_pair.h"
#include "libst/process.h"
#include "libst/report.h"
#include "libst/site.h"
#include "libst/site_pair.h"
#include "libst/st.h"
#include "libst/type.h"

const char *plan_variable_text(const struct st_meta *meta, const struct st_variable *v, char *out,
                               size_t cap) {
  if (v->function)
    snprintf(out, cap, v->nth > 1 ? "%s in %s, no. %u" : "%s in %s", st_meta_string(meta, v->name),
             st_meta_string(meta, v->function), v->nth);
  else
    snprintf(out, cap, "%s", st_meta_string(meta, v->name));
  return out;
}

const char *plan_former_name(const struct plan *plan, const struct st_variable *old) {
  uint32_t former = plan->former[old - plan->old->variables];
  return st_meta_string(plan->old, former ? former : old->name);
}

static bool was_there(const struct plan *plan, const struct st_variable *new) {
  return plan->variable_names.taken[new - plan->new->variables];
}

/* Name of the last variable before `v` of the same file that both versions have; "" at the start.
 */
static const char *old_anchor(const struct plan *plan, const struct st_variable *v) {
  for (const struct st_variable *at = v; at-- > plan->old->variables;)
    if (at->file == v->file && plan_counterpart(plan, at))
      return st_meta_string(plan->old, at->name);
  return "";
}

static const char *new_anchor(const struct plan *plan, const struct st_variable *v) {
  for (const struct st_variable *at = v; at-- > plan->new->variables;)
    if (at->file == v->file && was_there(plan, at)) return st_meta_string(plan->new, at->name);
  return "";
}

static bool has_contents(const struct elf_file *exe, uint64_t address) {
  return elf_at(exe, address, NULL) != NULL;
}

/* A variable that is gone while another of the same type came in its place was probably renamed. */
static void check_renamed(const struct plan *plan, const struct st_variable *gone,
                          struct st_report *report) {
  char old_text[160], new_text[160], gone_text[128], came_text[128];
  type_text(plan->old, gone->type, old_text, sizeof(old_text));
  const char *place = old_anchor(plan, gone);
  for (uint32_t i = 0; i < plan->new->header->variables.count; i++) {
    const struct st_variable *came = &plan->new->variables[i];
    if ((came->flags ^ gone->flags) & (ST_VAR_STATIC | ST_VAR_CONST)) continue;
    if (strcmp(st_meta_string(plan->new, came->function),
               st_meta_string(plan->old, gone->function)) != 0 ||
        !file_pairs_same(&plan->files, gone->file, came->file))
      continue;
    if (has_contents(&st_process.exe, came->address) != has_contents(&plan->old_exe, gone->address))
      continue;
    if (strcmp(type_text(plan->new, came->type, new_text, sizeof(new_text)), old_text) != 0 ||
        was_there(plan, came) || strcmp(new_anchor(plan, came), place) != 0)
      continue;
    report_violation(
        report,
        "variable `%s` (%s) is gone and `%s` of the same type is in its place: renamed? "
        "say so with ST_VAR(%s, renamed_from(%s)), or put the new variable elsewhere",
        plan_variable_text(plan->old, gone, gone_text, sizeof(gone_text)), old_text,
        plan_variable_text(plan->new, came, came_text, sizeof(came_text)),
        st_meta_string(plan->new, came->name), st_meta_string(plan->old, gone->name));
    return;
  }
}

static void doubt(const struct plan *plan, const struct st_variable *old, const char *text,
                  struct st_report *report) {
  char why[600];
  if (old->flags & ST_VAR_CONST) return;
  if (plan_doubt_is_settled(plan, old))
    report_note(report, "variable `%s` is not transferred, as none of its name is", text);
  else
    report_violation(report, "variable `%s` of %s %s", text, st_meta_string(plan->old, old->file),
                     plan_variable_doubt(plan, old, why, sizeof(why)));
}

/* A conclusion that the programmer should see. */
static void tell_scope(const struct plan *plan, const struct variable_pair *pair, const char *text,
                       struct st_report *report) {
  char now[128];
  plan_variable_text(plan->new, pair->new, now, sizeof(now));
  if (strcmp(now, text) == 0)
    report_note(report, "variable `%s` is %s now", text,
                pair->new->flags &ST_VAR_STATIC ? "static" : "global");
  else
    report_note(report, "variable `%s` is `%s` now", text, now);
}

static void pair_variable(struct plan *plan, uint32_t index, struct st_report *report) {
  const struct st_variable *old = &plan->old->variables[index];
  struct variable_pair *pair = &plan->variables[index];
  const struct counterpart *c = &plan->variable_names.out[index];
  char text[128];
  bool is_const = old->flags & ST_VAR_CONST;
  plan_variable_text(plan->old, old, text, sizeof(text));
  if (c->doubtful) {
    doubt(plan, old, text, report);
    return;
  }
  pair->new = plan_counterpart(plan, old);
  bool own = pair->new &&plan_keeps_own(plan, pair->new);
  if (!is_const && !own && (old->flags & ST_VAR_REFUSED))
    report_violation(report,
                     "variable `%s`: %s; make it plain memory, or annotate it dont_transfer", text,
                     st_meta_string(plan->old, old->note));
  if (!pair->new) {
    if (is_const || handler_reads(plan, old)) return;
    report_note(report, "variable `%s` is gone", text);
    check_renamed(plan, old, report);
    return;
  }
  if (!is_const && !own && (pair->new->flags &ST_VAR_REFUSED))
    report_violation(report,
                     "variable `%s`: %s; make it plain memory, or annotate it dont_transfer", text,
                     st_meta_string(plan->new, pair->new->note));
  /* What is refused anyway may have no type. */
  if ((!old->type || !pair->new->type) && ((old->flags | pair->new->flags) & ST_VAR_REFUSED || own))
    return;
  pair->program = program_for(plan->programs, old->type, pair->new->type);
  if (is_const || !pair->program) return;
  if (c->likeness < LIKE_PLACE) tell_scope(plan, pair, text, report);
  if (handler_makes(plan, pair->new) &&
      (pair->program->refusal || pair->program->changed || pair->program->retyped)) {
    pair->program = NULL;
    return;
  }
  if (pair->program->refusal)
    report_violation(report, "`%s%s` %s", text, pair->program->refused, pair->program->refusal);
  if (pair->new->flags & ST_VAR_CONST)
    report_note(report, "variable `%s` is constant in the new version: its value is the new one's",
                text);
  else if (pair->program->changed)
    report_note(report, "variable `%s` changes (%u to %u bytes)", text, pair->program->old_bytes,
                pair->program->new_bytes);
}

static unsigned lines_of(const struct st_report *report) {
  return report ? report->violations + report->notes : 0;
}

static bool names_library(const struct st_meta *meta, const char *soname) {
  for (uint32_t i = 0; i < meta->header->libraries.count; i++)
    if (strcmp(st_meta_string(meta, meta->libraries[i]), soname) == 0) return true;
  return false;
}

static void pair_libraries(const struct plan *plan, struct st_report *report) {
  for (uint32_t i = 0; i < plan->old->header->libraries.count; i++) {
    const char *soname = st_meta_string(plan->old, plan->old->libraries[i]);
    if (!names_library(plan->new, soname))
      report_violation(report,
                       "state library %s is not one of the new version's: declare it to "
                       "st-instrument (--state-library)",
                       soname);
  }
}

struct block_plan plan_block(const struct plan *plan, uint32_t old_type, uint32_t new_type) {
  struct block_plan b = {0};
  uint32_t type = new_type   ? new_type
                  : old_type ? programs_counterpart(plan->programs, old_type)
                             : 0;
  b.program = type ? program_for(plan->programs, old_type, type) : NULL;
  b.typed = b.program != NULL;
  b.orphan = old_type && !b.typed;
  if (b.orphan) b.skip = !site_may_point(plan->old, old_type);
  if (b.typed)
    b.skip = !b.program->changed && !b.program->points && !b.program->refusal &&
             !type_is_address(plan->old, old_type);
  return b;
}

struct block_plan plan_site(struct plan *plan, uint32_t index, uint32_t old_type) {
  return plan_block(plan, old_type, site_pair_type(plan, old_type, site_pair_find(plan, index)));
}

struct moves_told {
  const struct plan *plan;
  struct st_report *report;
};

/* A member that is found elsewhere is a conclusion that the programmer should see. */
static void tell_moves(const struct program *p, void *ctx) {
  const struct moves_told *told = ctx;
  char type[160];
  type_text(told->plan->old, p->old_type, type, sizeof(type));
  for (unsigned i = 0; i < p->move_count; i++)
    report_note(told->report, "member `%s` of `%s` is `%s` now", p->moves[i].path, type,
                p->moves[i].new_path);
}

/* Which call it was is a conclusion, too. */
static void tell_site(struct plan *plan, uint32_t index, struct st_report *report) {
  const struct st_site *s = &plan->old->sites[index];
  struct block_plan b = plan_site(plan, index, s->type);
  char was[160], is[160];
  if (!b.typed || !b.program->changed || btf_is_composite(type_of(plan->old, s->type))) return;
  report_note(report, "blocks of `%s` from %s:%u become `%s`",
              type_text(plan->old, s->type, was, sizeof(was)), st_meta_string(plan->old, s->file),
              s->line, type_text(plan->new, b.program->new_type, is, sizeof(is)));
}

int plan_make(struct plan *plan, int old_exe_fd, struct st_report *report) {
  char error[256];
  *plan = (struct plan){.new = st_process.meta};
  int err = elf_file_open(&plan->old_exe, old_exe_fd);
  if (err) {
    report_violation(report, "the old version is no executable: %s", strerror(-err));
    return err;
  }
  plan->old = st_meta_open(old_exe_fd, error, sizeof(error));
  if (!plan->old) {
    report_violation(report, "the old version: %s", error);
    return -ENODATA;
  }
  err = plan_annotate(plan, report);
  if (err) return err;
  plan->programs = programs_new(plan->old, plan->new);
  if (plan->programs) programs_set_handlers(plan->programs, plan->handlers);
  plan->variables = calloc(plan->old->header->variables.count + 1, sizeof(*plan->variables));
  if (!plan->programs || !plan->variables) return -ENOMEM;
  if (strcmp(st_meta_component(plan->old), st_meta_component(plan->new)) != 0)
    report_violation(report, "the new version is one of `%s`, the old one of `%s`",
                     st_meta_component(plan->new), st_meta_component(plan->old));
  pair_libraries(plan, report);
  err = plan_pair(plan);
  if (err) return err;
  for (uint32_t i = 0; i < plan->old->header->variables.count; i++) {
    plan->variables[i].first_line = lines_of(report);
    pair_variable(plan, i, report);
    plan->variables[i].lines = lines_of(report) - plan->variables[i].first_line;
  }
  /* Types of heap blocks are compiled now, off the critical path; whether there are any blocks of a
   * type that is refused shows only in the transfer. */
  for (uint32_t i = 0; i < plan->old->header->sites.count; i++)
    tell_site(plan, i, report);
  programs_each(plan->programs, tell_moves, &(struct moves_told){plan, report});
  return 0;
}

void plan_free(struct plan *plan) {
  plan_pair_free(plan);
  programs_free(plan->programs);
  free(plan->variables);
  st_meta_close(plan->old);
  st_meta_close(plan->own);
  elf_file_close(&plan->old_exe);
  *plan = (struct plan){0};
}
