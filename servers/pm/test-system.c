#include "servers/pm/test-system.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "drivers-sim/test-component.h"
#include "libsys/if/io.h"
#include "libsys/kern.h"
#include "servers/pm/process.h"

uint64_t now_us, alarm_us;
unsigned calls_max, ncalls, nanswered, nreplies, nplaces;
bool storage_is_there;
struct call calls[CALLS_MAX];
struct reply replies[REPLIES_MAX];
struct notified last_notified;
struct place places[KERN_PLACES_MAX];
uint64_t last_token;

static char payload[SYS_PAYLOAD_MAX];

const void *sys_payload(void) {
  return payload;
}

endpoint_t sys_lookup(const char *name) {
  if (strcmp(name, "storage") == 0) return storage_is_there ? STORAGE : -ENOENT;
  return strcmp(name, "tty") == 0 ? TTY : -ENOENT;
}

int sys_call(endpoint_t dst, const msg_t *m, const void *out, size_t out_len, uint64_t cookie) {
  (void)out;
  (void)out_len;
  if (dst < STORAGE || dst > PIPE) return -EPERM;
  if (ncalls - nanswered == calls_max) return -EAGAIN;
  calls[ncalls++] = (struct call){dst, *m, cookie};
  return 0;
}

int sys_reply_bulk(uint64_t token, const msg_t *m, const void *out, size_t out_len) {
  static bool answered[1 << 18]; /* by token */
  ck_assert_uint_lt(token, sizeof(answered));
  ck_assert_msg(token && !answered[token], "a request is answered twice");
  answered[token] = true;
  struct reply *r = &replies[nreplies++];
  r->token = token;
  r->m = *m;
  r->m.payload = (uint32_t)out_len;
  memcpy(r->payload, out, out_len < sizeof(r->payload) ? out_len : sizeof(r->payload));
  return 0;
}

int sys_reply(uint64_t token, const msg_t *m) {
  return sys_reply_bulk(token, m, "", 0);
}

int sys_notify(endpoint_t dst, uint64_t bits) {
  last_notified = (struct notified){dst, bits};
  return 0;
}

uint64_t sys_time_us(void) {
  return now_us;
}

int sys_alarm(unsigned bit, uint64_t at_us) {
  ck_assert_uint_eq(bit, 0);
  alarm_us = at_us;
  return 0;
}

static struct place *place(struct kern_program p) {
  struct place *at = &places[p.endpoint - FIRST_PLACE];
  return at->taken && at->incarnation == p.incarnation ? at : NULL;
}

int kern_spawn(const char *strings, size_t bytes, struct kern_program *program) {
  (void)strings;
  (void)bytes;
  for (unsigned i = 0; i < nplaces; i++) {
    if (places[i].taken) continue;
    places[i] = (struct place){
        .taken = true, .incarnation = places[i].incarnation, .start_error = places[i].start_error};
    *program = (struct kern_program){FIRST_PLACE + (endpoint_t)i, ++places[i].incarnation};
    return 0;
  }
  return -EAGAIN;
}

int kern_start(struct kern_program program) {
  struct place *at = place(program);
  ck_assert_ptr_nonnull(at);
  if (at->start_error) {
    at->taken = false;
    return at->start_error;
  }
  at->started = true;
  return 4711;
}

int kern_signal(struct kern_program program, int signal) {
  struct place *at = place(program);
  if (!at || !at->started) return -ESRCH;
  at->signal = signal;
  return 0;
}

int kern_reap(struct kern_program program) {
  struct place *at = place(program);
  if (at) at->taken = false;
  return at ? 0 : -ESRCH;
}

int kern_usage(struct kern_program program, uint64_t *cpu_us) {
  struct place *at = place(program);
  if (at) *cpu_us = at->cpu_us;
  return at ? 0 : -ESRCH;
}

static enum kern_place_state place_state(const struct place *p) {
  if (p->ended) return KERN_PLACE_ENDED;
  return p->started ? KERN_PLACE_STARTED : KERN_PLACE_TAKEN;
}

int kern_places(struct kern_place list[KERN_PLACES_MAX]) {
  int n = 0;
  for (unsigned i = 0; i < nplaces; i++)
    if (places[i].taken)
      list[n++] = (struct kern_place){.endpoint = FIRST_PLACE + (endpoint_t)i,
                                      .incarnation = places[i].incarnation,
                                      .state = place_state(&places[i]),
                                      .pid = 4711,
                                      .wait_status = places[i].wait_status,
                                      .answered = places[i].answered};
  return n;
}

int kern_control_send(uint64_t connection, const void *packed, size_t bytes, bool last) {
  (void)connection;
  (void)packed;
  (void)bytes;
  (void)last;
  return 0;
}

/* ---- what others do ---- */

/* A request; its token is last_token. */
void request(endpoint_t source, msg_t m) {
  m.source = source;
  m.token = ++last_token;
  component_receive(m);
}

const msg_t *answer_to(uint64_t token) {
  for (unsigned i = 0; i < nreplies; i++)
    if (replies[i].token == token) return &replies[i].m;
  return NULL;
}

/* The status of the answer to the last request. */
int status(void) {
  const msg_t *answer = answer_to(last_token);
  ck_assert_msg(answer != NULL, "it is not answered");
  return answer->status;
}

/* @return the request's token */
uint64_t ask_spawn(endpoint_t by, unsigned nfds, endpoint_t server) {
  const struct proc_spawn head = {.nfds = nfds,
                                  .nargs = 1,
                                  .group = PROC_SAME_GROUP,
                                  .user = PROC_SAME_USER,
                                  .gid = PROC_SAME_USER};
  char *end = payload;
  memcpy(end, &head, sizeof(head));
  end += sizeof(head);
  for (unsigned i = 0; i < nfds; i++, end += sizeof(struct proc_fd))
    memcpy(end, &(struct proc_fd){i, server, 7, 0}, sizeof(struct proc_fd));
  memcpy(end, "tool\0tool", 10);
  request(by, (msg_t){.type = PROC_SPAWN, .payload = (uint32_t)(end + 10 - payload)});
  return last_token;
}

/* A server answers the oldest call that it has not answered. */
void server_answers(int error) {
  ck_assert_uint_lt(nanswered, ncalls);
  const struct call *c = &calls[nanswered++];
  msg_t m = {
      .source = c->dst, .type = c->m.type | SYS_REPLY_FLAG, .status = error, .cookie = c->cookie};
  IPC_REPLY(&m, io_duplicate)->handle = 100 + nanswered;
  component_receive(m);
}

void begin(endpoint_t endpoint) {
  request(endpoint, (msg_t){.type = PROC_BEGIN});
}

/* A process at the next place. @return its number */
int32_t start(endpoint_t by, endpoint_t at) {
  uint64_t token = ask_spawn(by, 0, 0);
  if (storage_is_there) server_answers(0);
  begin(at);
  const msg_t *answer = answer_to(token);
  ck_assert_ptr_nonnull(answer);
  ck_assert_int_eq(answer->status, 0);
  return IPC_REPLY(answer, proc_spawn_program)->pid;
}

void ends(endpoint_t endpoint, int wait_status) {
  struct place *at = &places[endpoint - FIRST_PLACE];
  msg_t m = {.source = SYS_KERNEL, .type = PROGRAM_ENDED};
  m.i32[0] = endpoint;
  m.u32[1] = at->incarnation;
  m.i32[2] = wait_status;
  m.u32[3] = at->answered;
  at->started = false;
  component_receive(m);
}

void test_system_start(void) {
  static char *argv[] = {"pm", NULL};
  calls_max = 16;
  nplaces = 4;
  storage_is_there = true;
  now_us = 1000;
  component_start(1, argv);
}
