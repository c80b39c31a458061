#include "libst/counterpart.h"

#include <stdlib.h>
#include <string.h>

enum likeness counterpart_likeness(const struct pairing *p, uint32_t old, uint32_t new) {
  const struct named *o = &p->old[old], *n = &p->new[new];
  if (strcmp(o->name, n->name) != 0) return LIKE_NONE;
  bool same_function = strcmp(o->function, n->function) == 0;
  if (!same_function && *o->function && *n->function) return LIKE_RELATED;
  if (!same_function || o->is_static != n->is_static) return LIKE_SCOPE;
  if (o->of == n->of && o->nth != n->nth) return LIKE_NONE; /* another block's */
  return !o->is_static || file_pairs_same(p->files, o->file, n->file) ? LIKE_SAME : LIKE_PLACE;
}

/* All of one name. */
struct group {
  const uint32_t *old, *new; /* indices */
  uint32_t old_count, new_count;
};

struct search {
  struct pairing *p;
  uint32_t *claims; /* by index of the new version: of how many it is a candidate */
  uint32_t *found;  /* room for candidates */
};

static bool is_candidate(const struct pairing *p, uint32_t old, uint32_t new, enum likeness level) {
  if (p->taken[new] || counterpart_likeness(p, old, new) != level) return false;
  if (level == LIKE_SAME) return true;
  if (p->new[new].own) return false;
  return level == LIKE_PLACE || !p->fits || p->fits(p->ctx, old, new);
}

/* Puts the candidates of an old one into `found`; where an annotation says which, only that. */
static uint32_t candidates(const struct search *s, const struct group *g, uint32_t old,
                           enum likeness level) {
  bool said = false;
  uint32_t count = 0, kept = 0;
  for (uint32_t i = 0; i < g->new_count; i++) {
    if (!is_candidate(s->p, old, g->new[i], level)) continue;
    s->found[count++] = g->new[i];
    said |= s->p->new[g->new[i]].said;
  }
  if (!said) return count;
  for (uint32_t i = 0; i < count; i++)
    if (s->p->new[s->found[i]].said) s->found[kept++] = s->found[i];
  return kept;
}

/* Is it to be concluded without a word of the programmer? */
static bool is_plain(const struct pairing *p, uint32_t old, uint32_t new, enum likeness level) {
  if (p->new[new].said || level == LIKE_SAME || level == LIKE_SCOPE) return true;
  return level == LIKE_PLACE && file_pairs_may_move(p->files, p->old[old].file, p->new[new].file);
}

static bool is_open(const struct search *s, uint32_t old) {
  return s->p->out[old].likeness == LIKE_NONE;
}

static void pair_group(const struct search *s, const struct group *g, enum likeness level) {
  for (uint32_t i = 0; i < g->new_count; i++)
    s->claims[g->new[i]] = 0;
  for (uint32_t i = 0; i < g->old_count; i++)
    for (uint32_t k = is_open(s, g->old[i]) ? candidates(s, g, g->old[i], level) : 0; k > 0; k--)
      s->claims[s->found[k - 1]]++;
  for (uint32_t i = 0; i < g->old_count; i++) {
    struct counterpart *c = &s->p->out[g->old[i]];
    uint32_t count = is_open(s, g->old[i]) ? candidates(s, g, g->old[i], level) : 0;
    if (count == 0) continue;
    c->likeness = level;
    c->index = s->found[0];
    c->doubtful =
        count > 1 || s->claims[c->index] > 1 || !is_plain(s->p, g->old[i], c->index, level);
  }
  for (uint32_t i = 0; i < g->new_count; i++)
    s->p->taken[g->new[i]] |= s->claims[g->new[i]] > 0;
}

static int by_name(const void *a, const void *b, void *all) {
  const struct named *named = all;
  const uint32_t *x = a, *y = b;
  int names = strcmp(named[*x].name, named[*y].name);
  return names ? names : (*x > *y) - (*x < *y);
}

/* The indices of `named` in the order of names. */
static uint32_t *sorted(const struct named *named, uint32_t count) {
  uint32_t *order = malloc((count + 1) * sizeof(*order));
  for (uint32_t i = 0; order && i < count; i++)
    order[i] = i;
  if (order) qsort_r(order, count, sizeof(*order), by_name, (void *)named);
  return order;
}

/* How many from `at` on have the same name. */
static uint32_t run(const struct named *named, const uint32_t *order, uint32_t count, uint32_t at) {
  uint32_t end = at + 1;
  while (end < count && strcmp(named[order[end]].name, named[order[at]].name) == 0)
    end++;
  return end - at;
}

static void pair_level(const struct search *s, const uint32_t *old, const uint32_t *new,
                       enum likeness level) {
  const struct pairing *p = s->p;
  for (uint32_t i = 0, k = 0; i < p->old_count && k < p->new_count;) {
    int names = strcmp(p->old[old[i]].name, p->new[new[k]].name);
    uint32_t old_run = names <= 0 ? run(p->old, old, p->old_count, i) : 0;
    uint32_t new_run = names >= 0 ? run(p->new, new, p->new_count, k) : 0;
    if (names == 0) pair_group(s, &(struct group){old + i, new + k, old_run, new_run}, level);
    i += old_run;
    k += new_run;
  }
}

bool counterparts_find(struct pairing *p) {
  p->out = calloc(p->old_count + 1, sizeof(*p->out));
  p->taken = calloc(p->new_count + 1, sizeof(*p->taken));
  if (!p->old || !p->new || !p->out || !p->taken) return false;
  uint32_t *old = sorted(p->old, p->old_count), *new = sorted(p->new, p->new_count);
  struct search s = {.p = p,
                     .claims = calloc(p->new_count + 1, sizeof(*s.claims)),
                     .found = calloc(p->new_count + 1, sizeof(*s.found))};
  bool good = old && new &&s.claims &&s.found;
  for (enum likeness level = LIKE_SAME; good && level > LIKE_NONE; level--)
    pair_level(&s, old, new, level);
  free(old);
  free(new);
  free(s.claims);
  free(s.found);
  return good;
}

void counterparts_free(struct pairing *p) {
  free(p->old);
  free(p->new);
  free(p->out);
  free(p->taken);
  *p = (struct pairing){0};
}
