#include "area.h"

#include <errno.h>
#include <stdlib.h>

#include "kernel.h"

struct area areas[AREAS_MAX];
static uint32_t last_area, last_grant;

/* ---- areas ---- */

uint64_t area_round(uint64_t bytes, uint64_t *segment_bytes) {
  if (!bytes || bytes > UINT64_MAX / 2 || *segment_bytes > UINT64_MAX / 4) return 0;
  if (!*segment_bytes)
    *segment_bytes = (bytes + MEM_SEGMENT_BYTES - 1) & ~(MEM_SEGMENT_BYTES - 1ull);
  if (*segment_bytes % MEM_SEGMENT_BYTES) return 0;
  uint64_t n = (bytes + *segment_bytes - 1) / *segment_bytes;
  return n <= MEM_SEGMENTS_MAX ? n * *segment_bytes : 0;
}

uint64_t area_bytes(const struct area *a) {
  return a->nsegments * a->segment_bytes;
}

static struct area *free_area(endpoint_t owner) {
  struct area *found = NULL;
  unsigned owned = 0;
  for (struct area *a = areas; a < areas + AREAS_MAX; a++) {
    if (a->state == AREA_FREE)
      found = a;
    else
      owned += a->owner == owner;
  }
  return owned < AREAS_OWNED_MAX ? found : NULL;
}

static void drop_segments(struct area *a) {
  while (a->nsegments)
    kernel_segment_drop(a->segments[--a->nsegments]);
}

static int make_segments(struct area *a, uint64_t n) {
  while (a->nsegments < n) {
    int error = kernel_segment_make(a->segment_bytes, &a->segments[a->nsegments]);
    if (error) return error;
    a->nsegments++;
  }
  return 0;
}

int area_create(endpoint_t owner, uint64_t bytes, uint64_t segment_bytes, struct area **made,
                struct grant **own) {
  bytes = area_round(bytes, &segment_bytes);
  if (!bytes) return -EINVAL;
  struct area *a = free_area(owner);
  if (!a) return -ENFILE;
  *a = (struct area){.owner = owner, .segment_bytes = segment_bytes};
  int error = make_segments(a, bytes / segment_bytes);
  if (!error) error = grant_make(a, owner, 0, bytes, MEM_READ | MEM_WRITE, own);
  if (error) {
    drop_segments(a);
    return error;
  }
  a->state = AREA_LIVE;
  a->number = ++last_area;
  *made = a;
  return 0;
}

struct area *area_find(endpoint_t owner, uint32_t number) {
  for (struct area *a = areas; a < areas + AREAS_MAX; a++)
    if (a->state == AREA_LIVE && a->number == number && a->owner == owner) return a;
  return NULL;
}

void area_free(struct area *a) {
  drop_segments(a);
  *a = (struct area){.state = AREA_FREE};
}

/* ---- grants ---- */

/* @param all  receives how many there are altogether; @return of the owner's areas */
static unsigned count_grants(endpoint_t owner, unsigned *all) {
  unsigned owned = 0;
  const struct grant *g;
  *all = 0;
  for (const struct area *a = areas; a < areas + AREAS_MAX; a++)
    LIST_FOREACH (g, &a->grants, link) {
      (*all)++;
      owned += a->owner == owner;
    }
  return owned;
}

/* What a holder may do with a segment by all its grants that are open. */
static uint32_t rights_to(const struct area *a, uint32_t segment, endpoint_t holder) {
  uint32_t rights = 0;
  const struct grant *g;
  LIST_FOREACH (g, &a->grants, link)
    if (g->holder == holder && g->state != GRANT_GIVEN && segment - g->first < g->count)
      rights |= g->rights;
  return rights;
}

int grant_make(struct area *a, endpoint_t to, uint64_t first, uint64_t bytes, uint32_t rights,
               struct grant **made) {
  unsigned all;
  uint32_t incarnation;
  if (first % a->segment_bytes || bytes % a->segment_bytes || !bytes) return -EINVAL;
  if (rights != MEM_READ && rights != (MEM_READ | MEM_WRITE)) return -EINVAL;
  uint64_t at = first / a->segment_bytes, count = bytes / a->segment_bytes;
  if (at >= a->nsegments || count > a->nsegments - at) return -EINVAL;
  if (count_grants(a->owner, &all) >= GRANTS_OWNED_MAX || all >= GRANTS_MAX) return -ENFILE;
  /* Changes nothing, but tells whether there is such a component. */
  int error =
      kernel_segment_share(a->segments[at], to, rights_to(a, (uint32_t)at, to), &incarnation);
  if (error) return error;
  struct grant *g = calloc(1, sizeof(*g));
  if (!g) return -ENOMEM;
  g->number = ++last_grant;
  g->state = GRANT_GIVEN;
  g->holder = to;
  g->incarnation = incarnation;
  g->first = (uint32_t)at;
  g->count = (uint32_t)count;
  g->rights = rights;
  LIST_INSERT_HEAD(&a->grants, g, link);
  *made = g;
  return 0;
}

struct grant *grant_find(uint32_t number, struct area **of) {
  struct grant *g;
  for (struct area *a = areas; a < areas + AREAS_MAX; a++)
    LIST_FOREACH (g, &a->grants, link)
      if (g->number == number) {
        *of = a;
        return g;
      }
  return NULL;
}

/* Tells the kernel what is true of its segments now. */
static int share(const struct area *a, const struct grant *g) {
  int error = 0;
  for (uint32_t s = g->first; s < g->first + g->count; s++) {
    int result = kernel_segment_share(a->segments[s], g->holder, rights_to(a, s, g->holder), NULL);
    if (!error) error = result;
  }
  return error;
}

int grant_open(const struct area *a, struct grant *g) {
  if (g->state != GRANT_GIVEN) return 0;
  g->state = GRANT_MAPPED;
  int error = share(a, g);
  if (error) grant_close(a, g);
  return error;
}

void grant_close(const struct area *a, struct grant *g) {
  if (g->state == GRANT_GIVEN) return;
  g->state = GRANT_GIVEN;
  share(a, g);
}

void grant_free(struct grant *g) {
  LIST_REMOVE(g, link);
  free(g);
}

uint32_t grant_next_revoked(endpoint_t holder, uint32_t after) {
  uint32_t next = 0;
  const struct grant *g;
  for (const struct area *a = areas; a < areas + AREAS_MAX; a++)
    LIST_FOREACH (g, &a->grants, link)
      if (g->holder == holder && g->state == GRANT_REVOKING && g->number > after &&
          (!next || g->number < next))
        next = g->number;
  return next;
}
