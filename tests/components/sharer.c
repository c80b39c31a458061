/* Component: shares memory, as the test says over the wire that has the component's name: a line is
 * a command, answered by a line that begins with its status.
 *
 *   create BYTES SEGMENT   -> 0 AREA BYTES; the area is mapped
 *   grant AREA NAME FIRST BYTES RIGHTS -> 0 GRANT
 *   map GRANT              -> 0 BYTES ADDRESS
 *   unmap GRANT
 *   poke GRANT OFFSET VALUE, peek GRANT OFFSET -> 0 VALUE
 *   writable GRANT         -> 0 if it could be mapped writable by any means, else a negative errno
 *   revoke GRANT MS        -> 0 ENDED, when it is gone
 *   destroy AREA MS        -> 0 ENDED, when it is gone
 *   stubborn 0|1           whether it does not give back what is revoked
 *   ask TYPE U64 U64 ...   a message to mm -> its status and u32s
 *   list                   -> 0 NAME:AREAS:BYTES:QUOTA:GRANTS:MAPPED ...
 *   revoked                -> 0 COUNT of what it gave back because it was revoked
 *   exit                   ends it */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "command.h"
#include "libsys/area.h"
#include "libsys/sys.h"

enum { MAPPED_MAX = 24 };

static struct sys_area mapped[MAPPED_MAX];
static uint64_t gave_back;
static bool stubborn;
static struct sys_area *find(uint32_t grant) {
  for (unsigned i = 0; i < MAPPED_MAX; i++)
    if (mapped[i].address && mapped[i].grant == grant) return &mapped[i];
  return NULL;
}

static struct sys_area *unused(void) {
  for (unsigned i = 0; i < MAPPED_MAX; i++)
    if (!mapped[i].address) return &mapped[i];
  return NULL;
}

static void give_back(void) {
  struct sys_area *a;
  for (uint32_t g = 0; (g = sys_area_next_revoked(g)) != 0;)
    if (!stubborn && (a = find(g))) gave_back += sys_area_unmap(a) == 0;
}

/* ---- commands ---- */

static uint64_t number[COMMAND_WORDS_MAX]; /* the words, as numbers */

static int create(char *out, size_t cap) {
  uint32_t area = 0;
  struct sys_area *a = unused();
  int error = a ? sys_area_create(number[1], number[2], a, &area) : -EMFILE;
  if (!error) snprintf(out, cap, " %u %u", area, a->grant);
  return error;
}

static int grant(const char *to, char *out, size_t cap) {
  uint32_t made = 0;
  endpoint_t peer = strcmp(to, "self") == 0 ? sys_self() : sys_lookup(to);
  if (peer < 0) peer = (endpoint_t)number[2];
  int error =
      sys_area_grant((uint32_t)number[1], peer, number[3], number[4], (uint32_t)number[5], &made);
  if (!error) snprintf(out, cap, " %u", made);
  return error;
}

static int map(char *out, size_t cap) {
  struct sys_area *a = unused();
  int error = a ? sys_area_map((uint32_t)number[1], a) : -EMFILE;
  if (!error) snprintf(out, cap, " %zu %" PRIxPTR, a->bytes, (uintptr_t)a->address);
  return error;
}

static int unmap(void) {
  struct sys_area *a = find((uint32_t)number[1]);
  return a ? sys_area_unmap(a) : -ENOENT;
}

static int poke(void) {
  struct sys_area *a = find((uint32_t)number[1]);
  if (!a || number[2] >= a->bytes) return -ENOENT;
  a->address[number[2]] = (uint8_t)number[3];
  return 0;
}

static int peek(char *out, size_t cap) {
  struct sys_area *a = find((uint32_t)number[1]);
  if (!a || number[2] >= a->bytes) return -ENOENT;
  snprintf(out, cap, " %u", a->address[number[2]]);
  return 0;
}

static int writable(void) {
  struct sys_area *a = find((uint32_t)number[1]);
  if (!a) return -ENOENT;
  return mprotect(a->address, 4096, PROT_READ | PROT_WRITE) < 0 ? -errno : 0;
}

static int call(uint32_t type, uint64_t number_of, uint64_t patience_ms) {
  msg_t m = {.type = type};
  m.u32[0] = (uint32_t)number_of;
  m.u32[1] = (uint32_t)patience_ms;
  int error = sys_call(sys_lookup("mm"), &m, NULL, 0, type);
  return error ? error : -EINPROGRESS;
}

static int ask(unsigned words, char *out, size_t cap) {
  msg_t m = {.type = (uint32_t)number[1]};
  for (unsigned i = 2; i < words; i++)
    m.u64[i - 2] = number[i];
  int error = sys_sendrec(sys_lookup("mm"), &m);
  snprintf(out, cap, " %u %u %u %u", m.u32[0], m.u32[1], m.u32[2], m.u32[3]);
  return error ? error : m.status;
}

static int list(char *out, size_t cap) {
  struct mem_account accounts[64];
  msg_t m = {.type = MEM_LIST};
  int error = sys_sendrec_bulk(sys_lookup("mm"), &m, NULL, 0, accounts, sizeof(accounts));
  for (size_t i = 0, at = 0; !error && i < m.payload / sizeof(accounts[0]) && at < cap; i++) {
    const struct mem_account *a = &accounts[i];
    at += (size_t)snprintf(out + at, cap - at, " %s:%u:%" PRIu64 ":%" PRIu64 ":%u:%u",
                           a->endpoint == sys_self() ? "self" : sys_name(a->endpoint), a->areas,
                           a->bytes, a->quota, a->grants, a->mapped);
  }
  return error;
}

static int execute(char **word, unsigned words, char *out, size_t cap) {
  const char *name = word[0];
  command_numbers(word, words, number);
  if (strcmp(name, "create") == 0) return create(out, cap);
  if (strcmp(name, "grant") == 0) return grant(words > 2 ? word[2] : "", out, cap);
  if (strcmp(name, "map") == 0) return map(out, cap);
  if (strcmp(name, "unmap") == 0) return unmap();
  if (strcmp(name, "poke") == 0) return poke();
  if (strcmp(name, "peek") == 0) return peek(out, cap);
  if (strcmp(name, "writable") == 0) return writable();
  if (strcmp(name, "revoke") == 0) return call(MEM_REVOKE, number[1], number[2]);
  if (strcmp(name, "destroy") == 0) return call(MEM_DESTROY, number[1], number[2]);
  if (strcmp(name, "ask") == 0) return ask(words, out, cap);
  if (strcmp(name, "list") == 0) return list(out, cap);
  if (strcmp(name, "exit") == 0) exit(EXIT_SUCCESS);
  if (strcmp(name, "revoked") == 0) {
    snprintf(out, cap, " %" PRIu64, gave_back);
    return 0;
  }
  if (strcmp(name, "stubborn") != 0) return -ENOSYS;
  stubborn = number[1];
  if (!stubborn) give_back();
  return 0;
}

/* ---- the component ---- */

static void answered(const msg_t *m) {
  char out[64];
  snprintf(out, sizeof(out), " %u", m->u32[0]);
  command_answer(m->status, out);
}

static void process_msg(const msg_t *m) {
  if (m->type == SYS_NOTIFIED && m->source == SYS_KERNEL)
    command_read(execute);
  else if (m->type == SYS_NOTIFIED && m->bits & MEM_REVOKED)
    give_back();
  else if (m->type & SYS_REPLY_FLAG)
    answered(m);
  else if (m->type == SYS_RESTARTED && m->i32[0] == sys_lookup("mm"))
    for (unsigned i = 0; i < MAPPED_MAX; i++)
      sys_area_unmap(&mapped[i]);
}

static int init(const sys_init_t *info) {
  return command_open(info->name);
}

int main(void) {
  event_eh_t handlers = {.init = init, .recover = init};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    process_msg(&m);
  }
}
