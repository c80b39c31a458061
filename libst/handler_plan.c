#include "libst/handler_plan.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "libst/annotation.h"
#include "libst/filter_names.h"
#include "libst/report.h"
#include "libst/type.h"

static const char *function_name(const struct plan *p, const struct st_annotation *a) {
  return st_meta_string(p->new, a->target == ST_TARGET_TYPE ? a->name : a->scope);
}

/* Did the old version have it? Then its data is already what the handler makes. */
static bool was_there(const struct plan *p, const struct st_annotation *a) {
  for (uint32_t i = 0; i < p->old->header->annotations.count; i++) {
    const struct st_annotation *o = &p->old->annotations[i];
    if (o->kind == a->kind && o->target == a->target &&
        strcmp(st_meta_string(p->old, o->name), st_meta_string(p->new, a->name)) == 0 &&
        strcmp(st_meta_string(p->old, o->scope), st_meta_string(p->new, a->scope)) == 0)
      return true;
  }
  return false;
}

static bool find_function(const struct plan *p, struct handler *h) {
  for (uint32_t i = 0; i < p->new->header->functions.count; i++) {
    const struct st_function *f = &p->new->functions[i];
    if (strcmp(st_meta_string(p->new, f->name), h->name) != 0 ||
        strcmp(st_meta_string(p->new, f->file), st_meta_string(p->new, h->by->unit)) != 0)
      continue;
    h->function = f->address;
    return true;
  }
  return false;
}

/* What a name of a declaration is in: behind pointers and arrays. */
static uint32_t object_of(const struct st_meta *old, uint32_t type) {
  for (;;) {
    const struct btf_type *t = type_of(old, type);
    if (btf_is_ptr(t))
      type = t->type;
    else if (btf_is_array(t))
      type = btf_array(t)->type;
    else
      return type_strip(old, type);
  }
}

static void refuse_name(const struct plan *p, const struct handler *h, const char *name,
                        const char *near, struct st_report *report) {
  char text[400];
  report_violation(report, "%s: the old version has no `%s`%s%s%s; name what it has",
                   annotation_text(p->new, h->by, text, sizeof(text)), name,
                   *near ? "; the nearest name is `" : "", near, *near ? "`" : "");
}

/* Notes one name of a declaration and goes on to its type. */
static bool declare(struct plan *p, struct handler *h, uint32_t *type, const char *name,
                    struct st_report *report) {
  const struct st_variable *v;
  const char *several[2];
  uint32_t bit, bits, in = *type;
  if (in == 0 && names_variable(p->old, name, NULL, &v, several) == NAMES_FOUND)
    *type = object_of(p->old, v->type);
  else if (in != 0 && names_member(p->old, in, name, &bit, type, &bits))
    *type = object_of(p->old, *type);
  else {
    refuse_name(p, h, name,
                in ? names_near_member(p->old, in, name) : names_near_variable(p->old, name),
                report);
    return false;
  }
  struct declared *d = &h->declared[h->declared_count++];
  d->type = in;
  snprintf(d->name, sizeof(d->name), "%s", name);
  return true;
}

/* "list->key, table[0].next" */
static void declare_all(struct plan *p, struct handler *h, struct st_report *report) {
  uint32_t type = h->old_type;
  for (const char *at = st_meta_string(p->new, h->by->argument); *at;) {
    size_t length = 0;
    char name[64];
    while (isalnum((unsigned char)at[length]) || at[length] == '_')
      length++;
    if (*at == ',') type = h->old_type;
    if (*at == '[') at += strcspn(at, "]");
    if (length > 0 && length < sizeof(name)) {
      snprintf(name, sizeof(name), "%.*s", (int)length, at);
      if (!declare(p, h, &type, name, report)) return;
    }
    at += length ? length : *at != 0;
  }
}

static int add(struct plan *p, const struct st_annotation *a, uint32_t old_type,
               const struct st_variable *target, struct st_report *report) {
  struct handler *h = st_meta_keep(p->own, sizeof(*h));
  char text[400];
  if (!h) return -ENOMEM;
  *h =
      (struct handler){.next = p->handlers, .by = a, .name = function_name(p, a), .target = target};
  h->declared = st_meta_keep(p->own, (strlen(st_meta_string(p->new, a->argument)) + 1) *
                                         sizeof(*h->declared));
  if (!h->declared) return -ENOMEM;
  h->old_type = old_type;
  h->new_type = type_strip(p->new, a->type);
  if (!find_function(p, h))
    report_violation(report, "%s: the function is not there; keep it in this file",
                     annotation_text(p->new, a, text, sizeof(text)));
  declare_all(p, h, report);
  p->handlers = h;
  return 0;
}

static int plan_type(struct plan *p, const struct st_annotation *a, struct st_report *report) {
  const struct btf_type *n = type_of(p->new, a->type);
  int err = 0;
  for (uint32_t id = 1; !err && id < btf__type_cnt(p->old->btf); id++) {
    const struct btf_type *o = btf__type_by_id(p->old->btf, id);
    if (btf_kind(o) == btf_kind(n) && *type_name(p->old, o) &&
        strcmp(type_name(p->old, o), type_name(p->new, n)) == 0)
      err = add(p, a, id, NULL, report);
  }
  return err;
}

static int plan_variable(struct plan *p, const struct st_annotation *a, struct st_report *report) {
  for (uint32_t i = 0; i < p->new->header->variables.count; i++) {
    const struct st_variable *v = &p->new->variables[i];
    if (!v->function &&
        strcmp(st_meta_string(p->new, v->name), st_meta_string(p->new, a->name)) == 0 &&
        (!(v->flags & ST_VAR_STATIC) ||
         strcmp(st_meta_string(p->new, v->file), st_meta_string(p->new, a->unit)) == 0))
      return add(p, a, 0, v, report);
  }
  return 0;
}

int handlers_plan(struct plan *p, struct st_report *report) {
  int err = 0;
  for (uint32_t i = 0; !err && i < p->new->header->annotations.count; i++) {
    const struct st_annotation *a = &p->new->annotations[i];
    if (a->kind != ST_ANNOTATE_HANDLED_BY || was_there(p, a)) continue;
    err = a->target == ST_TARGET_TYPE ? plan_type(p, a, report) : plan_variable(p, a, report);
  }
  return err;
}

bool handler_declares(const struct handler *h, uint32_t type, const char *name) {
  for (unsigned i = 0; i < h->declared_count; i++)
    if (h->declared[i].type == type && strcmp(h->declared[i].name, name) == 0) return true;
  return false;
}

bool handler_reads(const struct plan *p, const struct st_variable *old) {
  for (const struct handler *h = p->handlers; h; h = h->next)
    if (h->target && handler_declares(h, 0, st_meta_string(p->old, old->name))) return true;
  return false;
}

bool handler_makes(const struct plan *p, const struct st_variable *new) {
  for (const struct handler *h = p->handlers; h; h = h->next)
    if (h->target == new) return true;
  return false;
}
