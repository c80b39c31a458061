/* The mm component: memory that components share, as a service (libsys/if/mem.h).
 *
 * Arguments: quota=SIZE what each component may own, NAME=SIZE what that one may,
 * patience=MILLISECONDS that holders have at least to unmap what is revoked, and those of what a
 * dead owner leaves. */
#include <errno.h>
#include <stdio.h>

#include "area.h"
#include "bus/abi.h"
#include "libsys/sys.h"
#include "print.h"
#include "quota.h"
#include "revoke.h"

SYS_NEEDS(kernel, "memory");

enum { ENDPOINTS = 64, PATIENCE_MAX_MS = 60000 };

static int create(const msg_t *m, struct mem_create_reply *reply) {
  uint64_t segment_bytes = IPC(m, mem_create)->segment_bytes;
  uint64_t bytes = area_round(IPC(m, mem_create)->bytes, &segment_bytes);
  struct area *a;
  struct grant *own;
  if (!bytes) return -EINVAL;
  if (!quota_allows(m->source, bytes)) return -EDQUOT;
  int error = area_create(m->source, bytes, segment_bytes, &a, &own);
  if (error) return error;
  *reply = (struct mem_create_reply){.bytes = bytes, .area = a->number, .grant = own->number};
  return 0;
}

static int give(const msg_t *m, struct mem_grant_reply *reply) {
  const struct mem_grant *what = IPC(m, mem_grant);
  struct area *a = area_find(m->source, what->area);
  struct grant *g;
  if (!a) return -ENOENT;
  int error = grant_make(a, what->to, what->first, what->bytes, what->rights, &g);
  if (!error) reply->grant = g->number;
  return error;
}

/* A grant that the sender holds. */
static struct grant *held(const msg_t *m, uint32_t number, struct area **of) {
  struct grant *g = grant_find(number, of);
  return g && g->holder == m->source ? g : NULL;
}

static int map(const msg_t *m, msg_t *reply) {
  struct area *a;
  struct grant *g = held(m, IPC(m, mem_map)->grant, &a);
  if (!g || g->state == GRANT_REVOKING || a->state != AREA_LIVE) return -ENOENT;
  int error = grant_open(a, g);
  if (error) return error;
  *IPC_REPLY(reply, mem_map) = (struct mem_map_reply){.bytes = g->count * a->segment_bytes,
                                                      .segment_bytes = a->segment_bytes,
                                                      .segments = g->count,
                                                      .rights = g->rights,
                                                      .owner = a->owner};
  return sys_reply_bulk(m->token, reply, &a->segments[g->first], g->count * sizeof(uint32_t));
}

static int release(const msg_t *m) {
  struct area *a;
  struct grant *g = held(m, IPC(m, mem_release)->grant, &a);
  if (!g) return -ENOENT;
  revoke_released(a, g);
  return 0;
}

static bool is_patience(uint32_t ms) {
  return ms >= 1 && ms <= PATIENCE_MAX_MS;
}

/* An owner shall not have others ended by haste. */
static uint32_t patience(uint32_t ms) {
  return ms > quota_patience_ms() ? ms : quota_patience_ms();
}

/* Answered when it is gone, unless there is an error. */
static int revoke(const msg_t *m) {
  const struct mem_revoke *what = IPC(m, mem_revoke);
  struct area *a;
  struct grant *g = grant_find(what->grant, &a);
  if (!g || a->owner != m->source || a->state != AREA_LIVE) return -ENOENT;
  if (!is_patience(what->patience_ms)) return -EINVAL;
  if (g->token) return -EBUSY;
  revoke_grant(a, g, patience(what->patience_ms), m->token);
  return 0;
}

static bool owner_maps(const struct area *a) {
  const struct grant *g;
  LIST_FOREACH (g, &a->grants, link)
    if (g->holder == a->owner && g->state != GRANT_GIVEN) return true;
  return false;
}

static int destroy(const msg_t *m) {
  const struct mem_destroy *what = IPC(m, mem_destroy);
  struct area *a = area_find(m->source, what->area);
  if (!a) return -ENOENT;
  if (!is_patience(what->patience_ms)) return -EINVAL;
  if (owner_maps(a)) return -EBUSY;
  revoke_area(a, patience(what->patience_ms), m->token);
  return 0;
}

static void list(const msg_t *m, msg_t *reply) {
  struct mem_account accounts[ENDPOINTS];
  unsigned n = 0;
  for (endpoint_t e = 0; e < ENDPOINTS; e++)
    n += quota_account(e, &accounts[n]);
  sys_reply_bulk(m->token, reply, accounts, n * sizeof(accounts[0]));
}

static void process_request(const msg_t *m) {
  msg_t reply = {.type = m->type | SYS_REPLY_FLAG};
  bool answered = false; /* when there is no error */
  switch (m->type) {
  case MEM_CREATE:
    reply.status = create(m, IPC_REPLY(&reply, mem_create));
    break;
  case MEM_GRANT:
    reply.status = give(m, IPC_REPLY(&reply, mem_grant));
    break;
  case MEM_MAP:
    answered = true;
    reply.status = map(m, &reply);
    break;
  case MEM_RELEASE:
    reply.status = release(m);
    break;
  case MEM_REVOKE:
    answered = true;
    reply.status = revoke(m);
    break;
  case MEM_DESTROY:
    answered = true;
    reply.status = destroy(m);
    break;
  case MEM_NEXT_REVOKED:
    IPC_REPLY(&reply, mem_next_revoked)->grant =
        grant_next_revoked(m->source, IPC(m, mem_next_revoked)->after);
    break;
  case MEM_LIST:
    answered = true;
    list(m, &reply);
    break;
  default:
    reply.status = -ENOSYS;
    break;
  }
  if (reply.status || !answered) sys_reply(m->token, &reply);
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (quota_argument(argv[i])) continue;
    fprintf(stderr, "mm: '%s' is none of quota=SIZE, patience=MILLISECONDS, NAME=SIZE\n", argv[i]);
    return 2;
  }
  event_eh_t handlers = {0};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    if (m.type == SYS_NOTIFIED && m.source == SYS_KERNEL)
      revoke_expire();
    else if (m.type == SYS_EXITED || m.type == SYS_RESTARTED)
      revoke_exited(m.i32[0], quota_patience_ms());
    else if (m.type == BUS_TABLE && m.source == SYS_KERNEL)
      print_table(&m);
    else if (msg_is_request(&m))
      process_request(&m);
  }
}
