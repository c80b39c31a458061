#include "bus/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>

#define FDS_MAX 4096

struct slot {
  struct event event;
  bool used;
  loop_fn *fn;
  void *arg;
};

static struct event_base *base;
static struct slot *slots[FDS_MAX];

int loop_init(void) {
  struct event_config *config = event_config_new();
  if (!config) return -ENOMEM;
  /* busd has timers of its own (timer.c). */
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_NO_CACHE_TIME);
  base = event_base_new_with_config(config);
  event_config_free(config);
  return base ? 0 : -ENOMEM;
}

static void ready(evutil_socket_t fd, short what, void *arg) {
  struct slot *s = arg;
  (void)what;
  s->fn(fd, s->arg);
}

int loop_add(int fd, unsigned events, bool once, loop_fn *fn, void *arg) {
  if (fd < 0 || fd >= FDS_MAX) return -EMFILE;
  if (!slots[fd]) slots[fd] = calloc(1, sizeof(*slots[fd]));
  struct slot *s = slots[fd];
  if (!s) return -ENOMEM;
  loop_forget(fd);
  short what = (events & LOOP_READ ? EV_READ : 0) | (events & LOOP_WRITE ? EV_WRITE : 0) |
               (once ? 0 : EV_PERSIST);
  s->fn = fn;
  s->arg = arg;
  if (event_assign(&s->event, base, fd, what, ready, s) < 0 || event_add(&s->event, NULL) < 0)
    return -EINVAL;
  s->used = true;
  return 0;
}

void loop_forget(int fd) {
  if (fd < 0 || fd >= FDS_MAX || !slots[fd] || !slots[fd]->used) return;
  event_del(&slots[fd]->event);
  slots[fd]->used = false;
}

void loop_run(void) {
  event_base_dispatch(base);
}

void loop_end(void) {
  event_base_loopbreak(base);
}
