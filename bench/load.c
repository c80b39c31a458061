/* A HTTP client that keeps connections busy and measures what its user would notice.
 *
 *   load [-c N] [-n BYTES] [-i US] [-s N] [-m BYTES] [-b BYTES] [-t MS] ADDRESS PORT
 *     -c  connections that ask for /bytes/<-n> again and again, keep-alive (default 4, 1000 bytes)
 *     -i  pause between an answer and the next request on a connection (default 0 us)
 *     -s  connections that download /bytes/<-m> again and again (default 1, 100 MB)
 *     -b  receive buffer of those, which bounds what is under way (default 0: the kernel's choice)
 *     -t  a connection without a byte for so long has failed (default 5000 ms)
 *
 * Every byte is checked. On standard input, "mark" prints the figures since the last mark as a line
 * of JSON; the end of input prints those of the whole run and ends the program. A failed request
 * is counted and tried again; its latency runs from the first try. */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "apps/httpd/bytes.h"
#include "figures.h"

#define HEAD_MAX_BYTES  4096
#define CONNECTIONS_MAX 4096
#define RECEIVE_BYTES   (256 * 1024)
#define RETRY_US        10000

enum phase { CLOSED, PAUSED, CONNECTING, HEAD, BODY };

struct connection {
  enum phase phase;
  int fd;
  bool streams;
  uint64_t request_us;   /* first try of the request under way */
  uint64_t last_byte_us; /* when bytes came last; at first, when the connection was tried */
  uint64_t due_us;       /* CLOSED, PAUSED: go on then; otherwise: it has failed by then */
  uint64_t left, offset; /* of the body, bytes */
  size_t head_used;
  char head[HEAD_MAX_BYTES];
};

static struct {
  struct sockaddr_in server;
  unsigned requesters, streamers;
  uint64_t request_bytes, stream_bytes, stream_buffer, pause_us, timeout_us;
} options = {.requesters = 4,
             .streamers = 1,
             .request_bytes = 1000,
             .stream_bytes = 100000000,
             .timeout_us = 5000000};

static int epoll_fd;
static struct connection *connections;
static unsigned nconnections;
static struct figures window, total;

static uint64_t now_us(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static void fail(struct connection *c, const char *why) {
  warnx("%s: %s", c->streams ? "download" : "request", why);
  window.failed++;
  if (c->fd >= 0) close(c->fd);
  c->fd = -1;
  c->phase = CLOSED;
  c->due_us = now_us() + RETRY_US;
}

static void send_request(struct connection *c) {
  char line[128];
  uint64_t bytes = c->streams ? options.stream_bytes : options.request_bytes;
  int n = snprintf(line, sizeof(line), "GET /bytes/%llu HTTP/1.1\r\nHost: proteos\r\n\r\n",
                   (unsigned long long)bytes);
  if (send(c->fd, line, (size_t)n, MSG_NOSIGNAL) != n) return fail(c, strerror(errno));
  c->head_used = 0;
  c->phase = HEAD;
  c->due_us = now_us() + options.timeout_us;
}

static void start(struct connection *c, uint64_t now) {
  c->request_us = now;
  send_request(c);
}

static void open_connection(struct connection *c, uint64_t now) {
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c->fd < 0) err(1, "socket");
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  int buffer = (int)options.stream_buffer;
  if (c->streams && buffer) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
  struct epoll_event ev = {.events = EPOLLOUT, .data.ptr = c};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &ev) < 0) err(1, "epoll_ctl");
  c->phase = CONNECTING;
  c->due_us = now + options.timeout_us;
  if (!c->last_byte_us) c->last_byte_us = now;
  if (connect(c->fd, (struct sockaddr *)&options.server, sizeof(options.server)) < 0 &&
      errno != EINPROGRESS)
    fail(c, strerror(errno));
}

static void connected(struct connection *c, uint64_t now) {
  int error = 0;
  socklen_t n = sizeof(error);
  getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &n);
  if (error) return fail(c, strerror(error));
  struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &ev) < 0) err(1, "epoll_ctl");
  if (!c->request_us) return start(c, now);
  send_request(c); /* a retry: its latency runs on */
}

static void answered(struct connection *c, uint64_t now) {
  if (c->streams)
    window.requests++;
  else
    figures_latency(&window, now - c->request_us);
  c->request_us = 0;
  c->phase = PAUSED;
  c->due_us = now + (c->streams ? 0 : options.pause_us);
  if (c->due_us == now) start(c, now);
}

static void body(struct connection *c, const char *data, size_t n, uint64_t now) {
  if (n > c->left) return fail(c, "more bytes than announced");
  if (!httpd_bytes_match(c->offset, data, n)) {
    window.wrong++;
    return fail(c, "a wrong byte");
  }
  c->offset += n;
  c->left -= n;
  window.bytes += n;
  if (c->streams) window.streamed += n;
  if (c->left == 0) answered(c, now);
}

/* Takes the head's bytes from the front of data; the body may begin in the same packet. */
static void head(struct connection *c, const char *data, size_t n, uint64_t now) {
  size_t take = n < HEAD_MAX_BYTES - 1 - c->head_used ? n : HEAD_MAX_BYTES - 1 - c->head_used;
  size_t before = c->head_used;
  memcpy(c->head + before, data, take);
  c->head_used += take;
  c->head[c->head_used] = 0;
  char *end = strstr(c->head, "\r\n\r\n");
  if (!end) {
    if (c->head_used == HEAD_MAX_BYTES - 1) fail(c, "the answer's head is too long");
    return;
  }
  if (strncmp(c->head, "HTTP/1.1 200 ", 13) != 0) return fail(c, "not 200 OK");
  const char *length = strcasestr(c->head, "\r\nContent-Length:");
  if (!length || length > end) return fail(c, "no Content-Length");
  c->left = strtoull(length + 17, NULL, 10);
  if (c->left != (c->streams ? options.stream_bytes : options.request_bytes))
    return fail(c, "wrong Content-Length");
  c->offset = 0;
  c->phase = BODY;
  size_t used = (size_t)(end + 4 - c->head) - before;
  body(c, data + used, n - used, now);
}

static void readable(struct connection *c) {
  static char data[RECEIVE_BYTES];
  ssize_t n = recv(c->fd, data, sizeof(data), 0);
  uint64_t now = now_us();
  if (n < 0 && errno == EAGAIN) return;
  if (n < 0) return fail(c, strerror(errno));
  if (n == 0) return fail(c, "the server closed the connection");
  if (c->streams) figures_gap(&window, now - c->last_byte_us);
  c->last_byte_us = now;
  c->due_us = now + options.timeout_us;
  switch (c->phase) {
  case HEAD:
    return head(c, data, (size_t)n, now);
  case BODY:
    return body(c, data, (size_t)n, now);
  case CLOSED:
  case PAUSED:
  case CONNECTING:
    return fail(c, "bytes that nobody asked for");
  }
}

static void tend_one(struct connection *c, uint64_t now) {
  switch (c->phase) {
  case CLOSED:
    return open_connection(c, now);
  case PAUSED:
    return start(c, now);
  case CONNECTING:
  case HEAD:
  case BODY:
    return fail(c, "no byte for too long");
  }
}

/* Does what is due; returns how long epoll may wait, in ms. */
static int tend(uint64_t now) {
  uint64_t next = now + 1000000;
  for (unsigned i = 0; i < nconnections; i++) {
    struct connection *c = &connections[i];
    if (c->due_us <= now) tend_one(c, now);
    if (c->due_us < next) next = c->due_us;
  }
  return next <= now ? 0 : (int)((next - now) / 1000) + 1;
}

/* A gap or a request under way at a mark counts in both windows, as far as it has come. */
static void mark(uint64_t now) {
  for (unsigned i = 0; i < nconnections; i++) {
    struct connection *c = &connections[i];
    if (c->streams && c->last_byte_us) figures_gap(&window, now - c->last_byte_us);
    if (!c->streams && c->request_us && now - c->request_us > window.latency_max_us)
      window.latency_max_us = now - c->request_us;
  }
  figures_print(&window);
  figures_add(&total, &window);
  memset(&window, 0, sizeof(window));
}

/* Returns false at the end of input. */
static bool command(void) {
  char text[256];
  ssize_t n = read(STDIN_FILENO, text, sizeof(text));
  if (n <= 0) return false;
  for (ssize_t i = 0; i < n; i++) {
    if (text[i] == '\n') mark(now_us());
  }
  return true;
}

static uint64_t number(const char *text) {
  char *end;
  uint64_t v = strtoull(text, &end, 10);
  if (*end || end == text) errx(2, "%s: not a number", text);
  return v;
}

static void parse(int argc, char **argv) {
  int o;
  while ((o = getopt(argc, argv, "c:n:i:s:m:b:t:")) != -1) {
    switch (o) {
    case 'c':
      options.requesters = (unsigned)number(optarg);
      break;
    case 'n':
      options.request_bytes = number(optarg);
      break;
    case 'i':
      options.pause_us = number(optarg);
      break;
    case 's':
      options.streamers = (unsigned)number(optarg);
      break;
    case 'm':
      options.stream_bytes = number(optarg);
      break;
    case 'b':
      options.stream_buffer = number(optarg);
      break;
    case 't':
      options.timeout_us = number(optarg) * 1000;
      break;
    default:
      exit(2);
    }
  }
  if (argc - optind != 2) errx(2, "usage: load [options] ADDRESS PORT");
  options.server.sin_family = AF_INET;
  options.server.sin_port = htons((uint16_t)number(argv[optind + 1]));
  if (inet_pton(AF_INET, argv[optind], &options.server.sin_addr) != 1)
    errx(2, "%s: not an IPv4 address", argv[optind]);
  if (options.requesters + options.streamers > CONNECTIONS_MAX) errx(2, "too many connections");
}

int main(int argc, char **argv) {
  parse(argc, argv);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
  if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &ev) < 0) err(1, "epoll");
  nconnections = options.requesters + options.streamers;
  connections = calloc(nconnections, sizeof(*connections));
  if (!connections) err(1, "calloc");
  for (unsigned i = 0; i < nconnections; i++) {
    connections[i].fd = -1;
    connections[i].streams = i >= options.requesters;
  }
  for (bool running = true; running;) {
    int wait_ms = tend(now_us());
    struct epoll_event events[64];
    int n = epoll_wait(epoll_fd, events, 64, wait_ms);
    for (int i = 0; i < n; i++) {
      struct connection *c = events[i].data.ptr;
      if (!c)
        running = command();
      else if (c->phase == CONNECTING)
        connected(c, now_us());
      else if (c->fd >= 0)
        readable(c);
    }
  }
  figures_add(&total, &window);
  figures_print(&total);
  return 0;
}
