#include "print.h"

#include "area.h"
#include "control.pb-c.h"
#include "libst/annotate.h"
#include "libsys/kern.h"
#include "libsys/sys.h"
#include "quota.h"

enum { ENDPOINTS = 64 };

/* What the reply points to. Packed, all of it is less than SYS_PAYLOAD_MAX. */
struct table {
  Proteos__AreaStatus areas[AREAS_MAX], *area_list[AREAS_MAX];
  Proteos__GrantStatus grants[GRANTS_MAX], *grant_list[GRANTS_MAX];
  Proteos__MemoryAccount accounts[ENDPOINTS], *account_list[ENDPOINTS];
  size_t nareas, ngrants, naccounts;
};

static char *name_of(endpoint_t e) {
  return (char *)(uintptr_t)(e ? sys_name(e) : "");
}

static void add_grant(struct table *t, const struct area *a, const struct grant *g) {
  Proteos__GrantStatus *s = t->grant_list[t->ngrants] = &t->grants[t->ngrants];
  proteos__grant_status__init(s);
  t->ngrants++;
  s->number = g->number;
  s->holder = (uint32_t)g->holder;
  s->holder_name = name_of(g->holder);
  s->first = g->first * a->segment_bytes;
  s->bytes = g->count * a->segment_bytes;
  s->writable = g->rights & MEM_WRITE;
  s->mapped = g->state != GRANT_GIVEN;
  s->revoking = g->state == GRANT_REVOKING;
}

static void add_area(struct table *t, const struct area *a) {
  Proteos__AreaStatus *s = t->area_list[t->nareas] = &t->areas[t->nareas];
  const struct grant *g;
  proteos__area_status__init(s);
  t->nareas++;
  s->number = a->number;
  s->owner = (uint32_t)a->owner;
  s->owner_name = name_of(a->owner);
  s->bytes = area_bytes(a);
  s->segment_bytes = a->segment_bytes;
  s->ending = a->state == AREA_ENDING;
  s->grants = &t->grant_list[t->ngrants];
  LIST_FOREACH (g, &a->grants, link) {
    add_grant(t, a, g);
    s->n_grants++;
  }
}

static void add_account(struct table *t, endpoint_t e) {
  struct mem_account account;
  if (!quota_account(e, &account)) return;
  Proteos__MemoryAccount *s = t->account_list[t->naccounts] = &t->accounts[t->naccounts];
  proteos__memory_account__init(s);
  t->naccounts++;
  s->endpoint = (uint32_t)e;
  s->name = name_of(e);
  s->areas = account.areas;
  s->bytes = account.bytes;
  s->quota = account.quota;
  s->grants = account.grants;
  s->mapped = account.mapped;
}

void print_table(const msg_t *m) {
  static uint8_t packed[SYS_PAYLOAD_MAX];
  struct table t = {0};
  Proteos__ControlReply reply = PROTEOS__CONTROL_REPLY__INIT;
  Proteos__MemoryStatus status = PROTEOS__MEMORY_STATUS__INIT;
  for (const struct area *a = areas; a < areas + AREAS_MAX; a++)
    if (a->state != AREA_FREE) add_area(&t, a);
  for (endpoint_t e = 0; e < ENDPOINTS; e++)
    add_account(&t, e);
  status.n_areas = t.nareas;
  status.areas = t.area_list;
  status.n_accounts = t.naccounts;
  status.accounts = t.account_list;
  reply.last = true;
  reply.memory = &status;
  kern_control_send(m->u64[0], packed, proteos__control_reply__pack(&reply, packed), true);
}
ST_STATIC(print_table, packed, dont_transfer);
