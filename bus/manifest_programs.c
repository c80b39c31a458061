#include "bus/manifest_programs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS_MAX 16u

static void check_spawner(const struct manifest *m, struct manifest_source *s) {
  const char *by = m->programs.by;
  if (by && !manifest_find(m, by))
    manifest_problem(s, "programs/by", "programs: by: %s is not declared", by);
  for (unsigned i = 0; i < m->components_count; i++) {
    const struct manifest_component *c = &m->components[i];
    bool may = c->kernel & MANIFEST_KERNEL_PROCESSES, is_spawner = by && strcmp(by, c->name) == 0;
    const char *place = manifest_place("components/%u/kernel", i);
    if (may && !is_spawner)
      manifest_problem(s, place, "component %s: kernel: [processes] is for programs: by: only",
                       c->name);
    if (is_spawner && !may)
      manifest_problem(s, "programs/by", "programs: by: %s has no kernel: [processes]", by);
  }
}

static void check_calls(const struct manifest *m, struct manifest_source *s) {
  const struct manifest_programs *p = &m->programs;
  for (unsigned i = 0; i < p->calls_count; i++) {
    const char *place = manifest_place("programs/calls/%u/to", i);
    if (!manifest_find(m, p->calls[i].to))
      manifest_problem(s, place, "programs: call %s, which is not declared", p->calls[i].to);
    for (unsigned j = 0; j < i; j++) {
      if (strcmp(p->calls[i].to, p->calls[j].to) != 0) continue;
      manifest_problem(s, place, "programs: name %s twice in calls:", p->calls[i].to);
      break;
    }
  }
}

static void name_place(char name[MANIFEST_NAME_MAX + 1], unsigned number) {
  snprintf(name, MANIFEST_NAME_MAX + 1, "program-%u", number);
}

static void check_names(const struct manifest *m, struct manifest_source *s) {
  char name[MANIFEST_NAME_MAX + 1];
  for (unsigned i = 1; i <= m->programs.at_most; i++) {
    name_place(name, i);
    endpoint_t taken = manifest_find(m, name);
    if (taken)
      manifest_problem(s, manifest_place("components/%d/name", taken - 1),
                       "component name '%s' is taken: programs: has its programs called so", name);
  }
}

static unsigned room(const struct manifest *m) {
  return m->components_count < MANIFEST_COMPONENTS_MAX
             ? MANIFEST_COMPONENTS_MAX - m->components_count
             : 0;
}

static bool number_is_good(const struct manifest *m) {
  return m->programs.at_most > 0 && m->programs.at_most <= room(m);
}

void manifest_check_programs(const struct manifest *m, struct manifest_source *s) {
  check_spawner(m, s);
  if (!m->programs.by) return;
  if (!number_is_good(m)) {
    manifest_problem(
        s, "programs/at-most",
        "programs: at-most: must be from 1 to %u, not %u: there are %u components, and "
        "%u with the programs is all there can be",
        room(m), m->programs.at_most, m->components_count, MANIFEST_COMPONENTS_MAX);
    return;
  }
  check_calls(m, s);
  check_names(m, s);
}

/* ---- the places ---- */

static bool copy_calls(const struct manifest_programs *p, struct manifest_component *c) {
  c->calls = calloc(p->calls_count + 1, sizeof(*c->calls));
  if (!c->calls) return false;
  for (; c->calls_count < p->calls_count; c->calls_count++) {
    struct manifest_call *call = &c->calls[c->calls_count];
    *call = p->calls[c->calls_count];
    if (!(call->to = strdup(call->to))) return false;
  }
  return true;
}

static bool fill(const struct manifest *m, struct manifest_component *c, unsigned number) {
  char name[MANIFEST_NAME_MAX + 1];
  name_place(name, number);
  *c = (struct manifest_component){.name = strdup(name),
                                   .file = strdup(""),
                                   .restart = MANIFEST_RESTART_NEVER,
                                   .calls_max = CALLS_MAX,
                                   .program = true};
  return c->name && c->file && copy_calls(&m->programs, c);
}

void manifest_add_programs(struct manifest *m, struct manifest_source *s) {
  if (!m->programs.by || !number_is_good(m)) return;
  size_t n = m->components_count + m->programs.at_most;
  struct manifest_component *grown = realloc(m->components, n * sizeof(*grown));
  bool complete = grown != NULL;
  if (grown) m->components = grown;
  for (unsigned i = 1; complete && i <= m->programs.at_most; i++)
    complete = fill(m, &m->components[m->components_count++], i);
  if (!complete) manifest_problem(s, "programs", "programs: out of memory");
}
