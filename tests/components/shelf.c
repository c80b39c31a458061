/* Handles, as storage, pipe and tty have them (libsys/if/io.h), of objects that are only numbers.
 */
#include "tests/components/shelf.h"

#include <errno.h>
#include <string.h>

#include "libsys/if/fs.h"
#include "libsys/if/io.h"
#include "libsys/if/tty.h"
#include "libsys/sys.h"

#define HANDLES_MAX   256
#define ENDPOINTS_MAX 64
#define HELD_MAX      32

static struct handle {
  endpoint_t owner; /* 0: unused */
  uint32_t number, object;
} handles[HANDLES_MAX];

static struct identity { int32_t user, group; } identities[ENDPOINTS_MAX];

static msg_t held[HELD_MAX];
static unsigned nheld, hold;
static uint32_t last_handle, last_object;
static int32_t foreground;

static const struct handle *find(endpoint_t owner, uint32_t number) {
  for (unsigned i = 0; i < HANDLES_MAX; i++)
    if (handles[i].owner == owner && handles[i].number == number) return &handles[i];
  return NULL;
}

static uint32_t add(endpoint_t owner, uint32_t object) {
  for (unsigned i = 0; i < HANDLES_MAX; i++) {
    if (handles[i].owner) continue;
    handles[i] = (struct handle){owner, ++last_handle, object};
    return last_handle;
  }
  return 0;
}

static uint32_t count(endpoint_t owner) {
  uint32_t n = 0;
  for (unsigned i = 0; i < HANDLES_MAX; i++)
    n += handles[i].owner == owner;
  return n;
}

static void forget(endpoint_t owner) {
  for (unsigned i = 0; i < HANDLES_MAX; i++)
    if (handles[i].owner == owner) handles[i].owner = 0;
  identities[owner] = (struct identity){-1, -1};
}

static void look(const msg_t *m, msg_t *answer) {
  const struct shelf_look *r = IPC(m, shelf_look);
  const struct handle *h = find(r->endpoint, r->handle);
  const struct identity *who = &identities[r->endpoint % ENDPOINTS_MAX];
  *IPC_REPLY(answer, shelf_look) = (struct shelf_look_reply){{{.handles = count(r->endpoint),
                                                               .object = h ? h->object : 0,
                                                               .user = who->user,
                                                               .group = who->group,
                                                               .foreground = foreground}}};
}

static bool may_name_others(const msg_t *m) {
  return strcmp(sys_name(m->source), "pm") == 0;
}

static int duplicate(const msg_t *m, msg_t *answer) {
  const struct io_duplicate *r = IPC(m, io_duplicate);
  const struct handle *h = find(r->from, r->handle);
  if (!may_name_others(m)) return -EPERM;
  if (hold == 2) {
    hold = 0;
    return -EMFILE;
  }
  if (!h) return -EBADF;
  IPC_REPLY(answer, io_duplicate)->handle = add(r->to, h->object);
  return 0;
}

static int identify(const msg_t *m) {
  const struct fs_credentials *r = IPC(m, fs_credentials);
  if (!may_name_others(m)) return -EPERM;
  identities[r->process % ENDPOINTS_MAX] = (struct identity){(int32_t)r->user, (int32_t)r->group};
  return 0;
}

static void serve(const msg_t *m);

static void let_go(void) {
  unsigned n = nheld;
  nheld = 0;
  for (unsigned i = 0; i < n; i++)
    serve(&held[i]);
}

static void serve(const msg_t *m) {
  msg_t answer = {.type = m->type};
  bool waits = m->type == IO_DUPLICATE || m->type == FS_CREDENTIALS;
  if (waits && hold == 1 && nheld < HELD_MAX) {
    held[nheld++] = *m;
    return;
  }
  switch (m->type) {
  case SHELF_OPEN:
    IPC_REPLY(&answer, shelf_open)->object = ++last_object;
    IPC_REPLY(&answer, shelf_open)->handle = add(m->source, last_object);
    break;
  case SHELF_LOOK:
    look(m, &answer);
    break;
  case SHELF_HOLD:
    hold = IPC(m, shelf_hold)->hold;
    IPC_REPLY(&answer, shelf_hold)->held = nheld;
    if (!hold) let_go();
    break;
  case IO_DUPLICATE:
    answer.status = duplicate(m, &answer);
    break;
  case FS_CREDENTIALS:
    answer.status = identify(m);
    break;
  case TTY_SET_GROUP:
    foreground = IPC(m, tty_set_group)->group;
    break;
  default:
    answer.status = -ENOSYS;
  }
  sys_reply(m->token, &answer);
}

static int init(const sys_init_t *info) {
  (void)info;
  for (unsigned i = 0; i < ENDPOINTS_MAX; i++)
    identities[i] = (struct identity){-1, -1};
  return 0;
}

int main(void) {
  event_eh_t handlers = {.init = init};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    if (m.type == SYS_EXITED)
      forget(m.i32[0]);
    else if (msg_is_request(&m))
      serve(&m);
  }
}
