#include "forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUEUE_CONNECTIONS = 128, DESCRIPTORS_MAX = 256 };

static int parse_end(char *text, struct in_addr *address, uint16_t *port) {
  char *colon = strrchr(text, ':'), *end;
  if (!colon) return -EINVAL;
  *colon = '\0';
  unsigned long value = strtoul(colon + 1, &end, 10);
  if (end == colon + 1 || *end || value > 65535) return -EINVAL;
  *port = value;
  return inet_pton(AF_INET, text, address) == 1 ? 0 : -EINVAL;
}

int forward_parse(const char *text, struct forward *f) {
  char copy[64];
  if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy)) return -EINVAL;
  char *dash = strchr(copy, '-');
  if (!dash) return -EINVAL;
  *dash = '\0';
  int r = parse_end(copy, &f->host, &f->host_port);
  if (r == 0) r = parse_end(dash + 1, &f->guest, &f->guest_port);
  return r == 0 && f->guest_port == 0 ? -EINVAL : r;
}

/* A port that is free now. @return 0 when there is none */
static uint16_t free_port(struct in_addr host) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = host};
  socklen_t length = sizeof(a);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
      getsockname(fd, (struct sockaddr *)&a, &length) < 0)
    a.sin_port = 0;
  close(fd);
  return ntohs(a.sin_port);
}

static bool listens_on(int fd, const struct forward *f) {
  struct sockaddr_in a;
  socklen_t length = sizeof(a), flag_length = sizeof(int);
  int listening = 0;
  return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &flag_length) == 0 && listening &&
         getsockname(fd, (struct sockaddr *)&a, &length) == 0 && a.sin_family == AF_INET &&
         a.sin_addr.s_addr == f->host.s_addr && ntohs(a.sin_port) == f->host_port;
}

/* libslirp listens with room for one connection, and clients that come together would wait for the
 * kernel's next attempt, a second later. It doesn't tell its socket; it is one of ours. */
static void lengthen_queue(const struct forward *f) {
  for (int fd = 3; fd < DESCRIPTORS_MAX; fd++)
    if (listens_on(fd, f)) listen(fd, QUEUE_CONNECTIONS);
}

int forward_add(Slirp *slirp, struct forward *f) {
  /* Somebody may take the free port before libslirp does: try another. */
  int tries = f->host_port ? 1 : 16;
  while (tries-- > 0) {
    uint16_t port = f->host_port ? f->host_port : free_port(f->host);
    if (!port) return -EADDRNOTAVAIL;
    if (slirp_add_hostfwd(slirp, 0, f->host, port, f->guest, f->guest_port) == 0) {
      f->host_port = port;
      lengthen_queue(f);
      return 0;
    }
  }
  return errno ? -errno : -EADDRINUSE;
}

void forward_report(const struct forward *f, int fd) {
  char host[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &f->host, host, sizeof(host));
  dprintf(fd, "%s:%u\n", host, f->host_port);
}
