#include "outcome.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conditions.h"
#include "libst/plan_annotate.h"
#include "libst/process.h"
#include "libst/report.h"
#include "libst/st.h"
#include "types.h"

const char *fate_name(enum fate fate) {
  static const char *const names[FATES] = {"same",    "followed", "converted", "added",
                                           "removed", "replaced", "traced",    "refused"};
  return names[fate];
}

static void keep_message(void *data, bool violation, const char *text) {
  struct outcome *out = data;
  if (out->message_count % 64 == 0) {
    out->messages = realloc(out->messages, (out->message_count + 64) * sizeof(*out->messages));
    if (!out->messages) abort();
  }
  struct message *m = &out->messages[out->message_count++];
  *m = (struct message){violation, strdup(text)};
  if (!m->text) abort();
}

static bool has_violation(const struct outcome *out, const struct variable_outcome *v) {
  for (unsigned i = 0; i < v->messages; i++)
    if (out->messages[v->first_message + i].violation) return true;
  return false;
}

static enum fate variable_fate(const struct outcome *out, const struct variable_outcome *v) {
  if (has_violation(out, v)) return FATE_REFUSED;
  if (!v->new) return FATE_REMOVED;
  if ((v->new->flags &ST_VAR_CONST) || plan_keeps_own(&out->plan, v->new)) return FATE_REPLACED;
  return v->program ? fate_of(v->program) : FATE_REFUSED;
}

static bool is_state(const struct st_variable *v) {
  return !(v->flags & ST_VAR_CONST);
}

static void add_variable(struct outcome *out, uint32_t index) {
  const struct variable_pair *pair = &out->plan.variables[index];
  struct variable_outcome *v = &out->variables[out->variable_count++];
  *v = (struct variable_outcome){.old = &out->plan.old->variables[index],
                                 .new = pair->new,
                                 .program = pair->new ? pair->program : NULL,
                                 .first_message = pair->first_line,
                                 .messages = pair->lines};
  v->fate = variable_fate(out, v);
  if (v->fate == FATE_REFUSED || v->fate == FATE_REMOVED || v->fate == FATE_REPLACED) return;
  v->initial = initial_compare(&out->plan, v->old, pair);
  v->conditions = conditions_of(v->program);
  out->cost.variables++;
  out->cost.bytes += v->old->size;
  out->cost.pointers += pointers_in(v->program);
  if (v->fate != FATE_CONVERTED) return;
  out->cost.converted++;
  out->cost.converted_bytes += v->new->size;
}

static void add_variables(struct outcome *out) {
  const struct st_meta *old = out->plan.old, *new = out->plan.new;
  uint32_t old_count = old->header->variables.count, new_count = new->header->variables.count;
  bool *paired = calloc(new_count + 1, sizeof(*paired));
  out->variables = calloc((size_t)old_count + new_count + 1, sizeof(*out->variables));
  if (!paired || !out->variables) abort();
  for (uint32_t i = 0; i < old_count; i++) {
    const struct st_variable *n = out->plan.variables[i].new;
    if (n) paired[n - new->variables] = true;
    if (is_state(&old->variables[i])) add_variable(out, i);
  }
  for (uint32_t i = 0; i < new_count; i++)
    if (!paired[i] && is_state(&new->variables[i]))
      out->variables[out->variable_count++] =
          (struct variable_outcome){.new = &new->variables[i], .fate = FATE_ADDED};
  free(paired);
}

static void add_blocks(struct outcome *out) {
  const struct st_meta *old = out->plan.old;
  uint32_t count = old->header->sites.count;
  out->blocks = calloc(count + 1, sizeof(*out->blocks));
  if (!out->blocks) abort();
  for (uint32_t i = 0; i < count; i++) {
    const struct st_site *s = &old->sites[i];
    if (s->flags & ST_SITE_CALLER) continue; /* its callers' sites decide */
    uint32_t type = plan_annotated_block(&out->plan, st_meta_string(old, s->function), s->type);
    struct block_plan plan = plan_site(&out->plan, i, type);
    struct block_outcome *b = &out->blocks[out->block_count++];
    *b = (struct block_outcome){
        .site = s, .type = type, .program = plan.program, .orphan = plan.orphan};
    b->fate = plan.typed ? fate_of(plan.program) : plan.skip ? FATE_SAME : FATE_TRACED;
    b->conditions = conditions_of(plan.program);
    if (b->fate == FATE_REFUSED) out->needs_help = true;
  }
}

static void add_gone(struct outcome *out) {
  const struct st_meta *old = out->plan.old;
  uint32_t count = old->header->functions.count;
  out->gone = calloc(count + 1, sizeof(*out->gone));
  if (!out->gone) abort();
  for (uint32_t i = 0; i < count; i++)
    if (!plan_function(&out->plan, &old->functions[i]))
      out->gone[out->gone_count++] = st_meta_string(old, old->functions[i].name);
}

int outcome_make(struct outcome *out, int old_exe_fd) {
  static struct st_report report;
  *out = (struct outcome){0};
  report_observe(keep_message, out);
  int err = plan_make(&out->plan, old_exe_fd, &report);
  report_observe(NULL, NULL);
  if (err) return err;
  out->refused = out->needs_help = report.violations > 0;
  add_variables(out);
  add_blocks(out);
  add_gone(out);
  types_collect(out);
  return 0;
}

void outcome_free(struct outcome *out) {
  for (size_t i = 0; i < out->message_count; i++)
    free(out->messages[i].text);
  for (size_t i = 0; i < out->variable_count; i++)
    conditions_free(&out->variables[i].conditions);
  for (size_t i = 0; i < out->block_count; i++)
    conditions_free(&out->blocks[i].conditions);
  types_free(out);
  free(out->messages);
  free(out->variables);
  free(out->blocks);
  free(out->gone);
  plan_free(&out->plan);
}

size_t outcome_variables(const struct outcome *out, enum fate fate) {
  size_t count = 0;
  for (size_t i = 0; i < out->variable_count; i++)
    count += out->variables[i].fate == fate;
  return count;
}

bool outcome_block_moves(const struct block_outcome *b) {
  return b->program && b->fate == FATE_CONVERTED && b->program->new_bytes > b->program->old_bytes;
}
