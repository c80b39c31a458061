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

/* Calls that are looked for: those of a site's function and file. */
struct wanted {
  const struct st_meta *of;
  const struct st_site *site;
  bool typed;    /* of this type only: */
  uint32_t type; /* stripped, of the metadata that is looked through */
};

static bool is_wanted(const struct wanted *w, const struct st_meta *in, uint32_t index) {
  const struct st_site *s = &in->sites[index];
  return (!w->typed || type_strip(in, s->type) == w->type) &&
         strcmp(st_meta_string(in, s->function), st_meta_string(w->of, w->site->function)) == 0 &&
         same_stem(st_meta_string(in, s->file), st_meta_string(w->of, w->site->file));
}

static bool before(const struct st_site *a, const struct st_site *b) {
  return a->line < b->line || (a->line == b->line && a->column < b->column);
}

/* How many there are before `end` in the source; NULL: in all. */
static uint32_t count(const struct wanted *w, const struct st_meta *in, const struct st_site *end) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < in->header->sites.count; i++)
    if ((!end || before(&in->sites[i], end)) && is_wanted(w, in, i)) n++;
  return n;
}

/* @return 1 + its index, or 0 */
static uint32_t find_nth(const struct wanted *w, const struct st_meta *in, uint32_t nth) {
  for (uint32_t i = 0; i < in->header->sites.count; i++)
    if (is_wanted(w, in, i) && count(w, in, &in->sites[i]) == nth) return i + 1;
  return 0;
}

/* @param as_many  whether both versions must have as many of its type in the function */
static uint32_t find_same(struct plan *plan, uint32_t index, bool as_many) {
  const struct st_site *site = &plan->old->sites[index];
  struct wanted w = {plan->old, site, true, type_strip(plan->old, site->type)};
  uint32_t nth = count(&w, plan->old, site), all = as_many ? count(&w, plan->old, NULL) : 0;
  w.type = site->type ? programs_counterpart(plan->programs, site->type) : 0;
  if ((site->type && !w.type) || (as_many && count(&w, plan->new, NULL) != all)) return 0;
  uint32_t found = find_nth(&w, plan->new, nth);
  /* Blocks that are something else keep a site that says so. */
  bool alike = found && !((site->flags ^ plan->new->sites[found - 1].flags) & ST_SITE_UNSIZED);
  return alike ? found : 0;
}

/* The call at the same place of the function, when both versions have as many. */
static uint32_t find_partner(struct plan *plan, uint32_t index) {
  const struct st_site *site = &plan->old->sites[index];
  struct wanted w = {.of = plan->old, .site = site};
  bool as_many = count(&w, plan->old, NULL) == count(&w, plan->new, NULL);
  return as_many ? find_nth(&w, plan->new, count(&w, plan->old, site)) : 0;
}

static bool has_name(const struct st_meta *meta, uint32_t type) {
  return btf_is_composite(type_of(meta, type));
}

uint32_t site_pair_find(struct plan *plan, uint32_t index) {
  uint32_t old_type = plan->old->sites[index].type;
  bool named = !old_type || has_name(plan->old, old_type);
  uint32_t found = find_same(plan, index, !named);
  if (found || named) return found;
  found = find_partner(plan, index);
  uint32_t type = found ? plan->new->sites[found - 1].type : 0;
  const struct program *p =
      type && !has_name(plan->new, type) ? program_for(plan->programs, old_type, type) : NULL;
  return p && !p->refusal ? found : find_same(plan, index, false);
}

uint32_t site_pair_type(const struct plan *plan, uint32_t old_type, uint32_t pair) {
  uint32_t type = pair ? plan->new->sites[pair - 1].type : 0;
  return type && old_type && !has_name(plan->old, old_type) ? type : 0;
}

uint32_t *site_pairs_new(struct plan *plan) {
  uint32_t *pairs = calloc(ARENA_SITES, sizeof(*pairs));
  for (uint32_t entry = 1; pairs && entry < ARENA->sites; entry++)
    for (uint32_t i = 0; i < plan->old->header->sites.count && !pairs[entry]; i++)
      if (is_entry(&ARENA_SITE[entry], plan, i)) pairs[entry] = site_pair_find(plan, i);
  return pairs;
}
