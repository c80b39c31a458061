/* Component: asks the scheduler, as the test says (command.h).
 *
 *   list                    -> 0 POLICY TICKS
 * NAME:ENDPOINT:CLASS:NICE:FLAGS:RANK:PREEMPTED:TURNS:CPU_US:CPUS ... set NAME CLASS NICE     NAME
 * may be self, or an endpoint place NAME CPUS ask TYPE                a message with no fields */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "libsys/if/sched.h"
#include "libsys/sys.h"

static int ask(msg_t *m, void *in, size_t cap) {
  int error = sys_sendrec_bulk(sys_lookup("sched"), m, NULL, 0, in, cap);
  return error ? error : m->status;
}

static int list(char *out, size_t cap) {
  struct sched_entry entries[64];
  msg_t m = {.type = SCHED_LIST};
  int error = ask(&m, entries, sizeof(entries));
  if (error) return error;
  size_t at = (size_t)snprintf(out, cap, " %u %" PRIu64, IPC_REPLY(&m, sched_list)->policy,
                               IPC_REPLY(&m, sched_list)->ticks);
  for (size_t i = 0; i < m.payload / sizeof(entries[0]) && at < cap; i++) {
    const struct sched_entry *e = &entries[i];
    at += (size_t)snprintf(out + at, cap - at, " %s:%d:%u:%u:%u:%u:%u:%u:%" PRIu64 ":%" PRIu64,
                           e->name, e->endpoint, e->class, e->nice, e->flags, e->rank, e->preempted,
                           e->turns, e->cpu_us, e->cpus);
  }
  return 0;
}

static endpoint_t named(const char *name, uint64_t number) {
  if (strcmp(name, "self") == 0) return sys_self();
  endpoint_t e = sys_lookup(name);
  return e > 0 ? e : (endpoint_t)number;
}

static int execute(char **word, unsigned words, char *out, size_t cap) {
  uint64_t number[COMMAND_WORDS_MAX];
  msg_t m = {0};
  command_numbers(word, words, number);
  if (strcmp(word[0], "list") == 0) return list(out, cap);
  if (strcmp(word[0], "set") == 0 && words > 3) {
    m.type = SCHED_SET;
    *IPC(&m, sched_set) = (struct sched_set){.endpoint = named(word[1], number[1]),
                                             .class = (uint32_t)number[2],
                                             .nice = (uint32_t)number[3]};
  } else if (strcmp(word[0], "place") == 0 && words > 2) {
    m.type = SCHED_PLACE;
    *IPC(&m, sched_place) =
        (struct sched_place){.endpoint = named(word[1], number[1]), .cpus = number[2]};
  } else if (strcmp(word[0], "ask") == 0) {
    m.type = (uint32_t)number[1];
  } else {
    return -EINVAL;
  }
  return ask(&m, NULL, 0);
}

static int init(const sys_init_t *info) {
  return command_open(info->name);
}

int main(void) {
  event_eh_t handlers = {.init = init};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    if (m.type == SYS_NOTIFIED && m.source == SYS_KERNEL) command_read(execute);
  }
}
