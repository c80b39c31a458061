#include "servers/pipe/requests.h"

#include <errno.h>

#include "libsys/sys.h"
#include "servers/pipe/pipes.h"
#include "servers/stream/handles.h"

static int answer(uint64_t token, uint32_t type, int status) {
  msg_t m = {.type = type, .status = status};
  return sys_reply(token, &m);
}

void answer_status(const msg_t *m, int status) {
  answer(m->token, m->type, status);
}

/* ---- moving bytes: each returns false when that can't be answered yet ---- */

/* Bytes leave the pipe only when somebody has got them. */
static bool try_read(struct pipe *p, uint64_t token, uint32_t max) {
  uint8_t copy[PIPE_BYTES];
  msg_t m = {.type = IO_READ};
  uint32_t n = max < p->ring.used ? max : p->ring.used;
  if (!p->ring.used && p->handles[PIPE_WRITER] && max) return false;
  if (sys_reply_bulk(token, &m, ring_look(&p->ring, n, copy), n) == 0) ring_drop(&p->ring, n);
  return true;
}

/* A small write goes in as a whole, and none before one that waits. */
static uint32_t would_take(const struct pipe *p, uint32_t bytes) {
  uint32_t room = ring_room(&p->ring);
  if (bytes <= room) return bytes;
  return bytes <= PIPE_ATOMIC ? 0 : room;
}

static bool try_write(struct pipe *p, uint64_t token, const void *data, uint32_t bytes) {
  msg_t m = {.type = IO_WRITE};
  uint32_t n = would_take(p, bytes);
  if (!p->handles[PIPE_READER]) {
    m.status = -EPIPE;
  } else if (n || !bytes) {
    IPC_REPLY(&m, io_write)->taken = n;
  } else {
    return false;
  }
  if (sys_reply(token, &m) == 0 && !m.status) ring_put(&p->ring, data, n);
  return true;
}

/* Moves on whatever waits, as long as one thing leads to another; then those who watch are told. */
static void settle(struct pipe *p) {
  struct waiters *readers = &p->waiting[PIPE_READER], *writers = &p->waiting[PIPE_WRITER];
  struct waiter *w;
  bool moved;
  do {
    moved = false;
    while ((w = TAILQ_FIRST(writers)) && try_write(p, w->token, w->data, w->bytes)) {
      waiter_end(writers, w);
      moved = true;
    }
    while ((w = TAILQ_FIRST(readers)) && try_read(p, w->token, w->bytes)) {
      waiter_end(readers, w);
      moved = true;
    }
  } while (moved);
  for (enum pipe_end end = 0; end < PIPE_ENDS; end++)
    handle_tell(pipe_object(p, end), pipe_events(p, end));
}

/* ---- handles ---- */

static struct pipe *find(const msg_t *m, uint32_t number, enum pipe_end *end) {
  const struct handle *h = handle_of(m->source, number);
  return h ? pipe_of(h->object, end) : NULL;
}

static uint32_t give(struct pipe *p, enum pipe_end end, endpoint_t owner) {
  uint32_t number = handle_give(owner, pipe_object(p, end));
  p->handles[end] += number != 0;
  return number;
}

/* @param status  for those who wait on that handle; 0: they are gone */
static void end_waits(struct pipe *p, enum pipe_end end, endpoint_t owner, uint32_t number,
                      int status) {
  struct waiter *w, *next;
  for (w = TAILQ_FIRST(&p->waiting[end]); w; w = next) {
    next = TAILQ_NEXT(w, link);
    if (w->source != owner || w->handle != number) continue;
    if (status) answer(w->token, end == PIPE_READER ? IO_READ : IO_WRITE, status);
    waiter_end(&p->waiting[end], w);
  }
}

static void end_handle(endpoint_t owner, uint32_t number, int status) {
  enum pipe_end end;
  struct pipe *p = pipe_of(handle_end(owner, number), &end);
  end_waits(p, end, owner, number, status);
  p->handles[end]--;
  if (p->handles[PIPE_READER] || p->handles[PIPE_WRITER])
    settle(p);
  else
    pipe_free(p);
}

/* ---- the requests ---- */

void do_make(const msg_t *m) {
  struct pipe *p = pipe_new();
  msg_t reply = {.type = m->type};
  struct pipe_make_reply *r = IPC_REPLY(&reply, pipe_make);
  if (!p) {
    answer_status(m, -EMFILE);
    return;
  }
  r->reader = give(p, PIPE_READER, m->source);
  r->writer = r->reader ? give(p, PIPE_WRITER, m->source) : 0;
  if (r->writer) {
    sys_reply(m->token, &reply);
    return;
  }
  if (r->reader) handle_end(m->source, r->reader);
  pipe_free(p);
  answer_status(m, -EMFILE);
}

/* @return 0, or why that can be no request on that end */
static int check(const struct pipe *p, enum pipe_end end, enum pipe_end wanted, uint64_t offset,
                 uint32_t flags) {
  if (!p || end != wanted) return -EBADF;
  if (flags & ~(uint32_t)IO_WAIT) return -EINVAL;
  return offset == IO_POSITION ? 0 : -ESPIPE;
}

static void wait_for(struct pipe *p, enum pipe_end end, const msg_t *m, uint32_t handle,
                     uint32_t bytes, const void *data, uint32_t flags) {
  if (!(flags & IO_WAIT))
    answer_status(m, -EAGAIN);
  else if (!waiter_add(&p->waiting[end], m, handle, bytes, data))
    answer_status(m, -ENOMEM);
}

void do_read(const msg_t *m) {
  const struct io_read *q = IPC(m, io_read);
  enum pipe_end end = PIPE_READER;
  struct pipe *p = find(m, q->handle, &end);
  int error = check(p, end, PIPE_READER, q->offset, q->flags);
  if (error)
    answer_status(m, error);
  else if (try_read(p, m->token, q->max))
    settle(p);
  else
    wait_for(p, PIPE_READER, m, q->handle, q->max, NULL, q->flags);
}

void do_write(const msg_t *m, const void *data) {
  const struct io_write *q = IPC(m, io_write);
  enum pipe_end end = PIPE_WRITER;
  struct pipe *p = find(m, q->handle, &end);
  int error = check(p, end, PIPE_WRITER, q->offset, q->flags);
  if (error)
    answer_status(m, error);
  else if (TAILQ_EMPTY(&p->waiting[PIPE_WRITER]) && try_write(p, m->token, data, m->payload))
    settle(p);
  else
    wait_for(p, PIPE_WRITER, m, q->handle, m->payload, data, q->flags);
}

void do_close(const msg_t *m) {
  uint32_t number = IPC(m, io_close)->handle;
  bool known = handle_of(m->source, number) != NULL;
  if (known) end_handle(m->source, number, -EBADF);
  answer_status(m, known ? 0 : -EBADF);
}

void do_duplicate(const msg_t *m) {
  const struct io_duplicate *q = IPC(m, io_duplicate);
  msg_t reply = {.type = m->type};
  uint32_t *number = &IPC_REPLY(&reply, io_duplicate)->handle;
  reply.status = handle_duplicate(m, number);
  if (!reply.status) {
    enum pipe_end end;
    struct pipe *p = pipe_of(handle_of(q->to, *number)->object, &end);
    p->handles[end]++;
  }
  sys_reply(m->token, &reply);
}

void do_watch(const msg_t *m) {
  const struct io_watch *q = IPC(m, io_watch);
  enum pipe_end end;
  struct pipe *p = find(m, q->handle, &end);
  msg_t reply = {.type = m->type};
  if (!p || q->events & ~(uint32_t)(IO_IN | IO_OUT | IO_HUP)) {
    answer_status(m, p ? -EINVAL : -EBADF);
    return;
  }
  uint32_t wanted = q->events ? q->events | IO_HUP : 0, there = pipe_events(p, end) & wanted;
  IPC_REPLY(&reply, io_watch)->events = there;
  handle_watch(m->source, q->handle, there ? 0 : wanted);
  sys_reply(m->token, &reply);
}

void requests_drop_owner(endpoint_t owner) {
  for (uint32_t number = 0; (number = handle_after(owner, number));)
    end_handle(owner, number, 0);
}
