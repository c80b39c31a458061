#include "bus/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "bus/control.h"
#include "bus/loader_proto.h"
#include "bus/self.h"
#include "libst/annotate.h"
#include "libst/fault_page.h"

static int page = -1; /* of this process, and not of the next */
ST_VAR(page, dont_transfer);

int fault_page_fd(void) {
  return page;
}

void fault_init(bool update) {
  if (fcntl(LOADER_FAULT_FD, F_GETFD) < 0) return;
  page = self_keep(LOADER_FAULT_FD);
  int error = st_fault_attach(page, "busd");
  if (update) st_fault_party_next("busd");
  if (error) bus_log("the page of faults cannot be mapped: %s", strerror(-error));
}

static struct fault_order *free_order(void) {
  for (unsigned i = 0; i < FAULT_ORDERS_MAX; i++)
    if (atomic_load(&st_fault_page->orders[i].state) == FAULT_FREE)
      return &st_fault_page->orders[i];
  return NULL;
}

static int order(const Proteos__FaultOrder *o, char *why, size_t cap) {
  struct fault_order *to = free_order();
  if (!o || !*o->party || strlen(o->party) >= FAULT_PARTY_MAX || !*o->point ||
      strlen(o->point) >= ST_FAULT_NAME_MAX || o->nth == 0 || o->value < 0 ||
      o->action < PROTEOS__FAULT_ORDER__ACTION__CRASH ||
      o->action > PROTEOS__FAULT_ORDER__ACTION__DELAY) {
    snprintf(why, cap, "the order of a fault has no meaning");
    return -EINVAL;
  }
  if (!to) {
    snprintf(why, cap, "there are %u orders already; prctl fault --clear forgets them",
             FAULT_ORDERS_MAX);
    return -ENOSPC;
  }
  to->action = (uint32_t)o->action;
  to->nth = o->nth;
  to->value = o->value;
  atomic_store(&to->hits, 0);
  snprintf(to->party, sizeof(to->party), "%s", o->party);
  snprintf(to->point, sizeof(to->point), "%s", o->point);
  atomic_store(&to->state, FAULT_VALID);
  return 0;
}

static void clear(void) {
  for (unsigned i = 0; i < FAULT_ORDERS_MAX; i++)
    atomic_store(&st_fault_page->orders[i].state, FAULT_FREE);
  for (unsigned i = 0; i < FAULT_HITS_MAX; i++)
    atomic_store(&st_fault_page->hits[i].state, FAULT_FREE);
}

/* ---- list ---- */

static unsigned list_orders(Proteos__FaultOrder *orders, Proteos__FaultOrder **list) {
  unsigned n = 0;
  for (unsigned i = 0; i < FAULT_ORDERS_MAX; i++) {
    struct fault_order *from = &st_fault_page->orders[i];
    uint32_t state = atomic_load(&from->state);
    if (state != FAULT_VALID && state != FAULT_FIRED) continue;
    Proteos__FaultOrder *to = list[n] = &orders[n];
    proteos__fault_order__init(to);
    to->party = from->party;
    to->point = from->point;
    to->action = (Proteos__FaultOrder__Action)from->action;
    to->nth = from->nth;
    to->value = from->value;
    to->fired = state == FAULT_FIRED;
    n++;
  }
  return n;
}

static unsigned list_hits(Proteos__FaultHit *hits, Proteos__FaultHit **list) {
  unsigned n = 0;
  for (unsigned i = 0; i < FAULT_HITS_MAX; i++) {
    struct fault_hit *from = &st_fault_page->hits[i];
    if (atomic_load(&from->state) != FAULT_VALID) continue;
    Proteos__FaultHit *to = list[n] = &hits[n];
    proteos__fault_hit__init(to);
    to->party = from->party;
    to->point = from->point;
    to->count = atomic_load(&from->count);
    to->error = from->error;
    n++;
  }
  return n;
}

struct listed {
  Proteos__FaultOrder orders[FAULT_ORDERS_MAX], *order_list[FAULT_ORDERS_MAX];
  Proteos__FaultHit hits[FAULT_HITS_MAX], *hit_list[FAULT_HITS_MAX];
};

/* On the heap for as long as it takes: it points into the page, which is no state. */
static int list(int fd) {
  struct listed *l = malloc(sizeof(*l));
  if (!l) return -ENOMEM;
  Proteos__ControlReply reply = PROTEOS__CONTROL_REPLY__INIT;
  Proteos__FaultStatus faults = PROTEOS__FAULT_STATUS__INIT;
  faults.n_orders = list_orders(l->orders, l->order_list);
  faults.orders = l->order_list;
  faults.n_hits = list_hits(l->hits, l->hit_list);
  faults.hits = l->hit_list;
  reply.last = true;
  reply.faults = &faults;
  int error = control_reply(fd, &reply);
  free(l);
  return error ? error : 1;
}

int fault_request(int fd, const Proteos__FaultRequest *r, char *why, size_t cap) {
  if (!st_fault_page) {
    snprintf(why, cap, "this instance has no fault points: boot it with --faults");
    return -EOPNOTSUPP;
  }
  switch (r->command) {
  case PROTEOS__FAULT_REQUEST__COMMAND__LIST:
    return list(fd);
  case PROTEOS__FAULT_REQUEST__COMMAND__ORDER:
    return order(r->order, why, cap);
  case PROTEOS__FAULT_REQUEST__COMMAND__CLEAR:
    clear();
    return 0;
  default:
    return -EINVAL;
  }
}
