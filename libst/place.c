#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "libst/datum.h"
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

const char *place_text(struct transfer *t, const struct place *place, char *out, size_t cap) {
  *out = 0;
  add(t, place, out, cap);
  return out;
}

/* The datum's types: "`int`, now `long`", or one when they read the same. */
static void add_types(struct transfer *t, const struct place *place, char *out, size_t cap) {
  char path[192], old_text[160] = "", new_text[160] = "";
  uint32_t old_type, new_type;
  if (!place->op) return;
  const struct program *p = place->program;
  const struct st_meta *old = programs_old(t->plan->programs);
  const struct st_meta *new = programs_target(t->plan->programs);
  datum_path(old, p->old_type, place->op->old_at, path, sizeof(path), &old_type);
  datum_path(new, p->new_type, place->op->new_at, path, sizeof(path), &new_type);
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
