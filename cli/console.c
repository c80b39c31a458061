/* prctl console: this terminal becomes a console's screen and keyboard. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/console_screen.h"
#include "cli/console_terminal.h"
#include "cli/control.h"

enum { ESCAPE_KEY = 0x1D /* Ctrl-] */, CHUNK_BYTES = 65536, KEYS_BYTES = 4096 };
/* Without a terminal: how long nothing must have come after the last key. */
enum { SETTLE_MS = 1000 };

enum outcome { GOES_ON, LEFT, INSTANCE_ENDED, OUTPUT_LOST, TOLD_TO_END };

static struct {
  int control, signals;
  int screen, keyboard; /* the same when the wire is both */
  bool has_protocol;    /* libsys/if/screen.h; a wire without a keyboard is bytes both ways */
  bool keys_ended;      /* standard input is at its end */
  char keys[KEYS_BYTES];
  size_t nkeys;
  int output;
  char shown[CHUNK_BYTES]; /* that the output has not taken: from `shown_from` on, `nshown` bytes */
  size_t shown_from, nshown;
} console;

/* ---- attaching ---- */

static void attach(void) {
  if (console.has_protocol) screen_attach(console.screen);
}

/* @return the exit status if there is nothing to show; -1: there is */
static int borrow(char *name) {
  Proteos__ControlRequest request = PROTEOS__CONTROL_REQUEST__INIT;
  Proteos__ConsoleRequest which = PROTEOS__CONSOLE_REQUEST__INIT;
  int ends[2] = {-1, -1};
  unsigned n = 2;
  if (name) which.name = name;
  request.request_case = PROTEOS__CONTROL_REQUEST__REQUEST_CONSOLE;
  request.console = &which;
  if (control_send(console.control, &request, -1)) return control_lost();
  Proteos__ControlReply *reply = control_receive_files(console.control, ends, &n);
  if (!reply || !reply->console || !n) return control_refused(reply);
  proteos__control_reply__free_unpacked(reply, NULL);
  console.has_protocol = n == 2;
  console.screen = ends[0];
  console.keyboard = n == 2 ? ends[1] : ends[0];
  return -1;
}

/* ---- what comes ---- */

static enum outcome show_some(void) {
  ssize_t n = write(console.output, console.shown + console.shown_from, console.nshown);
  if (n < 0) return errno == EINTR || errno == EAGAIN ? GOES_ON : OUTPUT_LOST;
  console.shown_from += (size_t)n;
  console.nshown -= (size_t)n;
  return GOES_ON;
}

static enum outcome screen_ready(void) {
  ssize_t n = recv(console.screen, console.shown, sizeof(console.shown), MSG_DONTWAIT);
  if (n == 0) return INSTANCE_ENDED;
  if (n < 0) return GOES_ON;
  console.shown_from = screen_skip(console.shown, (size_t)n);
  console.nshown = (size_t)n - console.shown_from;
  return console.nshown ? show_some() : GOES_ON;
}

static void send_keys(void) {
  ssize_t n = send(console.keyboard, console.keys, console.nkeys, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n <= 0) return;
  console.nkeys -= (size_t)n;
  memmove(console.keys, console.keys + n, console.nkeys);
}

static enum outcome keys_ready(void) {
  ssize_t n = read(STDIN_FILENO, console.keys, sizeof(console.keys));
  if (n < 0 && errno == EINTR) return GOES_ON;
  console.keys_ended = n <= 0;
  if (n <= 0) return terminal_has_keys() ? LEFT : GOES_ON; /* it was hung up */
  const char *escape = terminal_has_keys() ? memchr(console.keys, ESCAPE_KEY, (size_t)n) : NULL;
  console.nkeys = escape ? (size_t)(escape - console.keys) : (size_t)n;
  send_keys();
  return escape ? LEFT : GOES_ON;
}

static enum outcome control_ready(void) {
  Proteos__ControlReply *reply = control_receive(console.control);
  if (!reply) return INSTANCE_ENDED;
  if (reply->console && reply->console->restarted) attach();
  proteos__control_reply__free_unpacked(reply, NULL);
  return GOES_ON;
}

static enum outcome signal_ready(void) {
  struct signalfd_siginfo info;
  if (read(console.signals, &info, sizeof(info)) != sizeof(info)) return GOES_ON;
  if (info.ssi_signo == SIGCONT) terminal_begin(); /* whoever stopped it had the terminal */
  if (info.ssi_signo != SIGWINCH && info.ssi_signo != SIGCONT) return TOLD_TO_END;
  if (console.has_protocol) screen_tell_size(console.screen);
  return GOES_ON;
}

/* ---- the loop ---- */

static enum outcome turn(void) {
  bool more_keys = !console.keys_ended && !console.nkeys;
  struct pollfd p[] = {
      {.fd = console.control, .events = POLLIN},
      {.fd = console.signals, .events = POLLIN},
      {.fd = console.nshown ? -1 : console.screen, .events = POLLIN},
      {.fd = more_keys ? STDIN_FILENO : -1, .events = POLLIN},
      {.fd = console.nkeys ? console.keyboard : -1, .events = POLLOUT},
      {.fd = console.nshown ? console.output : -1, .events = POLLOUT},
  };
  bool settling = console.keys_ended && !console.nkeys && !console.nshown;
  int n = poll(p, sizeof(p) / sizeof(p[0]), settling ? SETTLE_MS : -1);
  if (n == 0) return LEFT;
  enum outcome o = GOES_ON;
  if (n > 0 && p[2].revents) o = screen_ready();
  if (o == GOES_ON && n > 0 && p[5].revents) o = show_some();
  if (o == GOES_ON && n > 0 && p[4].revents) send_keys();
  if (o == GOES_ON && n > 0 && p[3].revents) o = keys_ready();
  if (o == GOES_ON && n > 0 && p[1].revents) o = signal_ready();
  if (o == GOES_ON && n > 0 && p[0].revents) o = control_ready();
  return o;
}

static int watch_signals(void) {
  static const int watched[] = {SIGWINCH, SIGCONT, SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  sigset_t set;
  sigemptyset(&set);
  for (unsigned i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
    sigaddset(&set, watched[i]);
  sigprocmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Keys and signals count even if the output takes nothing. A file opened anew, so that others who
 * have it do not find it changed. */
static int open_output(void) {
  int fd = open("/proc/self/fd/1", O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  return fd < 0 ? STDOUT_FILENO : fd;
}

static int explain(enum outcome o) {
  switch (o) {
  case GOES_ON:
  case LEFT:
    return EXIT_SUCCESS;
  case INSTANCE_ENDED:
    fprintf(stderr, "prctl: the instance has ended\n");
    break;
  case OUTPUT_LOST:
    fprintf(stderr, "prctl: the output cannot be written: %s\n", strerror(errno));
    break;
  case TOLD_TO_END:
    break;
  }
  return EXIT_FAILURE;
}

static int show(void) {
  enum outcome o;
  console.signals = watch_signals();
  console.output = open_output();
  terminal_begin();
  if (terminal_has_keys()) fprintf(stderr, "prctl: Ctrl-] leaves the console\r\n");
  attach();
  do
    o = turn();
  while (o == GOES_ON);
  if (terminal_has_keys()) fprintf(stderr, "\r\n");
  terminal_end();
  return explain(o);
}

int console_command(const struct instance *instance, int argc, char **argv) {
  if (argc > 2 || (argc == 2 && *argv[1] == '-')) {
    fprintf(stderr, "usage: prctl console [NAME]\n");
    return EXIT_USAGE;
  }
  console.control = instance_connect(instance);
  if (console.control < 0) return EXIT_FAILURE;
  int status = borrow(argv[1]);
  if (status < 0) status = show();
  close(console.control);
  return status;
}
