/* After a relocation: any word that is still an old address was not known as a pointer. */
#include <stdio.h>
#include <string.h>

#include "libst/datum.h"
#include "libst/find.h"
#include "libst/process.h"
#include "libst/relocate.h"
#include "libst/report.h"
#include "libst/st.h"
#include "libst/transfer.h"
#include "libst/type.h"

enum { FOUND_MAX = 50 };

/* Memory being looked at: a variable, a library's data, or a block. */
struct scanned {
  struct transfer *t;
  const char *name;          /* or NULL: */
  const struct block *block; /* as it was in the old version */
  uint32_t type;             /* of the new version; 0 = none */
  unsigned found;
};

/* What the value addressed in the old version; "" when it is no old address. */
static const char *old_target(struct transfer *t, uint64_t value, char *out, size_t cap) {
  struct block b;
  char type[160] = "block";
  *out = 0;
  if (find_block(value, false, &b)) {
    const struct site *site = &ARENA_SITE[b.site];
    if (transfer_block(t, &b) == b.address) return out;
    if (site->type) type_text(t->plan->old, site->type, type, sizeof(type));
    snprintf(out, cap, "a `%s` (allocated at %s:%u)", type, site->file, site->line);
    return out;
  }
  const struct image *old = images_at(&t->old, value);
  if (!old || images_at(&st_process.images, value)) return out;
  const struct st_variable *v =
      old == &t->old.image[0] ? st_meta_variable_at(t->plan->old, value - old->base) : NULL;
  const struct st_function *f =
      old == &t->old.image[0] ? st_meta_function_at(t->plan->old, value - old->base) : NULL;
  if (v || f)
    snprintf(out, cap, "`%s`", st_meta_string(t->plan->old, v ? v->name : f->name));
  else
    snprintf(out, cap, "%s", *old->name ? old->name : "the executable");
  return out;
}

static void found(struct scanned *s, uint64_t offset, const char *target) {
  const struct st_meta *meta = s->t->plan->new;
  char path[192] = "", type[160] = "memory without a type", where[512], from[128] = "";
  uint32_t leaf = 0;
  if (s->type) datum_path(meta, s->type, offset, path, sizeof(path), &leaf);
  if (leaf) type_text(meta, leaf, type, sizeof(type));
  if (!leaf) snprintf(path, sizeof(path), " + %llu", (unsigned long long)offset);
  if (++s->found > FOUND_MAX) return;
  datum_name(s->t, s->block ? NULL : s->name, s->block, path, where, sizeof(where));
  if (s->block) {
    const struct site *site = &ARENA_SITE[s->block->site];
    snprintf(from, sizeof(from), "; allocated at %s:%u", site->file, site->line);
  }
  report_violation(s->t->report,
                   "`%s` (%s%s) still holds the old address of %s: it is not known as a pointer; "
                   "give it a pointer type or annotate it",
                   where, type, from, target);
}

static void scan(struct scanned *s, const void *memory, size_t bytes) {
  char target[256];
  uintptr_t start = ((uintptr_t)memory + 7) & ~7ul, end = ((uintptr_t)memory + bytes) & ~7ul;
  for (uintptr_t at = start; at < end; at += 8) {
    uint64_t value = *(const uint64_t *)at;
    if (value < 0x10000 || value >= 0x800000000000ul) continue;
    if (*old_target(s->t, value, target, sizeof(target))) found(s, at - (uintptr_t)memory, target);
  }
}

static int scan_block(const struct block *b, void *ctx) {
  struct scanned *s = ctx;
  const struct site_plan *sp = transfer_plan_of(s->t, b);
  struct block now;
  uintptr_t to = transfer_block(s->t, b);
  if (!find_block(to, true, &now)) return 0;
  s->block = b;
  s->type = sp->typed ? sp->program->new_type : 0;
  scan(s, (const void *)now.address, now.bytes);
  return 0;
}

static void scan_variables(struct scanned *s) {
  const struct st_meta *meta = s->t->plan->new;
  char name[128];
  s->block = NULL;
  for (uint32_t i = 0; i < meta->header->variables.count; i++) {
    const struct st_variable *v = &meta->variables[i];
    if (v->flags & ST_VAR_CONST) continue;
    s->name = plan_variable_text(meta, v, name, sizeof(name));
    s->type = v->type;
    scan(s, (const void *)(st_image_base() + v->address), v->size);
  }
}

static void scan_libraries(struct scanned *s) {
  const struct images *own = &st_process.images;
  s->block = NULL;
  s->type = 0;
  for (unsigned i = 1; i < own->count; i++)
    for (unsigned k = 0; k < own->image[i].segment_count; k++) {
      s->name = own->image[i].name;
      scan(s, (const void *)own->image[i].segments[k].address, own->image[i].segments[k].bytes);
    }
}

void relocate_scan(struct transfer *t) {
  struct scanned s = {.t = t};
  scan_variables(&s);
  scan_libraries(&s);
  arena_each(scan_block, &s);
  if (s.found > FOUND_MAX)
    report_violation(t->report, "and %u old addresses more", s.found - FOUND_MAX);
  relocate_report(t);
}
