#include "servers/pm/print.h"

#include <string.h>

#include "control.pb-c.h"
#include "libsys/kern.h"
#include "proto/printable.h"
#include "servers/pm/list.h"

#define LINES_AT_A_TIME 64 /* each is far less than SYS_PAYLOAD_MAX / 64 */

struct line {
  Proteos__ProcessStatus status;
  char name[PROC_NAME_MAX + 1];
};

static const char *state_name(enum proc_state s) {
  switch (s) {
  case PROC_STARTING:
    return "starting";
  case PROC_RUNNING:
    return "running";
  case PROC_IS_STOPPED:
    return "stopped";
  case PROC_ZOMBIE:
    return "zombie";
  }
  return "?";
}

static void fill(struct line *l, const struct process *p) {
  const struct proc_info i = list_describe(p);
  Proteos__ProcessStatus *s = &l->status;
  proteos__process_status__init(s);
  memcpy(l->name, i.name, sizeof(l->name));
  printable_make(l->name);
  s->pid = i.pid;
  s->parent = i.parent;
  s->group = i.group;
  s->user = i.user;
  s->gid = i.gid;
  s->state = (char *)(uintptr_t)state_name((enum proc_state)i.state);
  s->cpu_us = i.cpu_us;
  s->name = l->name;
  s->endpoint = (uint32_t)i.endpoint;
}

static void send_lines(uint64_t client, struct line *lines, size_t n, bool last) {
  static uint8_t packed[SYS_PAYLOAD_MAX];
  Proteos__ControlReply reply = PROTEOS__CONTROL_REPLY__INIT;
  Proteos__ProcessStatus *list[LINES_AT_A_TIME];
  for (size_t i = 0; i < n; i++)
    list[i] = &lines[i].status;
  reply.last = last;
  reply.n_processes = n;
  reply.processes = list;
  kern_control_send(client, packed, proteos__control_reply__pack(&reply, packed), last);
}

void print_table(const msg_t *m) {
  struct line lines[LINES_AT_A_TIME];
  const struct process *p;
  size_t n = 0;
  TAILQ_FOREACH (p, &processes, link) {
    if (n == LINES_AT_A_TIME) {
      send_lines(m->u64[0], lines, n, false);
      n = 0;
    }
    fill(&lines[n++], p);
  }
  send_lines(m->u64[0], lines, n, true);
}
