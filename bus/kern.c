#include "bus/kern.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/alarm.h"
#include "bus/bus.h"
#include "bus/control.h"
#include "bus/debug.h"
#include "bus/executable.h"
#include "bus/hello.h"
#include "bus/journal.h"
#include "bus/lifecycle.h"
#include "bus/memory.h"
#include "bus/programs.h"
#include "bus/region.h"
#include "bus/schedule.h"
#include "bus/self.h"
#include "bus/trace.h"
#include "bus/update.h"
#include "bus/waits.h"
#include "bus/watch.h"

#define RANDOM_MAX_BYTES 256u

/* One call being served. */
struct call {
  struct version *v;
  const msg_t *m;
  const char *payload;
  int *fds;
  unsigned *nfds;
  msg_t reply;
  const void *reply_payload;
  int reply_fd;        /* borrowed; -1: none */
  bool reply_fd_given; /* not borrowed */
};

static int take_fd(struct call *c) {
  if (*c->nfds == 0) return -1;
  int fd = c->fds[0];
  memmove(c->fds, c->fds + 1, --*c->nfds * sizeof(int));
  return fd;
}

/* The payload as a string. @return NULL when it is none */
static const char *text(const struct call *c) {
  return c->m->payload && c->payload[c->m->payload - 1] == 0 ? c->payload : NULL;
}

static int do_random(struct call *c) {
  static uint8_t bytes[RANDOM_MAX_BYTES]; /* until the answer is sent */
  uint32_t n = c->m->u32[0];
  if (n > sizeof(bytes)) return -EINVAL;
  if (getrandom(bytes, n, 0) != (ssize_t)n) return -EIO;
  c->reply.payload = n;
  c->reply_payload = bytes;
  return 0;
}

static int do_region(struct call *c) {
  uint64_t bytes;
  const char *name = text(c);
  int fd = name ? region_for(c->v->endpoint, name, &bytes) : -EINVAL;
  if (fd < 0) return fd;
  c->reply.u64[0] = bytes;
  c->reply_fd = fd;
  return 0;
}

static int do_lookup(struct call *c) {
  const char *name = text(c);
  if (!name) return -EINVAL;
  endpoint_t found = manifest_find(bus.manifest, name);
  const struct endpoint *e = c->v->endpoint;
  bool updates = e->component->kernel & MANIFEST_KERNEL_UPDATE;
  if (updates && strcmp(name, "busd") == 0) return 0;
  if (!found) return -ENOENT;
  if (!updates && !endpoint_peers(e, bus_endpoint(found))) return -ENOENT;
  c->reply.i32[0] = found;
  return 0;
}

static int do_watch(struct call *c) {
  int number = c->m->i32[0];
  if (!c->m->u32[1]) return watch_end(c->v->endpoint, number);
  int fd = take_fd(c);
  if (fd < 0) return -EBADF;
  return watch_start(c->v->endpoint, number, fd, c->m->u32[1], c->m->u32[2]);
}

static int do_hello(struct call *c) {
  if (c->m->u32[0] != BUS_ABI_VERSION) return -EPROTO;
  c->reply_payload = hello_make(c->v, &c->reply.payload);
  return 0;
}

static int do_info(struct call *c) {
  if (c->m->i32[0] == SYS_KERNEL) {
    c->reply_payload = hello_info_of_busd(&c->reply.payload);
    c->reply_fd = self_exe();
    return 0;
  }
  const struct endpoint *e = bus_endpoint(c->m->i32[0]);
  if (!e) return -ENOENT;
  if (!e->live || e->state == ENDPOINT_STOPPING) return -SYS_EDEADSRCDST;
  if (debug_holds(e)) return -EBUSY;
  c->reply_payload = hello_info(e, &c->reply.payload);
  c->reply_fd = e->live->exe;
  return 0;
}

/* Answered later; an immediate error is returned here. */
static int do_load(struct call *c) {
  uint32_t filter_bytes = c->m->u32[4];
  int fd = take_fd(c);
  uint32_t signature_bytes = c->m->u32[5];
  uint64_t before = (uint64_t)filter_bytes + signature_bytes;
  int error = -EINVAL;
  if (fd >= 0 && filter_bytes > 0 && before <= c->m->payload && c->payload[filter_bytes - 1] == 0 &&
      c->m->payload - before <= BUS_OPTIONS_MAX)
    error = executable_check(bus_endpoint(c->m->i32[0]), fd, c->payload + filter_bytes,
                             signature_bytes);
  if (error) {
    if (fd >= 0) close(fd);
    return error;
  }
  const char *options = c->payload + before;
  uint32_t options_bytes = c->m->payload - (uint32_t)before;
  if (c->m->i32[0] == SYS_KERNEL) return self_load(fd, options, options_bytes);
  return update_load(bus_endpoint(c->m->i32[0]), fd, c->payload, options, options_bytes);
}

static int do_commit(struct call *c) {
  uint32_t n = c->m->u32[2];
  if (c->m->payload != n * sizeof(endpoint_t)) return -EINVAL;
  const struct commit_limits limits = {
      .converge_ms = c->m->u32[3], .transfer_ms = c->m->u32[4], .probation_ms = c->m->u32[5]};
  return update_commit(c->m->u64[0], (const endpoint_t *)(const void *)c->payload, n, &limits);
}

static int do_waits(struct call *c) {
  const struct endpoint *e = bus_endpoint(c->m->i32[0]);
  if (!e) return -ENOENT;
  c->reply_payload = waits_of(e, &c->reply.payload);
  return 0;
}

static int do_journal(struct call *c) {
  c->reply_fd = journal_fd();
  return c->reply_fd < 0 ? c->reply_fd : 0;
}

/* The process sends, the bus keeps what it has sent. */
static int do_keep(struct call *c) {
  int pair[2];
  if (c->v->endpoint->component->recover != MANIFEST_RECOVER_STATE) return -EPERM;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return -errno;
  if (c->v->kept >= 0) close(c->v->kept);
  c->v->kept = pair[0];
  c->reply_fd = pair[1];
  c->reply_fd_given = true;
  return 0;
}

/* Of an update, or of the recovery that the live version was started for. */
static int do_report(struct call *c) {
  enum update_phase phase = (enum update_phase)c->m->u32[0];
  int status = c->m->i32[1];
  if (phase != UPDATE_TRANSFERRED || !version_is_live(c->v))
    return update_report(c->v, phase, status, c->payload, c->m->payload);
  if (status) lifecycle_not_recovered(c->v, status, text(c));
  return 0;
}

static int do_segment_open(struct call *c) {
  int fd = memory_open(c->v->endpoint, c->m->u32[0], &c->reply.u64[0]);
  if (fd < 0) return fd;
  c->reply_fd = fd;
  c->reply_fd_given = true;
  return 0;
}

static int do_tasks(struct call *c) {
  c->reply_payload = schedule_list(&c->reply.payload);
  return 0;
}

static bool needs_update_right(uint32_t type) {
  return type >= KERN_INFO && type <= KERN_JOURNAL;
}

static bool needs_memory_right(uint32_t type) {
  return type >= KERN_SEGMENT_MAKE && type <= KERN_END;
}

static bool needs_schedule_right(uint32_t type) {
  return type >= KERN_TASKS && type <= KERN_PLACE;
}

/* Others answer clients as well; control_send() looks whether they were asked. */
static bool has_right(const struct endpoint *e, uint32_t type) {
  if (type == KERN_CONTROL_SEND && e->component->kernel) return true;
  return e->component->kernel & MANIFEST_KERNEL_UPDATE;
}

static bool needs_live(uint32_t type) {
  return type == KERN_ALARM || type == KERN_WATCH || type == KERN_KEEP || type == KERN_READY ||
         programs_is_call(type) || needs_update_right(type) || needs_memory_right(type) ||
         needs_schedule_right(type) || type == KERN_SEGMENT_OPEN;
}

/* @return 0 or a negative error; -EINPROGRESS: answered later */
static int serve(struct call *c) {
  struct endpoint *e = c->v->endpoint;
  if (needs_live(c->m->type) && (!version_is_live(c->v) || e->state == ENDPOINT_FROZEN))
    return -SYS_ENOTLIVE;
  if (needs_update_right(c->m->type) && !has_right(e, c->m->type)) return -EPERM;
  if (programs_is_call(c->m->type))
    return programs_call(c->v, c->m, c->payload, &c->reply, &c->reply_payload);
  if (needs_memory_right(c->m->type) && !(e->component->kernel & MANIFEST_KERNEL_MEMORY))
    return -EPERM;
  if (needs_schedule_right(c->m->type) && !(e->component->kernel & MANIFEST_KERNEL_SCHEDULE))
    return -EPERM;
  switch ((enum kern_call)c->m->type) {
  case KERN_HELLO:
    return do_hello(c);
  case KERN_ALARM:
    return alarm_set(e, c->m->u32[0], c->m->u64[1]);
  case KERN_WATCH:
    return do_watch(c);
  case KERN_RANDOM:
    return do_random(c);
  case KERN_REGION:
    return do_region(c);
  case KERN_REPORT:
    return do_report(c);
  case KERN_LOOKUP:
    return do_lookup(c);
  case KERN_READY:
    c->v->plain = true;
    endpoint_ready(e);
    return 0;
  case KERN_KEEP:
    return do_keep(c);
  case KERN_INFO:
    return do_info(c);
  case KERN_LOAD:
    return do_load(c);
  case KERN_CONVERGE:
    return update_converge(bus_endpoint(c->m->i32[0]), c->payload, c->m->payload);
  case KERN_COMMIT:
    return do_commit(c);
  case KERN_ABORT:
    if (c->m->i32[0] == SYS_KERNEL) return update_abort_self();
    return update_abort(bus_endpoint(c->m->i32[0]));
  case KERN_CONTROL_SEND:
    return control_send(e, c->m->u64[0], c->payload, c->m->payload, c->m->u32[2]);
  case KERN_WAITS:
    return do_waits(c);
  case KERN_JOURNAL:
    return do_journal(c);
  case KERN_SEGMENT_MAKE:
    return memory_make(e, c->m->u64[0], &c->reply.u32[0]);
  case KERN_SEGMENT_SHARE:
    return memory_share(e, c->m->u32[0], c->m->i32[1], c->m->u32[2], &c->reply.u32[0]);
  case KERN_SEGMENT_DROP:
    return memory_drop(e, c->m->u32[0]);
  case KERN_END:
    return memory_end(e, c->m->i32[0], c->m->u32[1]);
  case KERN_SEGMENT_OPEN:
    return do_segment_open(c);
  case KERN_TASKS:
    return do_tasks(c);
  case KERN_PRIORITY:
    return schedule_set_priority(c->m->i32[0], c->m->u32[1], c->m->u32[2]);
  case KERN_PREEMPT:
    return schedule_preempt(c->m->i32[0], c->m->u32[1], c->m->u32[2]);
  case KERN_PLACE:
    return schedule_place(c->m->i32[0], c->m->u32[1], c->m->u64[1]);
  }
  return -ENOSYS;
}

void kern_call(struct version *v, const msg_t *m, const void *payload, int *fds, unsigned *nfds) {
  struct call c = {.v = v, .m = m, .payload = payload, .fds = fds, .nfds = nfds, .reply_fd = -1};
  if (bus.tracing) trace_kernel(v, m);
  v->state = VERSION_IN_KERNEL;
  int status = serve(&c);
  if (status == -EINPROGRESS || v->state == VERSION_ENDING) return;
  c.reply.type = m->type | SYS_REPLY_FLAG;
  c.reply.status = status;
  if (status) c.reply.payload = 0;
  version_deliver(v, BUS_DELIVER_ANSWER, 0, &c.reply, c.reply_payload, &c.reply_fd,
                  !status && c.reply_fd >= 0 ? 1 : 0);
  if (c.reply_fd_given) close(c.reply_fd);
}

void kern_answer(struct version *v, uint32_t type, int status, const msg_t *m) {
  if (!v || v->state != VERSION_IN_KERNEL) return;
  msg_t reply = *m;
  reply.source = SYS_KERNEL;
  reply.type = type | SYS_REPLY_FLAG;
  reply.status = status;
  version_deliver(v, BUS_DELIVER_ANSWER, 0, &reply, NULL, NULL, 0);
}
