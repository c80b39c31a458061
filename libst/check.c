#include "libst/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libst/filter_tree.h"
#include "libst/old_memory.h"
#include "libst/report.h"
#include "libst/st.h"
#include "libst/transfer.h"

struct check {
  char *text;
  struct filter_tree after;  /* on the new state; old(...) is the old one */
  struct filter_tree before; /* on the old state; no nodes: it is not about that alone */
};

static struct check *checks;
static size_t check_count;

static bool uses_old(const struct filter_tree *tree) {
  for (size_t i = 0; i < tree->count; i++)
    if (tree->nodes[i].op == OP_OLD) return true;
  return false;
}

int st_check_compile(const struct st_meta *old, const struct st_meta *new, const char *text,
                     char *error, size_t error_cap) {
  struct filter_tree tree = {0};
  int err = filter_parse(&tree, new, old, text, error, error_cap);
  free(tree.nodes);
  return err;
}

/* A check that only the new version's names can express is one of the new state only. */
static int compile(struct check *c, const struct plan *plan, struct st_report *report) {
  char error[512];
  int err = filter_parse(&c->after, plan->new, plan->old, c->text, error, sizeof(error));
  if (err) {
    report_violation(report, "check '%s': %s", c->text, error);
    return err == -ENOMEM ? err : 0;
  }
  if (uses_old(&c->after)) return 0;
  err = filter_parse(&c->before, plan->old, NULL, c->text, error, sizeof(error));
  if (err == -EINVAL) {
    free(c->before.nodes);
    c->before = (struct filter_tree){0};
    report_note(report, "check '%s' is about the new version only; of the old one, %s", c->text,
                error);
  }
  return err == -ENOMEM ? err : 0;
}

int checks_plan(const struct st_options *options, const struct plan *plan,
                struct st_report *report) {
  checks_free();
  checks = calloc(options->check_count + 1, sizeof(*checks));
  if (!checks) return -ENOMEM;
  for (size_t i = 0; i < options->check_count; i++) {
    struct check *c = &checks[check_count++];
    c->text = strdup(options->checks[i]);
    int err = c->text ? compile(c, plan, report) : -ENOMEM;
    if (err) return err;
  }
  return 0;
}

static const char *why(int status) {
  return status == -EDOM ? "divides by zero" : "follows an invalid pointer";
}

int checks_before(struct transfer *t) {
  if (check_count == 0) return 0;
  int err = old_memory_open();
  if (err) return err;
  struct filter_memory old = {.base = t->old.image[0].base, .at = old_memory_at, .ctx = t};
  for (size_t i = 0; i < check_count; i++) {
    struct check *c = &checks[i];
    char values[512];
    int holds = c->before.count ? filter_evaluate_in(&c->before, &old, NULL) : 1;
    if (holds == 0)
      report_violation(t->report,
                       "check '%s' is false before the update already: %s; correct the check, or "
                       "the state",
                       c->text, filter_explain(&c->before, c->text, &old, NULL, values, 512));
    if (holds < 0)
      report_violation(t->report, "check '%s' %s in the old version; correct the check", c->text,
                       why(holds));
  }
  return t->report->violations ? -EINVAL : 0;
}

static void report_false(struct check *c, const struct filter_memory *old,
                         struct st_report *report) {
  const struct filter_memory *now = filter_own_memory();
  char values[512], before[512] = "";
  filter_explain(&c->after, c->text, now, old, values, sizeof(values));
  if (c->before.count) filter_explain(&c->before, c->text, old, NULL, before, sizeof(before));
  report_violation(report, "check '%s' is false after the update: %s%s%s", c->text, values,
                   *before ? "; before it, " : "", before);
}

void checks_after(struct transfer *t, struct st_report *report) {
  struct filter_memory old = {.at = old_memory_at, .ctx = t};
  if (check_count) old.base = t->old.image[0].base;
  for (size_t i = 0; i < check_count; i++) {
    struct check *c = &checks[i];
    int holds = filter_evaluate_in(&c->after, filter_own_memory(), &old);
    if (holds == 0) report_false(c, &old, report);
    if (holds < 0) report_violation(report, "check '%s' %s after the update", c->text, why(holds));
  }
}

void checks_free(void) {
  for (size_t i = 0; i < check_count; i++) {
    free(checks[i].text);
    free(checks[i].after.nodes);
    free(checks[i].before.nodes);
  }
  free(checks);
  checks = NULL;
  check_count = 0;
}
