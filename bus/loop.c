#include "bus/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>

#include "libst/annotate.h"
#include "libst/st.h"

#define FDS_MAX 4096

/* libevent opens so many descriptors at most. */
#define LIBEVENT_FDS_MAX 8

struct slot {
  struct event *event; /* NULL in a new version, until loop_start() */
  bool used;
  bool once;
  unsigned events;
  loop_fn *fn;
  void *arg;
};
ST_FIELD(struct slot, event, dont_transfer);

static struct event_base *base;
ST_VAR(base, dont_transfer);
static loop_turn_fn *after_turn;
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
  if (s->once) s->used = false;
  s->fn(fd, s->arg);
}

/* Tells libevent what the slot says. */
static int arm(int fd, struct slot *s) {
  short what = (s->events & LOOP_READ ? EV_READ : 0) | (s->events & LOOP_WRITE ? EV_WRITE : 0) |
               (s->once ? 0 : EV_PERSIST);
  if (s->event)
    event_assign(s->event, base, fd, what, ready, s);
  else if (!(s->event = event_new(base, fd, what, ready, s)))
    return -ENOMEM;
  if (event_add(s->event, NULL) < 0) return -EINVAL;
  s->used = true;
  return 0;
}

int loop_add(int fd, unsigned events, bool once, loop_fn *fn, void *arg) {
  if (fd < 0 || fd >= FDS_MAX) return -EMFILE;
  if (!slots[fd]) slots[fd] = calloc(1, sizeof(*slots[fd]));
  struct slot *s = slots[fd];
  if (!s) return -ENOMEM;
  loop_forget(fd);
  s->events = events;
  s->once = once;
  s->fn = fn;
  s->arg = arg;
  return arm(fd, s);
}

void loop_forget(int fd) {
  if (fd < 0 || fd >= FDS_MAX || !slots[fd]) return;
  struct slot *s = slots[fd];
  if (s->used) event_del(s->event);
  s->used = false;
  s->arg = NULL; /* which may be freed now */
}

bool loop_has(int fd, const void *arg) {
  return fd >= 0 && fd < FDS_MAX && slots[fd] && slots[fd]->used && slots[fd]->arg == arg;
}

/* What libevent opens is no state. It does not tell the numbers, but they are the first free ones.
 */
static int init_apart(void) {
  int first_free[LIBEVENT_FDS_MAX];
  for (int fd = 3, n = 0; n < LIBEVENT_FDS_MAX; fd++)
    if (fcntl(fd, F_GETFD) < 0) first_free[n++] = fd;
  int error = loop_init();
  for (int i = 0; i < LIBEVENT_FDS_MAX; i++)
    if (fcntl(first_free[i], F_GETFD) >= 0) st_exclude_fd(first_free[i]);
  return error;
}

int loop_start(void) {
  int error = init_apart();
  for (int fd = 0; fd < FDS_MAX && !error; fd++)
    if (slots[fd] && slots[fd]->used) error = arm(fd, slots[fd]);
  return error;
}

void loop_deinit(void) {
  for (int fd = 0; fd < FDS_MAX; fd++) {
    if (!slots[fd]) continue;
    loop_forget(fd);
    if (slots[fd]->event) event_free(slots[fd]->event);
    free(slots[fd]);
    slots[fd] = NULL;
  }
  if (base) event_base_free(base);
  base = NULL;
}

void loop_after_turns(loop_turn_fn *fn) {
  after_turn = fn;
  if (base) event_base_loopbreak(base); /* the loop that runs may go on for many turns */
}

void loop_run(void) {
  if (after_turn)
    loop_once(true);
  else
    event_base_dispatch(base);
}

void loop_once(bool wait) {
  event_base_loop(base, wait ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
  if (after_turn) after_turn();
}

void loop_end(void) {
  event_base_loopbreak(base);
}
