/* Port forwarding: from an address of the host to one of the guest's. */
#ifndef PROTEOS_WIRE_FORWARD_H
#define PROTEOS_WIRE_FORWARD_H

#include <netinet/in.h>

#include <slirp/libslirp.h>

struct forward {
  struct in_addr host, guest;
  uint16_t host_port, guest_port;
};

/** Parses HOSTIP:PORT-GUESTIP:PORT. Host port 0 means any free one. @return 0 or -EINVAL */
int forward_parse(const char *text, struct forward *f);
/** Establishes it; sets host_port to the actual port. @return 0 or a negative errno */
int forward_add(Slirp *slirp, struct forward *f);
/** Writes where it listens to `fd`, HOSTIP:PORT as a line. */
void forward_report(const struct forward *f, int fd);

#endif
