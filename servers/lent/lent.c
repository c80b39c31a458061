#include "servers/lent/lent.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "libsys/area.h"

enum { LENT_MAX = 32 /* that are mapped at a time; more are mapped again and again */ };

struct lent {
  TAILQ_ENTRY(lent) link;
  struct sys_area area;
};

static TAILQ_HEAD(lent_list, lent) all = TAILQ_HEAD_INITIALIZER(all); /* used last comes last */
static unsigned count;

static void give_back(struct lent *l) {
  TAILQ_REMOVE(&all, l, link);
  sys_area_unmap(&l->area);
  free(l);
  count--;
}

static struct lent *find(uint32_t grant) {
  struct lent *l;
  TAILQ_FOREACH (l, &all, link)
    if (l->area.grant == grant) return l;
  return NULL;
}

static int map(uint32_t grant, struct lent **lent) {
  struct lent *l = calloc(1, sizeof *l);
  if (!l) return -ENOMEM;
  if (count == LENT_MAX) give_back(TAILQ_FIRST(&all));
  int error = sys_area_map(grant, &l->area);
  if (error) {
    free(l);
    return error;
  }
  TAILQ_INSERT_TAIL(&all, l, link);
  count++;
  *lent = l;
  return 0;
}

int lent_find(endpoint_t owner, uint32_t grant, uint64_t at, uint32_t bytes, uint32_t rights,
              void **memory) {
  struct lent *l = find(grant);
  int error = l ? 0 : map(grant, &l);
  if (error) return error;
  TAILQ_REMOVE(&all, l, link);
  TAILQ_INSERT_TAIL(&all, l, link);
  if (l->area.owner != owner || (l->area.rights & rights) != rights) return -EACCES;
  if (at > l->area.bytes || bytes > l->area.bytes - at) return -EFAULT;
  *memory = l->area.address + at;
  return 0;
}

bool lent_is_server(endpoint_t ep) {
  return ep == sys_lookup("mm");
}

void lent_revoked(void) {
  for (uint32_t grant = 0; (grant = sys_area_next_revoked(grant)) != 0;) {
    struct lent *l = find(grant);
    if (l) give_back(l);
  }
}

void lent_drop_all(void) {
  while (!TAILQ_EMPTY(&all))
    give_back(TAILQ_FIRST(&all));
}
