#include "libst/validate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libst/datum.h"
#include "libst/find.h"
#include "libst/handler_plan.h"
#include "libst/initial.h"
#include "libst/old_memory.h"
#include "libst/pointer.h"
#include "libst/process.h"
#include "libst/report.h"
#include "libst/reverse.h"
#include "libst/st.h"
#include "libst/transfer.h"
#include "libst/type.h"

enum { DIFFERENCES_MAX = 50, MISSING_MAX = 64 };

/* Data that do not come back, by what they are. */
struct missing {
  char what[400], why[500];
  unsigned count;
};

/* What is being compared: an object of the old version, and what came back of it, twice: into
 * memory that differed in each bit before. A bit that is the same in both is one that came back. */
struct validation {
  struct transfer *t;
  struct missing missing[MISSING_MAX];
  unsigned missing_count, missing_more;
  unsigned variables, blocks, differences;
  struct st_report unread; /* what the programs say on the way back: only their result counts */
  const char *name;        /* of a variable or library; or NULL: */
  const struct st_variable *variable; /* of the old version */
  const struct block *block;
  uint32_t type;
  const unsigned char *was;
  unsigned char *a, *b; /* with all bits of `was` turned before; with all of them */
};

static void add_missing(struct validation *v, const char *what, const char *why) {
  for (unsigned i = 0; i < v->missing_count; i++)
    if (strcmp(v->missing[i].what, what) == 0) {
      v->missing[i].count++;
      return;
    }
  if (v->missing_count == MISSING_MAX) {
    v->missing_more++;
    return;
  }
  struct missing *m = &v->missing[v->missing_count++];
  snprintf(m->what, sizeof(m->what), "%s", what);
  snprintf(m->why, sizeof(m->why), "%s", why);
  m->count = 1;
}

/* Of an element of an array it does not matter which. */
static void drop_indices(char *path) {
  char *to = path;
  for (const char *from = path; *from; from++)
    if (*from == '[') {
      *to++ = '[';
      from += strcspn(from, "]") - 1;
    } else {
      *to++ = *from;
    }
  *to = 0;
}

static void not_back(struct validation *v, const char *path, const char *why) {
  char what[400], type[160], general[192];
  snprintf(general, sizeof(general), "%s", path);
  drop_indices(general);
  type_text(v->t->plan->old, v->type, type, sizeof(type));
  if (v->name)
    snprintf(what, sizeof(what), "`%s%s`", v->name, general);
  else if (*general)
    snprintf(what, sizeof(what), "`%s` of a `%s`", general, type);
  else
    snprintf(what, sizeof(what), "a `%s`", type);
  add_missing(v, what, why);
}

/* ---- what handlers made, which have no inverse ---- */

static void not_back_from(struct validation *v, const char *path, const struct handler *h,
                          const char *does) {
  char why[200];
  snprintf(why, sizeof(why), "handler %s %s, and has no inverse", h->name, does);
  not_back(v, path, why);
}

/* The handler that makes objects of a type, or parts of them. */
static const struct handler *maker(const struct program *p) {
  const struct handler *h = NULL;
  for (unsigned i = 0; i < p->op_count && !h; i++) {
    const struct op *op = &p->ops[i];
    if (op->kind == OP_HANDLER) h = op->handler;
    if (op->kind == OP_REPEAT || op->kind == OP_TAIL) h = maker(op->element);
    for (uint32_t k = 0; op->kind == OP_LIVE && k < op->live->count && !h; k++)
      if (op->live->choices[k].program) h = maker(op->live->choices[k].program);
    if (op->kind == OP_LIVE && !h && op->live->otherwise && op->live->otherwise->program)
      h = maker(op->live->otherwise->program);
  }
  return h;
}

static const struct handler *maker_of(const struct plan *plan, const struct st_variable *new) {
  const struct handler *h = plan->handlers;
  while (h && h->target != new)
    h = h->next;
  return h;
}

static const struct handler *reader(const struct plan *plan, uint32_t type, const char *name) {
  const struct handler *h = plan->handlers;
  while (h && !handler_declares(h, type, name))
    h = h->next;
  return h;
}

/* The handler that reads a datum of the old version: what it made of it may be there instead. */
static const struct handler *reader_of(const struct validation *v, size_t at) {
  const struct plan *plan = v->t->plan;
  const struct handler *h = NULL;
  if (!plan->handlers) return NULL;
  if (v->variable) h = reader(plan, 0, st_meta_string(plan->old, v->variable->name));
  for (struct datum d = datum_at(plan->old, v->type, at); !h && datum_enter(&d);)
    if (d.member) h = reader(plan, d.in, d.member);
  return h;
}

/* ---- differences ---- */

static void value_text(const unsigned char *bytes, size_t size, char *out, size_t cap) {
  uint64_t value = 0;
  memcpy(&value, bytes, size < 8 ? size : 8);
  snprintf(out, cap, size > 8 ? "0x%llx..." : "0x%llx", (unsigned long long)value);
}

static void differs(struct validation *v, const char *path, uint32_t leaf, size_t at, size_t size) {
  char name[512], type[160] = "untyped", was[40], back[40], from[128] = "";
  const struct handler *h = reader_of(v, at);
  if (h) {
    not_back_from(v, path, h, "reads it");
    return;
  }
  if (++v->differences > DIFFERENCES_MAX) return;
  if (leaf) type_text(v->t->plan->old, leaf, type, sizeof(type));
  value_text(v->was + at, size, was, sizeof(was));
  value_text(v->a + at, size, back, sizeof(back));
  datum_name(v->t, v->name, v->block, path, name, sizeof(name));
  if (v->block) {
    const struct site *site = &ARENA_SITE[v->block->site];
    snprintf(from, sizeof(from), "; allocated at %s:%u", site->file, site->line);
  }
  report_violation(v->t->report,
                   "validation: `%s` (%s%s) was %s, and comes back as %s from the new version; the "
                   "change has no automatic inverse or loses data: keep its type, or convert it "
                   "in a handler",
                   name, type, from, was, back);
}

/* @return whether the word came back, or is not to be compared */
static bool word_back(struct validation *v, const char *path, bool united, size_t at) {
  uint64_t was, a, b;
  memcpy(&was, v->was + at, 8);
  memcpy(&a, v->a + at, 8);
  memcpy(&b, v->b + at, 8);
  if (a == ~was && b == was) {
    not_back(v, path,
             united ? "only what is live in a union is transferred"
                    : "the new version has no place for it");
    return true;
  }
  if (a == was || b == was) return true;
  if (pointer_traps(a)) {
    not_back(v, path, "it pointed to freed memory");
    return true;
  }
  return reverse_same(v->t, a, was);
}

/* @return whether the bits that came back are right */
static bool bits_back(struct validation *v, const char *path, size_t at, size_t size) {
  bool right = true, missing = true;
  for (size_t i = at; i < at + size; i++) {
    unsigned char came = (unsigned char)~(v->a[i] ^ v->b[i]);
    if (came & (v->a[i] ^ v->was[i])) right = false;
    if (came) missing = false;
  }
  if (missing) not_back(v, path, "the new version has no place for it");
  return right;
}

static bool holds_addresses(const struct st_meta *meta, uint32_t leaf) {
  const struct btf_type *t = type_of(meta, leaf);
  return btf_is_ptr(t) || btf_kind(t) == BTF_KIND_UNION;
}

/* Compares an object datum by datum: padding has none. */
static void compare(struct validation *v, size_t bytes) {
  const struct st_meta *old = v->t->plan->old;
  char path[192], next[192];
  for (size_t at = 0; at < bytes;) {
    uint32_t leaf, other;
    datum_path(old, v->type, at, path, sizeof(path), &leaf);
    size_t size = 1, whole = leaf ? type_bytes(old, leaf) : 1;
    while (leaf && size < whole && at + size < bytes &&
           strcmp(datum_path(old, v->type, at + size, next, sizeof(next), &other), path) == 0)
      size++;
    if (leaf && size % 8 == 0 && holds_addresses(old, leaf)) {
      for (size_t i = at; i < at + size; i += 8)
        if (!word_back(v, path, !btf_is_ptr(type_of(old, leaf)), i)) differs(v, path, leaf, i, 8);
    } else if (leaf && !bits_back(v, path, at, size)) {
      differs(v, path, leaf, at, size);
    }
    at += size;
  }
}

/* Whether all of it came back as it was: then there is nothing to name. */
static bool all_back(const struct validation *v, size_t bytes) {
  return memcmp(v->a, v->was, bytes) == 0 && memcmp(v->b, v->was, bytes) == 0;
}

/* Transfers one object back and compares. @param now_bytes  of the new object */
static int check_object(struct validation *v, const struct program *back, const unsigned char *now,
                        size_t now_bytes, size_t bytes) {
  struct transfer *t = v->t;
  struct reverse *r = t->reverse;
  struct st_report *report = t->report;
  struct place place = {.text = v->name ? v->name : "", .block = v->block, .index = -1};
  size_t room = program_new_bytes(back, now_bytes);
  if (room < bytes) room = bytes;
  v->a = malloc(2 * room + 1);
  if (!v->a) return -ENOMEM;
  v->b = v->a + room;
  for (size_t i = 0; i < bytes; i++)
    v->a[i] = (unsigned char)~v->was[i];
  memcpy(v->b, v->was, bytes);
  t->report = &v->unread;
  reverse_prefer_ends(r, false);
  program_run(t, back, now, v->a, now_bytes, &place);
  reverse_prefer_ends(r, true);
  program_run(t, back, now, v->b, now_bytes, &place);
  t->report = report;
  if (!all_back(v, bytes)) compare(v, bytes);
  free(v->a);
  return 0;
}

/* The program for the way back; notes why there is none. */
static const struct program *back_program(struct validation *v, const struct program *there) {
  const struct program *back =
      program_for(reverse_programs(v->t->reverse), there->new_type, there->old_type);
  const struct handler *h = maker(there);
  char why[500];
  if (h) {
    not_back_from(v, "", h, "makes it");
    return NULL;
  }
  if (!back || !back->refusal) return back;
  if (*back->refused)
    snprintf(why, sizeof(why), "there is no way back: for the plan the other way, `%s` %s",
             back->refused, back->refusal);
  else
    snprintf(why, sizeof(why), "there is no way back: for the plan the other way, it %s",
             back->refusal);
  not_back(v, "", why);
  return NULL;
}

/* ---- variables ---- */

static int check_variable(struct validation *v, uint32_t index) {
  struct transfer *t = v->t;
  const struct st_variable *old = &t->plan->old->variables[index];
  const struct variable_pair *pair = &t->plan->variables[index];
  char name[128];
  if (old->flags & ST_VAR_CONST) return 0;
  v->name = plan_variable_text(t->plan->old, old, name, sizeof(name));
  v->variable = old;
  v->block = NULL;
  v->type = old->type;
  v->was = transfer_snapshot(t, t->old.image[0].base + old->address, old->size);
  if (!v->was) return 0;
  const struct handler *reads = reader(t->plan, 0, st_meta_string(t->plan->old, old->name));
  if (!pair->new) {
    if (reads)
      not_back_from(v, "", reads, "reads it");
    else
      not_back(v, "", "the new version does not have it");
    return 0;
  }
  const struct handler *makes = maker_of(t->plan, pair->new);
  if (makes) {
    not_back_from(v, "", makes, "makes it");
    return 0;
  }
  if (!pair->program) return 0;
  if (pair->new->flags & ST_VAR_CONST) {
    not_back(v, "", "it is constant in the new version");
    return 0;
  }
  struct st_report *report = t->report;
  t->report = &v->unread;
  bool initial = initial_keep(t, old, pair, v->was, name);
  t->report = report;
  if (initial) {
    if (initial_compare(t->plan, old, pair) != INITIAL_SAME)
      not_back(v, "", "it takes its new initial value");
    return 0;
  }
  const struct program *back = back_program(v, pair->program);
  if (!back) return 0;
  v->variables++;
  return check_object(v, back, (const unsigned char *)(st_image_base() + pair->new->address),
                      pair->new->size, old->size);
}

/* ---- memory without types ---- */

static void check_words(struct validation *v, const unsigned char *now, size_t bytes) {
  for (size_t at = 0; at + 8 <= bytes; at += 8) {
    uint64_t value, was;
    memcpy(&value, now + at, 8);
    memcpy(&was, v->was + at, 8);
    if (value == was || reverse_follow(v->t, value, &pointed_any) == was ||
        reverse_same(v->t, value, was))
      continue;
    char path[32];
    snprintf(path, sizeof(path), " + %zu", at);
    v->a = (unsigned char *)(uintptr_t)now; /* what it comes back as is what it is */
    differs(v, path, 0, at, 8);
  }
}

static void check_libraries(struct validation *v) {
  struct transfer *t = v->t;
  v->variable = NULL;
  v->block = NULL;
  v->type = 0;
  for (unsigned i = 1; i < t->old.count; i++) {
    const struct image *old = &t->old.image[i];
    const struct image *new = images_named(&st_process.images, old->name);
    for (unsigned s = 0; new &&s < old->segment_count; s++) {
      const struct image_segment *seg = &old->segments[s];
      v->name = old->name;
      v->was = transfer_snapshot(t, seg->address, seg->bytes);
      check_words(v, (const unsigned char *)(seg->address - old->base + new->base), seg->bytes);
    }
  }
}

/* ---- blocks ---- */

static int check_typed(struct validation *v, const struct site_plan *sp, const struct block *now,
                       size_t bytes) {
  const struct program *there = sp->program, *back = back_program(v, there);
  const unsigned char *from = (const unsigned char *)now->address, *was = v->was;
  if (!back) return 0;
  v->blocks++;
  if (!there->changed && !there->points && now->bytes == bytes && memcmp(from, was, bytes) == 0)
    return 0;
  if (sp->flexible) return check_object(v, back, from, now->bytes, bytes);
  size_t count = there->old_bytes ? bytes / there->old_bytes : 0;
  int err = 0;
  for (size_t i = 0; i < count && !err; i++) {
    v->was = was + i * there->old_bytes;
    err = check_object(v, back, from + i * there->new_bytes, there->new_bytes, there->old_bytes);
  }
  return err;
}

static int check_block(const struct block *b, void *ctx) {
  struct validation *v = ctx;
  const struct site_plan *sp = transfer_plan_of(v->t, b);
  size_t bytes = transfer_old_bytes(v->t, sp, b);
  struct block now;
  if (!find_block(transfer_block(v->t, b), true, &now)) return 0;
  v->name = NULL;
  v->block = b;
  v->type = ARENA_SITE[b->site].type;
  v->was = old_memory_at(v->t, b->address, bytes);
  if (!v->was) return 0;
  if (sp->typed) return check_typed(v, sp, &now, bytes);
  v->blocks++;
  check_words(v, (const unsigned char *)now.address, bytes);
  return 0;
}

/* ---- all ---- */

static void report(struct validation *v) {
  struct st_report *r = v->t->report;
  if (v->differences > DIFFERENCES_MAX)
    report_violation(r, "validation: and %u differences more", v->differences - DIFFERENCES_MAX);
  report_note(r, "validation: %u variables and %u blocks were transferred back and compared",
              v->variables, v->blocks);
  for (unsigned i = 0; i < v->missing_count; i++)
    report_note(r, "validation: %s is not compared (%u times): %s", v->missing[i].what,
                v->missing[i].count, v->missing[i].why);
  if (v->missing_more) report_note(r, "validation: %u data more are not compared", v->missing_more);
}

int validate(struct transfer *t) {
  struct validation *v = calloc(1, sizeof(*v));
  int err = v ? old_memory_open() : -ENOMEM;
  if (!err) t->reverse = reverse_new(t);
  if (!err && !t->reverse) err = -ENOMEM;
  if (!err) v->t = t;
  for (uint32_t i = 0; !err && i < t->plan->old->header->variables.count; i++)
    err = check_variable(v, i);
  if (!err) check_libraries(v);
  if (!err) err = arena_each(check_block, v);
  if (!err) report(v);
  reverse_free(t->reverse);
  t->reverse = NULL;
  free(v);
  return err;
}
