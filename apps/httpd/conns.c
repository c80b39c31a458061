#include "apps/httpd/conns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/httpd/bytes.h"
#include "apps/httpd/response.h"
#include "libsys/socket.h"

#define IDLE_TIMEOUT_US   (30 * 1000000ull) /* without a complete request */
#define STALL_TIMEOUT_US  (60 * 1000000ull) /* without the client taking any byte */
#define LINGER_TIMEOUT_US (2 * 1000000ull)

/* Requests that one connection may have answered before the others get their turn. */
#define TURN_REQUESTS 16

#define ROOM_OF_NEW_SOCKET 32768

struct figures figures;

static struct conn *conns[MAX_CONNS];
static unsigned conns_used;
static bool unfinished[MAX_CONNS]; /* had more to do than fits in a turn */

static void set_deadline(struct conn *c, uint64_t in_us) {
  c->deadline_us = sys_time_us() + in_us;
}

static struct conn **place_of(int socket) {
  for (unsigned i = 0; i < MAX_CONNS; i++)
    if (conns[i] && conns[i]->socket == socket) return &conns[i];
  return NULL;
}

bool conns_full(void) {
  return conns_used == MAX_CONNS;
}

unsigned conns_count(void) {
  return conns_used;
}

static struct conn *conn_new(void) {
  struct conn *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->text = malloc(sizeof *c->text);
  if (c->text) return c;
  free(c);
  return NULL;
}

static void end_file(struct conn *c) {
  if (c->file) transfer_end(c->file);
  c->file = NULL;
}

static void conn_free(struct conn *c) {
  end_file(c);
  free(c->text);
  free(c);
}

/* ---- steps: each returns true when the state machine should look again ---- */

/* @return bytes; 0 when there are none for now; -1 when there will be none: it lingers then */
static int receive_some(struct conn *c, char *to, size_t cap) {
  if (c->drained && !c->hungup) return 0;
  int n = sock_recv(c->socket, to, cap, 0);
  if (n == -EAGAIN) {
    c->drained = true;
    return 0;
  }
  if (n <= 0) {
    c->keep_alive = false;
    c->state = CONN_LINGERING;
    c->linger = false;
    return -1;
  }
  c->drained = (size_t)n < cap;
  return n;
}

static bool receive(struct conn *c) {
  int n = receive_some(c, c->text->in + c->in_used, sizeof c->text->in - c->in_used);
  if (n > 0) c->in_used += (unsigned)n;
  return n != 0;
}

static void drop_input(struct conn *c, size_t bytes) {
  memmove(c->text->in, c->text->in + bytes, c->in_used - bytes);
  c->in_used -= (unsigned)bytes;
}

/* What comes between a request and its response. */
static void answer(struct conn *c) {
  c->state = !c->file ? CONN_SENDING : c->file->upload ? CONN_RECEIVING : CONN_OPENING;
}

/* A client that waits for it sends the body at once then; others take no notice. */
static void say_continue(struct conn *c) {
  static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
  uint32_t room = 0;
  if (c->room < sizeof text) return;
  if (sock_send(c->socket, text, sizeof text - 1, 0, &room) >= 0) c->room = room;
}

static bool step_reading(struct conn *c) {
  struct request request;
  int n = request_parse(c->text->in, c->in_used, &request);
  if (n == 0) return receive(c);
  figures.requests++;
  layout_request(c);
  if (n < 0) {
    figures.errors++;
    response_error(c, -n);
    drop_input(c, c->in_used);
  } else {
    drop_input(c, (size_t)n);
    response_make(c, &request);
    if (c->file && request.expects) say_continue(c);
  }
  if (c->skip_bytes)
    c->state = CONN_SKIPPING;
  else
    answer(c);
  set_deadline(c, STALL_TIMEOUT_US);
  return true;
}

static bool step_skipping(struct conn *c) {
  size_t n = c->in_used < c->skip_bytes ? c->in_used : (size_t)c->skip_bytes;
  drop_input(c, n);
  c->skip_bytes -= n;
  if (c->skip_bytes) return receive(c);
  answer(c);
  return true;
}

static bool step_opening(struct conn *c) {
  if (c->file->state != TRANSFER_READY && c->file->state != TRANSFER_FAILED) return false;
  response_file(c);
  if (!c->body_bytes) end_file(c);
  c->state = CONN_SENDING;
  set_deadline(c, STALL_TIMEOUT_US);
  return true;
}

/* Up to the end of the body into the transfer's buffer: what came with the head first. */
static int take_body(struct conn *c) {
  struct transfer *t = c->file;
  uint64_t left = t->end - t->offset - t->used;
  size_t max = TRANSFER_BYTES - t->used;
  if (left < max) max = (size_t)left;
  if (!max) return 0;
  if (!c->in_used) return receive_some(c, t->data->bytes + t->used, max);
  size_t n = c->in_used < max ? c->in_used : max;
  memcpy(t->data->bytes + t->used, c->text->in, n);
  drop_input(c, n);
  return (int)n;
}

static bool step_receiving(struct conn *c) {
  struct transfer *t = c->file;
  if (t->state == TRANSFER_DONE || t->state == TRANSFER_FAILED) {
    response_uploaded(c);
    end_file(c);
    c->state = CONN_SENDING;
    return true;
  }
  if (t->state != TRANSFER_READY) return false;
  int n = take_body(c);
  if (n < 0) return true;
  t->used += (unsigned)n;
  set_deadline(c, n ? STALL_TIMEOUT_US : IDLE_TIMEOUT_US);
  bool all = t->offset + t->used == t->end;
  if (t->used < TRANSFER_BYTES && !all && n) return true; /* there may be more */
  if (t->used || all) transfer_write(t);
  return t->state == TRANSFER_FAILED;
}

static void response_sent(struct conn *c) {
  end_file(c);
  if (c->keep_alive) {
    c->state = CONN_READING;
    set_deadline(c, IDLE_TIMEOUT_US);
    return;
  }
  c->state = CONN_LINGERING;
  set_deadline(c, LINGER_TIMEOUT_US);
  if (c->linger && sock_shutdown(c->socket, SOCK_SHUT_WRITE) < 0) c->linger = false;
}

/* @return how much of the body is there to be sent */
static uint64_t body_there(struct conn *c) {
  const struct transfer *t = c->file;
  return t ? t->used - t->at : c->body_bytes - c->body_offset;
}

/* The file's next piece is asked for. @return true when it can't be had: the connection ends, by
 * which the client sees that the body is not complete */
static bool read_on(struct conn *c) {
  if (c->file->state == TRANSFER_READY) transfer_read(c->file);
  if (c->file->state != TRANSFER_FAILED) return false;
  c->state = CONN_LINGERING;
  c->linger = c->keep_alive = false;
  return true;
}

/* Head and body go out together, as much as there is room for. */
static bool step_sending(struct conn *c) {
  char chunk[ROOM_OF_NEW_SOCKET * 2];
  uint32_t head = c->head_used - c->head_sent;
  uint64_t body = c->body_bytes - c->body_offset;
  if (head + body == 0) {
    response_sent(c);
    return true;
  }
  if (c->file && head + body_there(c) == 0) return read_on(c);
  if (!c->room) return false;
  body = body_there(c);
  size_t max = c->room < sizeof chunk ? (size_t)c->room : sizeof chunk;
  size_t take_head = head < max ? head : max;
  size_t take_body = body < max - take_head ? (size_t)body : max - take_head;
  memcpy(chunk, c->text->head + c->head_sent, take_head);
  if (c->file)
    memcpy(chunk + take_head, c->file->data->bytes + c->file->at, take_body);
  else
    httpd_bytes_fill(c->body_offset, chunk + take_head, take_body);
  uint32_t room = 0;
  int n = sock_send(c->socket, chunk, take_head + take_body, 0, &room);
  c->room = room;
  if (n == -EAGAIN) return false;
  if (n < 0) {
    c->state = CONN_LINGERING;
    c->linger = false;
    return true;
  }
  size_t from_head = (size_t)n < take_head ? (size_t)n : take_head;
  c->head_sent += (unsigned)from_head;
  c->body_offset += (size_t)n - from_head;
  if (c->file) c->file->at += (uint32_t)((size_t)n - from_head);
  layout_sent(c, (uint32_t)n);
  set_deadline(c, STALL_TIMEOUT_US);
  return true;
}

/* @return true when the connection is to be closed. */
static bool step_lingering(struct conn *c) {
  while (c->linger) {
    int n = sock_recv(c->socket, c->text->in, sizeof c->text->in, 0);
    if (n == -EAGAIN) return false;
    if (n <= 0) c->linger = false;
  }
  return true;
}

static void forget(struct conn **place) {
  conn_free(*place);
  *place = NULL;
  unfinished[place - conns] = false;
  conns_used--;
}

static void close_conn(struct conn **place) {
  sock_close((*place)->socket);
  forget(place);
}

static void run(struct conn **place) {
  struct conn *c = *place;
  uint64_t last = figures.requests + TURN_REQUESTS;
  bool again = true;
  while (again && figures.requests < last) {
    switch (c->state) {
    case CONN_READING:
      again = step_reading(c);
      break;
    case CONN_SKIPPING:
      again = step_skipping(c);
      break;
    case CONN_SENDING:
      again = step_sending(c);
      break;
    case CONN_OPENING:
      again = step_opening(c);
      break;
    case CONN_RECEIVING:
      again = step_receiving(c);
      break;
    case CONN_LINGERING:
      if (step_lingering(c)) {
        close_conn(place);
        return;
      }
      again = false;
      break;
    }
  }
  unfinished[place - conns] = again;
}

bool conns_add(int socket) {
  if (conns_full()) return false;
  struct conn *c = conn_new();
  if (!c) return false;
  c->socket = socket;
  c->room = ROOM_OF_NEW_SOCKET;
  c->state = CONN_READING;
  set_deadline(c, IDLE_TIMEOUT_US);
  unsigned i = 0;
  while (conns[i])
    i++;
  conns[i] = c;
  conns_used++;
  figures.accepted++;
  run(&conns[i]);
  return true;
}

bool conns_event(const struct sock_event *e) {
  struct conn **place = place_of(e->handle);
  if (!place) return false;
  struct conn *c = *place;
  if (e->events & SOCK_IN) c->drained = false;
  if (e->events & SOCK_HUP) c->hungup = true;
  if (e->events & SOCK_OUT) c->room = e->room;
  if (e->events & SOCK_ERR)
    close_conn(place);
  else
    run(place);
  return true;
}

void conns_transfer(const struct transfer *t) {
  for (unsigned i = 0; i < MAX_CONNS; i++)
    if (conns[i] && conns[i]->file && (!t || conns[i]->file == t)) run(&conns[i]);
}

bool conns_continue(void) {
  bool more = false;
  for (unsigned i = 0; i < MAX_CONNS; i++) {
    if (!unfinished[i]) continue;
    run(&conns[i]);
    more |= unfinished[i];
  }
  return more;
}

uint64_t conns_expire(uint64_t now_us) {
  uint64_t next = 0;
  for (unsigned i = 0; i < MAX_CONNS; i++) {
    if (!conns[i]) continue;
    if (conns[i]->deadline_us <= now_us)
      close_conn(&conns[i]);
    else if (!next || conns[i]->deadline_us < next)
      next = conns[i]->deadline_us;
  }
  return next;
}

void conns_drop_all(void) {
  for (unsigned i = 0; i < MAX_CONNS; i++)
    if (conns[i]) forget(&conns[i]);
}
