#include "servers/stream/handles.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "libsys/if/io.h"
#include "libsys/sys.h"

#define PROCESS_MANAGER "pm"

static struct row {
  uint64_t used, watching; /* bit N - 1 is handle N */
  struct handle handles[HANDLES_MAX];
} rows[HANDLE_OWNERS];

_Static_assert(HANDLES_MAX == 64, "a bit for each handle of a row");

static struct row *row_of(endpoint_t owner) {
  return owner > 0 && owner < HANDLE_OWNERS ? &rows[owner] : NULL;
}

uint32_t handle_give(endpoint_t owner, uint32_t object) {
  struct row *r = row_of(owner);
  if (!r || !~r->used) return 0;
  unsigned i = (unsigned)__builtin_ctzll(~r->used);
  r->used |= 1ull << i;
  r->handles[i] = (struct handle){.object = object};
  return i + 1;
}

struct handle *handle_of(endpoint_t owner, uint32_t number) {
  struct row *r = row_of(owner);
  bool used = r && number >= 1 && number <= HANDLES_MAX && r->used >> (number - 1) & 1;
  return used ? &r->handles[number - 1] : NULL;
}

uint32_t handle_after(endpoint_t owner, uint32_t after) {
  struct row *r = row_of(owner);
  uint64_t rest = r && after < HANDLES_MAX ? r->used >> after : 0;
  return rest ? after + (uint32_t)__builtin_ctzll(rest) + 1 : 0;
}

uint32_t handle_end(endpoint_t owner, uint32_t number) {
  struct row *r = row_of(owner);
  handle_watch(owner, number, 0);
  r->used &= ~(1ull << (number - 1));
  return r->handles[number - 1].object;
}

uint32_t handle_count(uint32_t object) {
  uint32_t n = 0;
  for (endpoint_t owner = 1; owner < HANDLE_OWNERS; owner++)
    for (uint32_t i = 0; (i = handle_after(owner, i));)
      n += handle_of(owner, i)->object == object;
  return n;
}

uint32_t handle_largest_object(void) {
  uint32_t largest = 0;
  for (endpoint_t owner = 1; owner < HANDLE_OWNERS; owner++)
    for (uint32_t i = 0; (i = handle_after(owner, i));)
      if (handle_of(owner, i)->object > largest) largest = handle_of(owner, i)->object;
  return largest;
}

void handle_watch(endpoint_t owner, uint32_t number, uint32_t events) {
  struct row *r = row_of(owner);
  uint64_t bit = 1ull << (number - 1);
  r->handles[number - 1].watched = events;
  r->watching = events ? r->watching | bit : r->watching & ~bit;
}

static void tell(endpoint_t owner, uint32_t object, uint32_t events) {
  bool ready = false;
  for (uint64_t rest = rows[owner].watching; rest; rest &= rest - 1) {
    uint32_t number = (uint32_t)__builtin_ctzll(rest) + 1;
    const struct handle *h = handle_of(owner, number);
    if (h->object != object || !(h->watched & events)) continue;
    handle_watch(owner, number, 0);
    ready = true;
  }
  if (ready) sys_notify(owner, IO_READY);
}

void handle_tell(uint32_t object, uint32_t events) {
  for (endpoint_t owner = 1; events && owner < HANDLE_OWNERS; owner++)
    tell(owner, object, events);
}

static bool may_duplicate(endpoint_t who, endpoint_t from, endpoint_t to) {
  return (from == who && to == who) || sys_lookup(PROCESS_MANAGER) == who;
}

int handle_duplicate(const msg_t *m, uint32_t *number) {
  const struct io_duplicate *q = IPC(m, io_duplicate);
  if (!may_duplicate(m->source, q->from, q->to)) return -EPERM;
  if (!row_of(q->from) || !row_of(q->to)) return -EINVAL;
  const struct handle *h = handle_of(q->from, q->handle);
  if (!h) return -EBADF;
  *number = handle_give(q->to, h->object);
  return *number ? 0 : -EMFILE;
}
