#include "libst/fault.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libst/fault_page.h"

struct fault_page *st_fault_page;
static char own_party[FAULT_PARTY_MAX];

int st_fault_create(void) {
  int fd = memfd_create("faults", MFD_CLOEXEC);
  if (fd < 0) return -errno;
  if (ftruncate(fd, sizeof(struct fault_page)) == 0) return fd;
  int error = -errno;
  close(fd);
  return error;
}

int st_fault_attach(int fd, const char *name) {
  void *page = mmap(NULL, sizeof(struct fault_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) return -errno;
  st_fault_party(name);
  st_fault_page = page;
  return 0;
}

void st_fault_party(const char *name) {
  snprintf(own_party, sizeof(own_party), "%s", name);
}

void st_fault_party_next(const char *name) {
  snprintf(own_party, sizeof(own_party), "%s.next", name);
}

static bool is_here(const char *party, const char *name, const struct st_fault_point *point) {
  return strncmp(party, own_party, FAULT_PARTY_MAX) == 0 &&
         strncmp(name, point->name, ST_FAULT_NAME_MAX) == 0;
}

static void note_hit(const struct st_fault_point *point) {
  for (unsigned i = 0; i < FAULT_HITS_MAX; i++) {
    struct fault_hit *hit = &st_fault_page->hits[i];
    uint32_t state = FAULT_FREE;
    if (atomic_compare_exchange_strong(&hit->state, &state, FAULT_TAKEN)) {
      hit->error = point->error;
      memcpy(hit->party, own_party, sizeof(hit->party));
      memcpy(hit->point, point->name, sizeof(hit->point));
      atomic_store(&hit->count, 1);
      atomic_store(&hit->state, FAULT_VALID);
      return;
    }
    if (state == FAULT_VALID && is_here(hit->party, hit->point, point)) {
      atomic_fetch_add(&hit->count, 1);
      return;
    }
  }
}

static void crash(void) {
  volatile int *volatile nowhere = NULL;
  *nowhere = 0;
}

static int carry_out(const struct fault_order *order, const struct st_fault_point *point) {
  switch ((enum fault_action)order->action) {
  case FAULT_CRASH:
    crash();
    break;
  case FAULT_KILL:
    raise(SIGKILL);
    break;
  case FAULT_STOP:
    raise(SIGSTOP);
    break;
  case FAULT_HANG:
    for (;;)
      poll(NULL, 0, 1000);
  case FAULT_ERROR:
    return point->error && order->value ? -order->value : -point->error;
  case FAULT_DELAY:
    poll(NULL, 0, order->value);
    break;
  }
  return 0;
}

int st_fault_hit(const struct st_fault_point *point) {
  int before = errno, error = 0;
  note_hit(point);
  for (unsigned i = 0; i < FAULT_ORDERS_MAX && !error; i++) {
    struct fault_order *order = &st_fault_page->orders[i];
    if (atomic_load(&order->state) != FAULT_VALID || !is_here(order->party, order->point, point))
      continue;
    if (atomic_fetch_add(&order->hits, 1) + 1 != order->nth) continue;
    atomic_store(&order->state, FAULT_FIRED);
    error = carry_out(order, point);
  }
  errno = before;
  return error;
}
