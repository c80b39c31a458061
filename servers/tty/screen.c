#include "servers/tty/screen.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "libsys/sys.h"
#include "servers/tty/output.h"
#include "servers/tty/told.h"

static struct {
  int wire;
  unsigned watched; /* enum sys_watch_events */
  struct output output;
  struct told_parser parser;
  uint32_t rows, columns; /* 0: not known */
  /* What comes before the output of an attachment. */
  uint32_t greeting_used, greeting_sent;
  char greeting[SCREEN_SEQUENCE_MAX];
} screen = {.wire = -1};

static void watch(unsigned events) {
  if (screen.wire < 0 || screen.watched == events) return;
  screen.watched = events;
  sys_watch(screen.wire, events, SCREEN_WIRE_BIT);
}

void screen_init(const char *wire) {
  screen.wire = sys_inherited(wire);
  if (screen.wire < 0) sys_log("there is no wire %s: nobody can look at the console", wire);
  watch(SYS_WATCH_READ);
}

bool screen_recover(const char *wire) {
  const struct output *o = &screen.output;
  screen.watched = 0;
  screen.parser = (struct told_parser){0};
  screen_init(wire);
  return o->shown <= o->written &&
         o->written - (o->watched ? o->shown : o->written) <= SCREEN_KEPT_BYTES &&
         screen.greeting_sent <= screen.greeting_used &&
         screen.greeting_used <= SCREEN_SEQUENCE_MAX;
}

/* ---- output ---- */

uint32_t screen_write(const void *bytes, uint32_t n, bool translate) {
  return output_write(&screen.output, bytes, n, translate);
}

bool screen_has_room(void) {
  return output_has_room(&screen.output);
}

uint32_t screen_column(void) {
  return screen.output.column;
}

/* @return how many bytes the wire has taken; 0: none now */
static uint32_t send_some(const void *bytes, uint32_t n) {
  ssize_t sent = n ? send(screen.wire, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
  return sent > 0 ? (uint32_t)sent : 0;
}

static bool greet(void) {
  screen.greeting_sent += send_some(screen.greeting + screen.greeting_sent,
                                    screen.greeting_used - screen.greeting_sent);
  return screen.greeting_sent == screen.greeting_used;
}

void screen_flush(void) {
  const uint8_t *bytes;
  uint32_t n, sent;
  if (screen.wire < 0 || !screen.output.watched) return;
  if (greet())
    while ((n = output_next(&screen.output, &bytes)) && (sent = send_some(bytes, n)))
      output_shown(&screen.output, sent);
  bool waits = screen.greeting_sent < screen.greeting_used || output_next(&screen.output, &bytes);
  watch(waits ? SYS_WATCH_READ | SYS_WATCH_WRITE : SYS_WATCH_READ);
}

/* ---- who looks ---- */

uint32_t screen_rows(void) {
  return screen.rows;
}

uint32_t screen_columns(void) {
  return screen.columns;
}

bool screen_resize(uint32_t columns, uint32_t rows) {
  bool other = columns != screen.columns || rows != screen.rows;
  screen.columns = columns;
  screen.rows = rows;
  return other;
}

static unsigned attach(uint32_t number) {
  screen.greeting_sent = 0;
  screen.greeting_used =
      (uint32_t)snprintf(screen.greeting, sizeof(screen.greeting), SCREEN_ATTACH, number);
  output_attach(&screen.output);
  return SCREEN_ATTACHED;
}

static unsigned obey(const struct told *t) {
  switch (t->kind) {
  case TOLD_NOTHING:
    break;
  case TOLD_ATTACH:
    return attach(t->number);
  case TOLD_DETACH:
    output_detach(&screen.output);
    watch(SYS_WATCH_READ);
    break;
  case TOLD_SIZE:
    return screen_resize(t->columns, t->rows) ? SCREEN_RESIZED : 0;
  }
  return 0;
}

unsigned screen_ready(void) {
  char bytes[512];
  unsigned events = 0;
  ssize_t n = recv(screen.wire, bytes, sizeof(bytes), MSG_DONTWAIT);
  for (ssize_t i = 0; i < n; i++) {
    struct told t = told_take(&screen.parser, bytes[i]);
    events |= obey(&t);
  }
  if (n > 0 || (n < 0 && errno == EAGAIN)) return events;
  sys_log("nobody can look at the console any more");
  output_detach(&screen.output);
  sys_close(screen.wire);
  screen.wire = -1;
  return events;
}
