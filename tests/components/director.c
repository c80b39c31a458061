/* Lets a test direct actors, whichever processes these are, over the wire "director": what they
 * report goes there line by line, and a line "NAME COMMAND" from there is NAME's next command. */
#include "tests/components/director.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libsys/sys.h"

#define ACTORS_MAX 64

enum { WIRE_BIT = 0 };

static struct actor {
  char name[32];
  endpoint_t endpoint; /* 0: unused */
  uint64_t token;
} waiting[ACTORS_MAX];

static int wire;
static char line[DIRECTOR_LINE_MAX];
static size_t used;

static void say(const char *text, size_t n) {
  while (n > 0) {
    ssize_t written = write(wire, text, n);
    if (written <= 0) exit(EXIT_FAILURE);
    text += written;
    n -= (size_t)written;
  }
}

static void forget(endpoint_t endpoint) {
  for (unsigned i = 0; i < ACTORS_MAX; i++)
    if (waiting[i].endpoint == endpoint) waiting[i].endpoint = 0;
}

static void next(const msg_t *m) {
  const char *report = sys_payload();
  forget(m->source);
  for (unsigned i = 0; i < ACTORS_MAX; i++) {
    struct actor *a = &waiting[i];
    if (a->endpoint) continue;
    snprintf(a->name, sizeof(a->name), "%.*s", (int)strcspn(report, " "), report);
    a->endpoint = m->source;
    a->token = m->token;
    break;
  }
  say(report, strlen(report));
  say("\n", 1);
}

static void command(char *text) {
  char *what = strchr(text, ' ');
  if (!what) return;
  *what++ = 0;
  for (unsigned i = 0; i < ACTORS_MAX; i++) {
    struct actor *a = &waiting[i];
    if (!a->endpoint || strcmp(a->name, text) != 0) continue;
    const msg_t answer = {.type = DIRECTOR_NEXT};
    a->endpoint = 0;
    sys_reply_bulk(a->token, &answer, what, strlen(what) + 1);
    return;
  }
  sys_log("nobody called %s waits for '%s'", text, what);
}

static void read_wire(void) {
  ssize_t n = read(wire, line + used, sizeof(line) - 1 - used);
  if (n <= 0) exit(EXIT_SUCCESS);
  used += (size_t)n;
  line[used] = 0;
  char *from = line, *end;
  for (; (end = strchr(from, '\n')); from = end + 1) {
    *end = 0;
    command(from);
  }
  used -= (size_t)(from - line);
  memmove(line, from, used);
}

static int init(const sys_init_t *info) {
  (void)info;
  wire = sys_inherited("director");
  return sys_watch(wire, SYS_WATCH_READ, WIRE_BIT);
}

int main(void) {
  event_eh_t handlers = {.init = init};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    if (m.type == DIRECTOR_NEXT)
      next(&m);
    else if (m.type == SYS_EXITED)
      forget(m.i32[0]);
    else if (m.type == SYS_NOTIFIED)
      read_wire();
  }
}
