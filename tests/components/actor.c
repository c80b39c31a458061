/* Does what a test tells it to through the director, under the name that it was started with. A
 * plain program, as a component or in a place for programs.
 *
 *   ask SERVER TYPE BODY [PAYLOAD]  sys_sendrec() to a component, or the kernel call; TYPE, BODY
 * and PAYLOAD hexadecimal: "ERROR STATUS BODY PAYLOAD" call SERVER TYPE BODY [PAYLOAD] sys_call():
 * "ERROR" receive                         sys_receive(): "SOURCE TYPE STATUS BODY PAYLOAD", the
 * body after the bits or cookie lookup NAME                     its endpoint self its own arguments
 * its own print TEXT                      to its log exit STATUS | abort | spin
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libsys/kern.h"
#include "tests/components/director.h"

static char report[DIRECTOR_LINE_MAX], command[DIRECTOR_LINE_MAX];
static char **arguments;
static char *rest; /* of the command */

static char *word(void) {
  return strsep(&rest, " ");
}

static void add(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void add(const char *fmt, ...) {
  size_t used = strlen(report);
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(report + used, sizeof(report) - used, fmt, ap);
  va_end(ap);
}

static void add_bytes(const void *bytes, size_t n) {
  add(" ");
  for (size_t i = 0; i < n; i++)
    add("%02x", ((const uint8_t *)bytes)[i]);
  if (n == 0) add("-");
}

static size_t read_bytes(const char *text, uint8_t *to, size_t cap) {
  size_t n = 0;
  unsigned byte;
  while (text && n < cap && sscanf(text + 2 * n, "%2x", &byte) == 1)
    to[n++] = (uint8_t)byte;
  return n;
}

static uint8_t out[DIRECTOR_LINE_MAX / 2], in[SYS_PAYLOAD_MAX];

static int ask_kernel(msg_t *m, size_t bytes) {
  struct kern_args args = {.m = *m, .fd_out = -1, .out = out, .out_len = bytes, .fd_in = -1};
  args.in = in;
  args.in_cap = sizeof(in);
  int error = kern_call(&args);
  if (args.fd_in >= 0) close(args.fd_in);
  *m = args.m;
  return error;
}

static void ask(const char *server, bool waits) {
  msg_t m = {.type = (uint32_t)strtoul(word(), NULL, 16)};
  read_bytes(word(), m.body, sizeof(m.body));
  size_t bytes = read_bytes(word(), out, sizeof(out));
  int error;
  if (!waits) {
    add(" %d", sys_call(sys_lookup(server), &m, out, bytes, 1));
    return;
  }
  if (strcmp(server, "kernel") == 0)
    error = ask_kernel(&m, bytes);
  else
    error = sys_sendrec_bulk(sys_lookup(server), &m, out, bytes, in, sizeof(in));
  add(" %d %d", error, error ? 0 : m.status);
  add_bytes(m.body, sizeof(m.body));
  add_bytes(in, error ? 0 : m.payload);
}

static void receive(void) {
  msg_t m;
  sys_receive(&m);
  add(" %d %" PRIx32 " %d", m.source, m.type, m.status);
  add_bytes(&m.token, sizeof(m.token) + sizeof(m.body));
  add_bytes(sys_payload(), m.payload);
}

static void obey(void) {
  rest = command;
  const char *verb = word();
  if (!verb) return;
  if (strcmp(verb, "ask") == 0) {
    ask(word(), true);
  } else if (strcmp(verb, "call") == 0) {
    ask(word(), false);
  } else if (strcmp(verb, "receive") == 0) {
    receive();
  } else if (strcmp(verb, "lookup") == 0) {
    add(" %d", sys_lookup(word()));
  } else if (strcmp(verb, "self") == 0) {
    add(" %d", sys_self());
  } else if (strcmp(verb, "arguments") == 0) {
    for (char **a = arguments; *a; a++)
      add(" %s", *a);
  } else if (strcmp(verb, "print") == 0) {
    puts(rest);
    fflush(stdout);
  } else if (strcmp(verb, "exit") == 0) {
    exit(atoi(word()));
  } else if (strcmp(verb, "abort") == 0) {
    abort();
  } else if (strcmp(verb, "spin") == 0) {
    for (volatile int forever = 1; forever;)
      ;
  } else {
    add(" what?");
  }
}

int main(int argc, char **argv) {
  (void)argc;
  arguments = argv;
  sys_startup(NULL);
  for (snprintf(report, sizeof(report), "%s", argv[0]);;) {
    msg_t m = {.type = DIRECTOR_NEXT};
    if (sys_sendrec_bulk(sys_lookup("director"), &m, report, strlen(report) + 1, command,
                         sizeof(command)))
      return EXIT_FAILURE;
    snprintf(report, sizeof(report), "%s", argv[0]);
    obey();
  }
}
