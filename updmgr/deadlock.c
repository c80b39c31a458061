#include "updmgr/deadlock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libsys/kern.h"

static void add(char *text, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void add(char *text, size_t cap, const char *fmt, ...) {
  size_t used = strlen(text);
  if (used) used += (size_t)snprintf(text + used, cap - used, "; ");
  if (used >= cap) return;
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text + used, cap - used, fmt, ap);
  va_end(ap);
}

/* @return whether the update is why this does not come */
static bool describe(const struct member *m, const struct kern_wait *w, char *why, size_t cap) {
  char who[BUS_NAME_MAX];
  if (w->why != KERN_WAIT_WITHHELD && !w->held) return false;
  member_name(w->who, who);
  switch ((enum kern_wait_why)w->why) {
  case KERN_WAIT_ANSWER:
    add(why, cap, "%s waits for %s, which is held, to answer message 0x%x", m->name, who, w->type);
    break;
  case KERN_WAIT_WITHHELD:
    add(why, cap, "%s's message 0x%x to %s is not let through (see -allow)", who, w->type, m->name);
    break;
  case KERN_WAIT_CALLER:
    add(why, cap, "%s, which could send to %s, is held", who, m->name);
    break;
  }
  return true;
}

bool deadlock_look(struct member *m, char *why, size_t cap) {
  struct kern_waits head;
  struct kern_wait waits[KERN_WAITS_MAX];
  unsigned held_back = 0;
  *why = 0;
  if (kern_waits(m->endpoint, &head, waits)) return false;
  for (uint32_t i = 0; i < head.count; i++)
    held_back += describe(m, &waits[i], why, cap);
  bool still = head.messages == m->handled;
  m->handled = head.messages;
  return still && head.idle && !head.reachable && held_back;
}
