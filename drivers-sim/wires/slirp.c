/* proteos-slirp: what the simulated card is plugged into when there are no privileges. A network
 * 10.0.2.0/24 of its own, on libslirp, whose gateway 10.0.2.2 forwards ports of the host to the
 * guest, 10.0.2.15.
 *
 *   proteos-slirp --fd N [--hostfwd HOSTIP:PORT-GUESTIP:PORT]... [--report-fd M] [--open]
 *
 * Frames come and go on the stream socket N, each behind its length (32 bits, big-endian). Once all
 * forwards stand, a line HOSTIP:PORT for each, in their order, goes to M, which is then closed.
 * Unless --open is given the guest can't reach anything beyond the gateway. Ends when the socket's
 * peer closes it or the parent dies. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forward.h"
#include "framing.h"
#include "timers.h"

enum { POLL_MAX = 4096, FORWARDS_MAX = 16 };

struct options {
  int fd, report_fd;
  bool open;
  unsigned nforwards;
  struct forward forwards[FORWARDS_MAX];
};

static struct framing guest;
static struct pollfd polled[POLL_MAX]; /* the first is the guest's */
static int npolled;

static ssize_t send_packet(const void *frame, size_t bytes, void *opaque) {
  (void)opaque;
  framing_put(&guest, frame, bytes); /* a lost frame is sent again by TCP */
  return bytes;
}

static void guest_error(const char *text, void *opaque) {
  (void)opaque;
  fprintf(stderr, "proteos-slirp: the guest is wrong: %s\n", text);
}

static int64_t clock_get_ns(void *opaque) {
  (void)opaque;
  return timers_now_ns();
}

static void *timer_new(SlirpTimerCb cb, void *arg, void *opaque) {
  (void)opaque;
  return timers_new(cb, arg);
}

static void timer_free(void *timer, void *opaque) {
  (void)opaque;
  timers_free(timer);
}

static void timer_mod(void *timer, int64_t at_ms, void *opaque) {
  (void)opaque;
  timers_set(timer, at_ms);
}

/* Descriptors are gathered anew for each poll(), and the loop needs no kick. */
static void register_poll_fd(int fd, void *opaque) {
  (void)fd, (void)opaque;
}

static void notify(void *opaque) {
  (void)opaque;
}

static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = clock_get_ns,
    .timer_new = timer_new,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = register_poll_fd,
    .unregister_poll_fd = register_poll_fd,
    .notify = notify,
};

static const struct {
  int slirp;
  short poll;
} poll_bits[] = {{SLIRP_POLL_IN, POLLIN},
                 {SLIRP_POLL_OUT, POLLOUT},
                 {SLIRP_POLL_PRI, POLLPRI},
                 {SLIRP_POLL_ERR, POLLERR},
                 {SLIRP_POLL_HUP, POLLHUP}};

static int add_poll(int fd, int events, void *opaque) {
  (void)opaque;
  if (npolled == POLL_MAX) return -1;
  struct pollfd *p = &polled[npolled];
  *p = (struct pollfd){.fd = fd};
  for (size_t i = 0; i < sizeof(poll_bits) / sizeof(poll_bits[0]); i++)
    if (events & poll_bits[i].slirp) p->events |= poll_bits[i].poll;
  return npolled++;
}

static int get_revents(int index, void *opaque) {
  (void)opaque;
  int events = 0;
  if (index < 0) return 0;
  for (size_t i = 0; i < sizeof(poll_bits) / sizeof(poll_bits[0]); i++)
    if (polled[index].revents & poll_bits[i].poll) events |= poll_bits[i].slirp;
  return events;
}

static void take_frames(Slirp *slirp) {
  const uint8_t *frame;
  size_t bytes;
  framing_read(&guest);
  while ((frame = framing_next(&guest, &bytes)))
    slirp_input(slirp, frame, bytes);
}

/* One turn. While the guest does not take what it was sent, nothing is read that would make more of
 * it: neither its own frames nor the host's sockets. */
static void turn(Slirp *slirp) {
  bool congested = framing_congested(&guest);
  uint32_t wait_ms = UINT32_MAX;
  polled[0] = (struct pollfd){.fd = guest.fd, .events = congested ? 0 : POLLIN};
  if (framing_unsent(&guest) > 0) polled[0].events |= POLLOUT;
  npolled = 1;
  if (!congested) slirp_pollfds_fill(slirp, &wait_ms, add_poll, NULL);
  wait_ms = timers_wait_ms(wait_ms);

  int ready = poll(polled, npolled, wait_ms > INT32_MAX ? -1 : (int)wait_ms);
  if (ready < 0 && errno != EINTR) {
    guest.closed = true;
    return;
  }
  if (polled[0].revents & ~POLLOUT) take_frames(slirp);
  if (!congested) slirp_pollfds_poll(slirp, ready < 0, get_revents, NULL);
  timers_run();
  framing_flush(&guest);
}

static Slirp *make_network(bool open) {
  SlirpConfig config = {
      .version = 3,
      .restricted = !open,
      .in_enabled = true,
      .disable_host_loopback = !open,
      .disable_dns = !open,
  };
  inet_pton(AF_INET, "10.0.2.0", &config.vnetwork);
  inet_pton(AF_INET, "255.255.255.0", &config.vnetmask);
  inet_pton(AF_INET, "10.0.2.2", &config.vhost);
  inet_pton(AF_INET, "10.0.2.3", &config.vnameserver);
  inet_pton(AF_INET, "10.0.2.15", &config.vdhcp_start);
  return slirp_new(&config, &callbacks, NULL);
}

static int start_forwards(Slirp *slirp, struct options *o) {
  for (unsigned i = 0; i < o->nforwards; i++) {
    int r = forward_add(slirp, &o->forwards[i]);
    if (r < 0) {
      fprintf(stderr, "proteos-slirp: can't listen on port %u: %s\n", o->forwards[i].host_port,
              strerror(-r));
      return r;
    }
  }
  if (o->report_fd < 0) return 0;
  for (unsigned i = 0; i < o->nforwards; i++)
    forward_report(&o->forwards[i], o->report_fd);
  close(o->report_fd);
  return 0;
}

static int usage(void) {
  fputs("usage: proteos-slirp --fd N [--hostfwd HOSTIP:PORT-GUESTIP:PORT]... [--report-fd M]"
        " [--open]\n",
        stderr);
  return -1;
}

static int parse_options(int argc, char **argv, struct options *o) {
  static const struct option names[] = {{"fd", required_argument, NULL, 'f'},
                                        {"hostfwd", required_argument, NULL, 'h'},
                                        {"report-fd", required_argument, NULL, 'r'},
                                        {"open", no_argument, NULL, 'o'},
                                        {0}};
  int option;
  while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
    switch (option) {
    case 'f':
      o->fd = atoi(optarg);
      break;
    case 'r':
      o->report_fd = atoi(optarg);
      break;
    case 'o':
      o->open = true;
      break;
    case 'h':
      if (o->nforwards == FORWARDS_MAX || forward_parse(optarg, &o->forwards[o->nforwards++]) < 0) {
        fprintf(stderr, "proteos-slirp: --hostfwd %s is not HOSTIP:PORT-GUESTIP:PORT\n", optarg);
        return -1;
      }
      break;
    default:
      return usage();
    }
  }
  return o->fd < 0 || optind < argc ? usage() : 0;
}

int main(int argc, char **argv) {
  struct options options = {.fd = -1, .report_fd = -1};
  if (parse_options(argc, argv, &options) < 0) return 2;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  signal(SIGPIPE, SIG_IGN);
  framing_init(&guest, options.fd);
  Slirp *slirp = make_network(options.open);
  if (!slirp || start_forwards(slirp, &options) < 0) return 1;
  while (!guest.closed)
    turn(slirp);
  slirp_cleanup(slirp);
  return 0;
}
