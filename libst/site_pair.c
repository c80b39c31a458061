#include "libst/site_pair.h"

#include <stdlib.h>
#include <string.h>

#include "libst/plan_annotate.h"
#include "libst/site.h"
#include "libst/type.h"

/* Versions of a component may be built from different files, `conn.c` and `conn.new.c`: what counts
 * is the name up to the first dot. */
static bool same_stem(const char *a, const char *b) {
  const char *slash_a = strrchr(a, '/'), *slash_b = strrchr(b, '/');
  if (slash_a) a = slash_a + 1;
  if (slash_b) b = slash_b + 1;
  size_t length = strcspn(a, ".");
  return length == strcspn(b, ".") && memcmp(a, b, length) == 0;
}

/* Is this entry of the arena's table that site of the old metadata? */
static bool is_entry(const struct site *entry, const struct plan *plan, uint32_t index) {
  const struct st_meta *old = plan->old;
  struct site described;
  if (old->sites[index].line != entry->line) return false;
  site_describe(&described, old, index);
  return described.type == plan_annotated_block(plan, entry->function, entry->type) &&
         strcmp(described.function, entry->function) == 0 &&
         strcmp(described.file, entry->file) == 0;
}

/* Same function, file and type? */
static bool alike(const struct st_meta *a, const struct st_site *sa, uint32_t type_a,
                  const struct st_meta *b, const struct st_site *sb, uint32_t type_b) {
  return type_a == type_b &&
         strcmp(st_meta_string(a, sa->function), st_meta_string(b, sb->function)) == 0 &&
         same_stem(st_meta_string(a, sa->file), st_meta_string(b, sb->file));
}

static bool before(const struct st_site *a, const struct st_site *b) {
  return a->line < b->line || (a->line == b->line && a->column < b->column);
}

/* How many sites like it come before it in the source. */
static uint32_t ordinal(const struct st_meta *meta, uint32_t index) {
  const struct st_site *site = &meta->sites[index];
  uint32_t type = type_strip(meta, site->type), count = 0;
  for (uint32_t i = 0; i < meta->header->sites.count; i++)
    if (before(&meta->sites[i], site) &&
        alike(meta, site, type, meta, &meta->sites[i], type_strip(meta, meta->sites[i].type)))
      count++;
  return count;
}

static uint32_t find_new(struct plan *plan, uint32_t index) {
  const struct st_site *site = &plan->old->sites[index];
  uint32_t type = site->type ? programs_counterpart(plan->programs, site->type) : 0;
  uint32_t nth = ordinal(plan->old, index);
  if (site->type && !type) return 0;
  for (uint32_t i = 0; i < plan->new->header->sites.count; i++)
    if (alike(plan->old, site, type, plan->new, &plan->new->sites[i],
              type_strip(plan->new, plan->new->sites[i].type)) &&
        ordinal(plan->new, i) == nth)
      return i + 1;
  return 0;
}

uint32_t *site_pairs_new(struct plan *plan) {
  uint32_t *pairs = calloc(ARENA_SITES, sizeof(*pairs));
  for (uint32_t entry = 1; pairs && entry < ARENA->sites; entry++)
    for (uint32_t i = 0; i < plan->old->header->sites.count && !pairs[entry]; i++)
      if (is_entry(&ARENA_SITE[entry], plan, i)) pairs[entry] = find_new(plan, i);
  return pairs;
}
