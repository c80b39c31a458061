#include "libst/plan_pair.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libst/annotation.h"
#include "libst/plan_annotate.h"
#include "libst/type.h"

/* ---- what is to be paired ---- */

static bool is_said(const struct st_meta *m, const struct st_annotation *a) {
  return a->kind == ST_ANNOTATE_RENAMED_FROM &&
         strcmp(st_meta_string(m, a->name), st_meta_string(m, a->argument)) == 0;
}

/* Does an annotation say that the old version has a variable under the same name elsewhere? */
static bool variable_is_said(const struct st_meta *m, const struct st_variable *v) {
  for (uint32_t i = 0; i < m->header->annotations.count; i++)
    if (is_said(m, &m->annotations[i]) && annotation_is_of(m, &m->annotations[i], v)) return true;
  return false;
}

static bool function_is_said(const struct st_meta *m, const struct st_function *f) {
  for (uint32_t i = 0; i < m->header->annotations.count; i++) {
    const struct st_annotation *a = &m->annotations[i];
    if (a->target == ST_TARGET_FUNCTION && is_said(m, a) &&
        strcmp(st_meta_string(m, a->name), st_meta_string(m, f->name)) == 0 &&
        (!(f->flags & ST_FUNC_STATIC) ||
         strcmp(st_meta_string(m, a->unit), st_meta_string(m, f->file)) == 0))
      return true;
  }
  return false;
}

static struct named *name_variables(const struct plan *plan, const struct st_meta *m) {
  bool is_new = m == plan->new;
  uint32_t count = m->header->variables.count;
  struct named *named = calloc(count + 1, sizeof(*named));
  for (uint32_t i = 0; named && i < count; i++) {
    const struct st_variable *v = &m->variables[i];
    named[i] = (struct named){.name = st_meta_string(m, v->name),
                              .function = st_meta_string(m, v->function),
                              .file = v->file,
                              .nth = v->nth,
                              .of = v->of,
                              .is_static = v->flags & ST_VAR_STATIC,
                              .own = is_new && plan_keeps_own(plan, v),
                              .said = is_new && variable_is_said(m, v)};
  }
  return named;
}

static struct named *name_functions(const struct plan *plan, const struct st_meta *m) {
  uint32_t count = m->header->functions.count;
  struct named *named = calloc(count + 1, sizeof(*named));
  for (uint32_t i = 0; named && i < count; i++) {
    const struct st_function *f = &m->functions[i];
    named[i] = (struct named){.name = st_meta_string(m, f->name),
                              .function = "",
                              .file = f->file,
                              .is_static = f->flags & ST_FUNC_STATIC,
                              .said = m == plan->new &&function_is_said(m, f)};
  }
  return named;
}

static bool has_function(const struct st_meta *m, const char *name) {
  for (uint32_t i = 0; i < m->header->functions.count; i++)
    if (strcmp(st_meta_string(m, m->functions[i].name), name) == 0) return true;
  return false;
}

/* Statics of different functions are each other's when the function has another name now. Many
 * functions have a `static int count`: only one of the very type is worth a question. */
static bool function_was_renamed(const struct plan *plan, const struct st_variable *o,
                                 const struct st_variable *n) {
  char old_text[160], new_text[160];
  return !has_function(plan->new, st_meta_string(plan->old, o->function)) &&
         !has_function(plan->old, st_meta_string(plan->new, n->function)) &&
         strcmp(type_text(plan->old, o->type, old_text, sizeof(old_text)),
                type_text(plan->new, n->type, new_text, sizeof(new_text))) == 0;
}

static bool fits(void *ctx, uint32_t old, uint32_t new) {
  const struct plan *plan = ctx;
  const struct st_variable *o = &plan->old->variables[old], *n = &plan->new->variables[new];
  if (o->function && n->function && !function_was_renamed(plan, o, n)) return false;
  const struct program *p = program_for(plan->programs, o->type, n->type);
  return p && !p->refusal;
}

int plan_pair(struct plan *plan) {
  const struct st_meta_header *old = plan->old->header, *new = plan->new->header;
  struct pairing *v = &plan->variable_names, *f = &plan->function_names;
  bool good = file_pairs_find(&plan->files, plan->old, plan->new);
  *v = (struct pairing){.files = &plan->files,
                        .old = name_variables(plan, plan->old),
                        .new = name_variables(plan, plan->new),
                        .old_count = old->variables.count,
                        .new_count = new->variables.count,
                        .fits = fits,
                        .ctx = plan};
  *f = (struct pairing){.files = &plan->files,
                        .old = name_functions(plan, plan->old),
                        .new = name_functions(plan, plan->new),
                        .old_count = old->functions.count,
                        .new_count = new->functions.count};
  return good && counterparts_find(v) && counterparts_find(f) ? 0 : -ENOMEM;
}

void plan_pair_free(struct plan *plan) {
  counterparts_free(&plan->variable_names);
  counterparts_free(&plan->function_names);
  file_pairs_free(&plan->files);
}

const struct st_variable *plan_counterpart(const struct plan *plan, const struct st_variable *old) {
  const struct counterpart *c = &plan->variable_names.out[old - plan->old->variables];
  return c->likeness && !c->doubtful ? &plan->new->variables[c->index] : NULL;
}

const struct st_function *plan_function(const struct plan *plan, const struct st_function *old) {
  const struct counterpart *c = &plan->function_names.out[old - plan->old->functions];
  return c->likeness && !c->doubtful ? &plan->new->functions[c->index] : NULL;
}

/* ---- doubts ---- */

static void add(char *out, size_t cap, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void add(char *out, size_t cap, const char *format, ...) {
  size_t used = strlen(out);
  va_list args;
  va_start(args, format);
  vsnprintf(out + used, cap - used, format, args);
  va_end(args);
}

static void add_named(char *out, size_t cap, const struct named *n, const char *file) {
  add(out, cap, *n->function ? "`%s in %s`" : "`%s`", n->name, n->function);
  if (*file) add(out, cap, " of %s", file);
}

/* Is it one of those that an old one was taken for? */
static bool is_meant(const struct pairing *p, uint32_t old, uint32_t new) {
  return counterpart_likeness(p, old, new) == p->out[old].likeness &&
         (new == p->out[old].index || !p->fits || p->fits(p->ctx, old, new));
}

/* Is another taken for the same? */
static bool has_rival(const struct pairing *p, uint32_t old) {
  for (uint32_t i = 0; i < p->old_count; i++)
    if (i != old && p->out[i].doubtful && p->out[i].index == p->out[old].index) return true;
  return false;
}

/* Adds "`n` of a.c or `n in f` of b.c in the new version, as may `n` of c.c". */
static void add_candidates(char *out, size_t cap, const struct plan *plan, const struct pairing *p,
                           uint32_t old) {
  const char *between = "";
  for (uint32_t i = 0; i < p->new_count; i++) {
    if (!is_meant(p, old, i)) continue;
    add(out, cap, "%s", between);
    add_named(out, cap, &p->new[i], st_meta_string(plan->new, p->new[i].file));
    between = " or ";
  }
  add(out, cap, " in the new version");
  between = ", as may ";
  for (uint32_t i = 0; i < p->old_count; i++) {
    if (i == old || !p->out[i].doubtful || p->out[i].index != p->out[old].index) continue;
    add(out, cap, "%s", between);
    add_named(out, cap, &p->old[i], st_meta_string(plan->old, p->old[i].file));
    between = " and ";
  }
}

/* Blocks of one function have statics of this name: nothing but their order tells them apart. */
static void add_blocks(char *out, size_t cap, const struct named *old, const struct named *new) {
  if (old->of == new->of)
    add(out, cap,
        "is one of %u statics of that name, some of which are declared on one line; declare each "
        "on "
        "a line of its own, or give it a name of its own",
        old->of);
  else
    add(out, cap,
        "is one of %u statics of that name, and the new version has %u; give each a name of its "
        "own, or annotate those of the new version with dont_transfer",
        old->of ? old->of : 1, new->of ? new->of : 1);
}

const char *plan_variable_doubt(const struct plan *plan, const struct st_variable *old, char *out,
                                size_t cap) {
  const struct pairing *p = &plan->variable_names;
  uint32_t index = (uint32_t)(old - plan->old->variables);
  const struct named *o = &p->old[index], *n = &p->new[p->out[index].index];
  *out = 0;
  if (p->out[index].likeness == LIKE_SAME && (o->of || n->of)) {
    add_blocks(out, cap, o, n);
    return out;
  }
  add(out, cap, "may be ");
  add_candidates(out, cap, plan, p, index);
  if (has_rival(p, index))
    add(out, cap, "; give what is new another name, and say with renamed_from which it was");
  else if (*n->function)
    add(out, cap,
        "; say so with ST_STATIC(%s, %s, renamed_from(%s)), or give what is new another name",
        n->function, n->name, n->name);
  else
    add(out, cap, "; say so with ST_VAR(%s, renamed_from(%s)), or give what is new another name",
        n->name, n->name);
  return out;
}

bool plan_doubt_is_settled(const struct plan *plan, const struct st_variable *old) {
  const struct pairing *p = &plan->variable_names;
  uint32_t index = (uint32_t)(old - plan->old->variables);
  for (uint32_t i = 0; i < p->new_count; i++)
    if (is_meant(p, index, i) && !p->new[i].own) return false;
  return true;
}

const char *plan_function_lack(const struct plan *plan, const struct st_function *old, char *out,
                               size_t cap) {
  const struct pairing *p = &plan->function_names;
  uint32_t index = (uint32_t)(old - plan->old->functions);
  *out = 0;
  if (!p->out[index].likeness) {
    add(out, cap, "which the new version does not have; keep the function");
    return out;
  }
  add(out, cap, "which may be ");
  add_candidates(out, cap, plan, p, index);
  add(out, cap, "; keep it in its file, or say ST_FUNCTION(%s, renamed_from(%s)) where it is",
      p->old[index].name, p->old[index].name);
  return out;
}
