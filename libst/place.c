#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "libst/datum.h"
#include "libst/handler_plan.h"
#include "libst/path.h"
#include "libst/report.h"
#include "libst/st.h"
#include "libst/transfer.h"
#include "libst/type.h"

enum { PATHS_MAX = 20 };

static size_t append(char *out, size_t cap, size_t at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static size_t append(char *out, size_t cap, size_t at, const char *format, ...) {
  if (at >= cap) return at;
  va_list args;
  va_start(args, format);
  int length = vsnprintf(out + at, cap - at, format, args);
  va_end(args);
  return at + (length > 0 ? (size_t)length : 0);
}

/* A block is named as the program would reach it, with the place of its allocation. */
static size_t add_block(struct transfer *t, const struct block *b, char *out, size_t cap) {
  const struct site *site = &ARENA_SITE[b->site];
  char type[128] = "untyped block", path[256];
  if (site->type) type_text(t->plan->old, site->type, type, sizeof(type));
  /* The search is slow: where much is wrong the first ones must do. */
  bool search = t->report->violations + t->report->notes < PATHS_MAX;
  if (search && *path_to_block(t, b, path, sizeof(path))) return append(out, cap, 0, "%s", path);
  return append(out, cap, 0, "(%s from %s:%u)", type, site->file, site->line);
}

/* Is this the block itself, rather than a member or an element of it? */
static bool in_block(const struct place *p) {
  return p->block && p->index < 0;
}

static const struct block *block_of(const struct place *p) {
  while (p->up)
    p = p->up;
  return p->block;
}

static size_t add(struct transfer *t, const struct place *p, char *out, size_t cap) {
  size_t at = p->up ? add(t, p->up, out, cap) : 0;
  if (p->block) at = add_block(t, p->block, out, cap);
  bool member = p->text[0] == '.' && p->up && in_block(p->up);
  at = append(out, cap, at, "%s%s", member ? "->" : "", p->text + member);
  if (p->index >= 0) at = append(out, cap, at, "[%ld]", p->index);
  return at;
}

/* What is too long loses its middle: the datum is named at the end. */
static void copy_ends(const char *text, char *out, size_t cap) {
  size_t length = strlen(text), head = cap / 2, tail = cap - head - sizeof("...");
  if (length < cap)
    memcpy(out, text, length + 1);
  else
    snprintf(out, cap, "%.*s...%s", (int)head, text, text + length - tail);
}

const char *place_text(struct transfer *t, const struct place *place, char *out, size_t cap) {
  char whole[1024] = "";
  add(t, place, whole, sizeof(whole));
  copy_ends(whole, out, cap);
  return out;
}

static size_t add_general(struct transfer *t, const struct place *p, char *out, size_t cap) {
  size_t at = p->up ? add_general(t, p->up, out, cap) : 0;
  at = append(out, cap, at, "%s", p->text);
  return p->index < 0 ? at : append(out, cap, at, "[]");
}

const char *place_general(struct transfer *t, const struct place *place, char *out, size_t cap) {
  const struct block *block = block_of(place);
  char path[256] = "", type[160] = "untyped block";
  add_general(t, place, path, sizeof(path));
  uint32_t id = block ? ARENA_SITE[block->site].type : 0;
  if (id) type_text(t->plan->old, id, type, sizeof(type));
  if (!block)
    snprintf(out, cap, "`%s`", path);
  else if (*path)
    snprintf(out, cap, "`%s` of a `%s`", path, type);
  else
    snprintf(out, cap, "a `%s`", type);
  return out;
}

const char *place_annotation(struct transfer *t, const struct place *place, const char *what,
                             char *out, size_t cap) {
  *out = 0;
  if (place->op)
    datum_annotation(programs_target(t->plan->programs), place->program->new_type,
                     place->op->new_at, what, out, cap);
  while (place->up && !*place->text && !*out)
    place = place->up;
  if (*out || place->up || place->block) return out;
  const char *in = strstr(place->text, " in "); /* a function: plan_variable_text() */
  if (in)
    snprintf(out, cap, "ST_STATIC(%s, %.*s, %s)", in + 4, (int)(in - place->text), place->text,
             what);
  else
    snprintf(out, cap, "ST_VAR(%s, %s)", place->text, what);
  return out;
}

/* What a datum is in both versions, as far as it is known; 0 = it is not. */
static void find_types(struct programs *ps, const struct place *place, uint32_t *old_type,
                       uint32_t *new_type) {
  char path[192];
  const struct op *op = place->op;
  *old_type = *new_type = 0;
  if (op && op->kind == OP_HANDLER) {
    *old_type = op->handler->old_type;
    *new_type = op->handler->new_type;
  } else if (op) {
    datum_path(programs_old(ps), place->program->old_type, op->old_at, path, sizeof(path),
               old_type);
    datum_path(programs_target(ps), place->program->new_type, op->new_at, path, sizeof(path),
               new_type);
  } else if (place->block && place->index < 0) {
    *old_type = ARENA_SITE[place->block->site].type;
    *new_type = *old_type ? programs_counterpart(ps, *old_type) : 0;
  }
}

/* The datum's types: "`int`, now `long`", or one when they read the same. */
static void add_types(struct transfer *t, const struct place *place, char *out, size_t cap) {
  char old_text[160] = "", new_text[160] = "";
  uint32_t old_type, new_type;
  const struct st_meta *old = programs_old(t->plan->programs);
  const struct st_meta *new = programs_target(t->plan->programs);
  find_types(t->plan->programs, place, &old_type, &new_type);
  if (!old_type || !new_type) return;
  type_text(old, old_type, old_text, sizeof(old_text));
  type_text(new, new_type, new_text, sizeof(new_text));
  if (strcmp(old_text, new_text) == 0)
    snprintf(out, cap, "`%s`", old_text);
  else
    snprintf(out, cap, "`%s`, now `%s`", old_text, new_text);
}

void transfer_refuse(struct transfer *t, const struct place *place, const char *format, ...) {
  char where[256], text[512];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  char about[512] = "";
  place_text(t, place, where, sizeof(where));
  add_types(t, place, about, sizeof(about));
  const struct block *block = block_of(place);
  size_t used = strlen(about);
  if (block)
    snprintf(about + used, sizeof(about) - used, "%sallocated at %s:%u", used ? "; " : "",
             ARENA_SITE[block->site].file, ARENA_SITE[block->site].line);
  if (*about)
    report_violation(t->report, "`%s` (%s) %s", where, about, text);
  else
    report_violation(t->report, "`%s` %s", where, text);
}
