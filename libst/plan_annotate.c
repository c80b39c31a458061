#include "libst/plan_annotate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "libst/annotation.h"
#include "libst/filter_names.h"
#include "libst/handler_plan.h"
#include "libst/process.h"
#include "libst/report.h"
#include "libst/type.h"

static const char *new_string(const struct plan *p, uint32_t offset) {
  return st_meta_string(p->new, offset);
}

/* ---- what the new version says of the old one's names ---- */

/* A renaming: what has `name` in the new version had `former` in the old one. */
struct renaming {
  struct plan *plan;
  const struct st_annotation *by;
  const char *name, *former;
};

/* "struct conn" without the keyword. */
static const char *tag_of(const char *text) {
  static const char *const words[] = {"struct ", "union ", "enum "};
  for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
    if (strncmp(text, words[i], strlen(words[i])) == 0) return text + strlen(words[i]);
  return text;
}

static bool is_kind(const struct btf_type *t, const struct btf_type *like) {
  return btf_kind(t) == btf_kind(like) || (btf_is_any_enum(t) && btf_is_any_enum(like)) ||
         (btf_is_fwd(t) && btf_is_composite(like));
}

/* Finds the next type of the old version after `id` with a name and the kind of a new type. */
static uint32_t next_type(const struct plan *p, uint32_t id, const struct btf_type *like,
                          const char *name) {
  for (id++; id < btf__type_cnt(p->old->btf); id++) {
    const struct btf_type *t = btf__type_by_id(p->old->btf, id);
    if (is_kind(t, like) && strcmp(type_name(p->old, t), name) == 0) return id;
  }
  return 0;
}

/* The same for the composite that a FIELD annotation is about, which may have no name itself. */
static uint32_t next_owner(const struct renaming *r, uint32_t id) {
  const struct btf_type *t = btf__type_by_id(r->plan->new->btf, r->by->type);
  const char *name = type_name(r->plan->new, t);
  return *name ? next_type(r->plan, id, t, name) : 0;
}

/* The old variables that a name may mean: those of the annotation's scope. */
static uint32_t next_in_scope(const struct renaming *r, uint32_t index, const char *name,
                              const char *function) {
  const struct st_meta *old = r->plan->old;
  for (; index < old->header->variables.count; index++) {
    const struct st_variable *v = &old->variables[index];
    if (strcmp(st_meta_string(old, v->name), name) == 0 &&
        (!function || strcmp(st_meta_string(old, v->function), function) == 0))
      return index;
  }
  return UINT32_MAX;
}

static const char *function_of(const struct renaming *r) {
  return r->by->target == ST_TARGET_STATIC ? new_string(r->plan, r->by->scope) : "";
}

static uint32_t next_variable(const struct renaming *r, uint32_t index, const char *name) {
  return next_in_scope(r, index, name, function_of(r));
}

/* Calls for each place of the old version that has the name; gives their number.
 * @param to  BTF string that takes the name's place, 0 for none */
static unsigned in_types(const struct renaming *r, const char *name, uint32_t to) {
  const struct btf_type *like = btf__type_by_id(r->plan->new->btf, r->by->type);
  unsigned found = 0;
  for (uint32_t id = 0; (id = next_type(r->plan, id, like, name)); found++)
    if (to) ((struct btf_type *)btf__type_by_id(r->plan->old->btf, id))->name_off = to;
  return found;
}

static unsigned in_members(const struct renaming *r, const char *name, uint32_t to) {
  struct st_meta *old = r->plan->old;
  unsigned found = 0;
  for (uint32_t id = 0; (id = next_owner(r, id));) {
    uint32_t in = id;
    int i = annotation_member(old, &in, name, false);
    if (i < 0) continue;
    if (to) btf_members((struct btf_type *)btf__type_by_id(old->btf, in))[i].name_off = to;
    found++;
  }
  return found;
}

static unsigned in_enumerators(const struct renaming *r, const char *name, uint32_t to) {
  struct st_meta *old = r->plan->old;
  unsigned found = 0;
  for (uint32_t id = 1; id < btf__type_cnt(old->btf); id++) {
    struct btf_type *t = (struct btf_type *)btf__type_by_id(old->btf, id);
    for (unsigned i = 0; btf_is_any_enum(t) && i < btf_vlen(t); i++) {
      int64_t value;
      if (strcmp(type_enumerator(old, t, i, &value), name) != 0) continue;
      if (to && btf_is_enum64(t)) btf_enum64(t)[i].name_off = to;
      if (to && !btf_is_enum64(t)) btf_enum(t)[i].name_off = to;
      found++;
    }
  }
  return found;
}

/* A former name may be of another scope, where that of the annotation does not have it. */
static unsigned in_variables(const struct renaming *r, const char *name, uint32_t to) {
  unsigned found = 0;
  const char *function = function_of(r);
  if (name == r->former && next_in_scope(r, 0, name, function) == UINT32_MAX) function = NULL;
  for (uint32_t i = 0; (i = next_in_scope(r, i, name, function)) != UINT32_MAX; i++, found++) {
    struct st_variable *v = &((struct st_variable *)r->plan->old->variables)[i];
    if (!to) continue;
    r->plan->former[i] = v->name;
    v->name = to;
  }
  return found;
}

static unsigned in_functions(const struct renaming *r, const char *name, uint32_t to) {
  const struct st_meta *old = r->plan->old;
  unsigned found = 0;
  for (uint32_t i = 0; i < old->header->functions.count; i++) {
    if (strcmp(st_meta_string(old, old->functions[i].name), name) != 0) continue;
    if (to) ((struct st_function *)old->functions)[i].name = to;
    found++;
  }
  /* One that was inlined everywhere has its statics only. */
  for (uint32_t i = 0; i < old->header->variables.count; i++) {
    if (strcmp(st_meta_string(old, old->variables[i].function), name) != 0) continue;
    if (to) ((struct st_variable *)old->variables)[i].function = to;
    found++;
  }
  return found;
}

static unsigned in_old(const struct renaming *r, const char *name, uint32_t to) {
  switch ((enum st_annotation_target)r->by->target) {
  case ST_TARGET_TYPE:
    return in_types(r, name, to);
  case ST_TARGET_FIELD:
    return in_members(r, name, to);
  case ST_TARGET_ENUMERATOR:
    return in_enumerators(r, name, to);
  case ST_TARGET_FUNCTION:
    return in_functions(r, name, to);
  default:
    return in_variables(r, name, to);
  }
}

/* A string of the old metadata's own table. */
static uint32_t add_string(struct st_meta *m, const char *text) {
  uint32_t count = m->header->strings.count, bytes = (uint32_t)strlen(text) + 1;
  char *strings = st_meta_keep(m, count + bytes);
  if (!strings) return 0;
  memcpy(strings, m->strings, count);
  memcpy(strings + count, text, bytes);
  m->strings = strings;
  ((struct st_meta_header *)m->header)->strings.count += bytes;
  return count;
}

static bool is_record(const struct st_annotation *a) {
  return a->target == ST_TARGET_VARIABLE || a->target == ST_TARGET_STATIC ||
         a->target == ST_TARGET_FUNCTION;
}

static uint32_t string_for(const struct renaming *r) {
  int id = is_record(r->by) ? (int)add_string(r->plan->old, r->name)
                            : btf__add_str(r->plan->old->btf, r->name);
  return id > 0 ? (uint32_t)id : 0;
}

/* Had the old version been renamed already, and still says so? */
static bool said_before(const struct renaming *r) {
  const struct st_meta *old = r->plan->old;
  for (uint32_t i = 0; i < old->header->annotations.count; i++) {
    const struct st_annotation *a = &old->annotations[i];
    if (a->kind == r->by->kind && a->target == r->by->target &&
        strcmp(st_meta_string(old, a->scope), new_string(r->plan, r->by->scope)) == 0 &&
        strcmp(st_meta_string(old, a->name), new_string(r->plan, r->by->name)) == 0 &&
        strcmp(st_meta_string(old, a->argument), new_string(r->plan, r->by->argument)) == 0)
      return true;
  }
  return false;
}

static struct renaming renaming_of(struct plan *plan, const struct st_annotation *a) {
  struct renaming r = {.plan = plan, .by = a, .former = tag_of(new_string(plan, a->argument))};
  r.name =
      a->target == ST_TARGET_TYPE ? tag_of(new_string(plan, a->scope)) : new_string(plan, a->name);
  return r;
}

static int rename_old(struct plan *plan, const struct st_annotation *a, struct st_report *report) {
  struct renaming r = renaming_of(plan, a);
  char text[400];
  /* The same name, in another scope: libst/plan_pair.h */
  if (is_record(a) && strcmp(r.former, r.name) == 0) return 0;
  if (in_old(&r, r.former, 0) == 0) return 0;
  if (in_old(&r, r.name, 0) > 0) {
    if (!said_before(&r))
      report_violation(report,
                       "%s: the old version has both names, so this cannot be true any more; take "
                       "it out, or give the new one another name",
                       annotation_text(plan->new, a, text, sizeof(text)));
    return 0;
  }
  uint32_t to = string_for(&r);
  if (!to) return -ENOMEM;
  in_old(&r, r.former, to);
  return 0;
}

/* Has the old version a variable of the new name in another scope? */
static bool in_anywhere(const struct renaming *r) {
  return (r->by->target == ST_TARGET_VARIABLE || r->by->target == ST_TARGET_STATIC) &&
         next_in_scope(r, 0, r->name, NULL) != UINT32_MAX;
}

static const char *near_former(const struct renaming *r) {
  const struct st_meta *old = r->plan->old;
  switch ((enum st_annotation_target)r->by->target) {
  case ST_TARGET_TYPE:
    return names_near_type(old, btf_kind(btf__type_by_id(r->plan->new->btf, r->by->type)),
                           r->former);
  case ST_TARGET_FIELD:
    return names_near_member(old, next_owner(r, 0), r->former);
  case ST_TARGET_FUNCTION:
    return names_near_function(old, r->former);
  default:
    return names_near_variable(old, r->former);
  }
}

/* Neither name is the old version's: of whatever it should have been it says nothing. */
static void check_known(struct plan *plan, const struct st_annotation *a,
                        struct st_report *report) {
  struct renaming r = renaming_of(plan, a);
  char text[400], type[160];
  if (in_old(&r, r.name, 0) > 0 || in_anywhere(&r)) return;
  if (a->target == ST_TARGET_FIELD && !next_owner(&r, 0)) {
    if (*type_name(plan->new, type_of(plan->new, a->type)))
      report_violation(report,
                       "%s: the old version has no `%s`; keep the member's name, by which it is "
                       "found where it moved, or write a handler",
                       annotation_text(plan->new, a, text, sizeof(text)),
                       type_text(plan->new, a->type, type, sizeof(type)));
    return;
  }
  const char *near = near_former(&r);
  /* A function may have been inlined everywhere; pointers to one that is gone are refused. */
  void (*say)(struct st_report *, const char *, ...) =
      a->target == ST_TARGET_FUNCTION ? report_note : report_violation;
  say(report, "%s: the old version has no `%s`%s%s%s",
      annotation_text(plan->new, a, text, sizeof(text)), r.former,
      *near ? "; the nearest name is `" : "", near, *near ? "`" : "");
}

/* ---- pools ---- */

static uint32_t old_object(const struct plan *plan, uint32_t new_type) {
  const struct btf_type *t = btf__type_by_id(plan->new->btf, new_type);
  const char *name = type_name(plan->new, t);
  return *name ? next_type(plan, 0, t, name) : 0;
}

static void pool_in_old(struct plan *plan, const struct st_annotation *a) {
  struct renaming r = renaming_of(plan, a);
  struct st_meta *old = plan->old;
  uint32_t object = old_object(plan, a->operand), type;
  if (!object) return;
  for (uint32_t id = 0; a->target == ST_TARGET_FIELD && (id = next_owner(&r, id));) {
    uint32_t in = id;
    int i = annotation_member(old, &in, r.name, false);
    if (i < 0) continue;
    type = annotation_pool(old, type_member(old, type_of(old, in), (unsigned)i).type, object);
    if (type) annotation_set_member(old, in, i, type);
  }
  bool of_variable = a->target == ST_TARGET_VARIABLE || a->target == ST_TARGET_STATIC;
  for (uint32_t i = 0; of_variable && (i = next_variable(&r, i, r.name)) != UINT32_MAX; i++) {
    struct st_variable *v = &((struct st_variable *)old->variables)[i];
    type = annotation_pool(old, v->type, object);
    if (type) v->type = type;
  }
}

uint32_t plan_annotated_block(const struct plan *plan, const char *function, uint32_t type) {
  const struct btf_type *t = type_of(plan->old, type);
  if (type != 0 && !(btf_is_int(t) && t->size == 1)) return type;
  for (uint32_t i = 0; i < plan->new->header->annotations.count; i++) {
    const struct st_annotation *a = &plan->new->annotations[i];
    if (a->target != ST_TARGET_BLOCKS || a->kind != ST_ANNOTATE_POOL_OF ||
        strcmp(new_string(plan, a->name), function) != 0)
      continue;
    uint32_t object = old_object(plan, a->operand);
    if (object) return object;
  }
  return type;
}

static bool says(const struct st_meta *m, const char *function, enum st_annotation_kind kind) {
  for (uint32_t i = 0; i < m->header->annotations.count; i++) {
    const struct st_annotation *a = &m->annotations[i];
    if (a->target == ST_TARGET_BLOCKS && a->kind == kind &&
        strcmp(st_meta_string(m, a->name), function) == 0)
      return true;
  }
  return false;
}

bool plan_is_pool(const struct plan *plan, const char *function) {
  return says(plan->new, function, ST_ANNOTATE_POOL_OF) ||
         says(plan->old, function, ST_ANNOTATE_POOL_OF);
}

bool plan_is_opaque(const struct plan *plan, const char *function) {
  return says(plan->new, function, ST_ANNOTATE_OPAQUE);
}

bool plan_keeps_own(const struct plan *plan, const struct st_variable *new) {
  const struct st_mark *mark = annotation_mark(plan->new, type_strip(plan->new, new->type));
  if (mark) return mark->kind == ST_ANNOTATE_DONT_TRANSFER;
  for (uint32_t i = 0; new->type == 0 && i < plan->new->header->annotations.count; i++) {
    const struct st_annotation *a = &plan->new->annotations[i];
    if (a->kind == ST_ANNOTATE_DONT_TRANSFER && a->name == new->name) return true;
  }
  return false;
}

/* ---- both ---- */

static int annotate_new(struct plan *plan, struct st_report *report) {
  const struct st_meta *own = st_process.meta;
  char error[1024];
  if (own->header->annotations.count == 0) return 0;
  plan->own = st_meta_read(own->section, own->header->bytes, error, sizeof(error));
  int err = plan->own ? annotations_apply(plan->own, error, sizeof(error)) : -ENOMEM;
  if (err) report_violation(report, "%s", error);
  plan->new = plan->own;
  return err;
}

/* Members are found by their types, and statics by their functions. */
static unsigned turn_of(const struct st_annotation *a) {
  return a->target == ST_TARGET_TYPE ? 0 : a->target == ST_TARGET_FUNCTION ? 1 : 2;
}

int plan_annotate(struct plan *plan, struct st_report *report) {
  char error[1024];
  int err = annotate_new(plan, report);
  if (err) return err;
  plan->former =
      st_meta_keep(plan->old, (plan->old->header->variables.count + 1) * sizeof(*plan->former));
  if (!plan->former) return -ENOMEM;
  err = annotations_apply_facts(plan->old, error, sizeof(error));
  if (err) report_violation(report, "the old version: %s", error);
  const struct st_annotation *all = plan->new->annotations;
  uint32_t count = plan->new->header->annotations.count;
  for (unsigned turn = 0; turn < 3; turn++)
    for (uint32_t i = 0; !err && i < count; i++)
      if (all[i].kind == ST_ANNOTATE_RENAMED_FROM && turn_of(&all[i]) == turn)
        err = rename_old(plan, &all[i], report);
  for (uint32_t i = 0; !err && i < count; i++) {
    if (all[i].kind == ST_ANNOTATE_RENAMED_FROM) check_known(plan, &all[i], report);
    if (all[i].kind == ST_ANNOTATE_POOL_OF) pool_in_old(plan, &all[i]);
  }
  for (uint32_t i = 0; i < plan->old->header->sites.count; i++) {
    struct st_site *s = &((struct st_site *)plan->old->sites)[i];
    s->type = plan_annotated_block(plan, st_meta_string(plan->old, s->function), s->type);
  }
  return err ? err : handlers_plan(plan, report);
}
