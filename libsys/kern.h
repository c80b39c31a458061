/* Kernel calls: what a component asks of the bus itself. For libsys and for the update manager,
 * whose manifest entry has `kernel: [update]`; other components are refused (-EPERM). */
#ifndef LIBSYS_KERN_H
#define LIBSYS_KERN_H

#include <stddef.h>

#include "bus/abi.h"
#include "libsys/sys.h"

/* A kernel call: the request goes out from `m`, `out` and `fd_out`, the answer comes into `m`, `in`
 * and `fd_in`. Members left 0 are absent; set fd_out to -1 when no descriptor goes along. */
struct kern_args {
  msg_t m; /* m.type: enum kern_call; arguments in the body. Afterwards the reply */
  const void *out;
  size_t out_len;
  int fd_out; /* borrowed; -1: none */
  void *in;
  size_t in_cap;
  int fd_in; /* descriptor that came with the reply, owned by the caller; -1: none */
};

/** Makes a kernel call.
 * @return 0, or the bus's or the call's error. */
int kern_call(struct kern_args *args);

/** Takes the descriptors that came with the message that sys_receive() returned last, in order.
 * Those not taken are closed by the next sys_receive().
 * @return how many; the caller owns them. */
unsigned kern_take_fds(int *fds, unsigned max);

/** (um) Describes a component. @param exe_fd  receives its running executable, owned by the caller
 * @param edges  receives up to `max` of its outgoing edges; info->nedges says how many there are
 * @param given  if not NULL receives what the manifest gives it (bus/needs.h), info->given bytes,
 * until the next call */
int kern_info(endpoint_t ep, struct kern_info *info, struct bus_edge *edges, unsigned max,
              const char **given, int *exe_fd);
/* What a version is replaced by, and how. All is borrowed. */
struct kern_load {
  int exe_fd;
  const char *filter;    /* for the old version; "" is always true */
  const void *signature; /* of the executable; the manifest says whether there must be one */
  size_t signature_bytes;
  const void *options; /* for the new version: UpdateOptions of proto/options.proto */
  size_t options_bytes;
};

/** (um) Spawns a new version from an executable and prepares the old one.
 * @return the new version's process id, or a negative error; -E2BIG: filter and options are too
 * long
 */
int kern_load(endpoint_t ep, uint64_t txid, const struct kern_load *load);
/** (um) Holds a component's requests and lets it converge to quiescence.
 * @param allow  what may still reach it, struct bus_step; `allow_bytes` of them, 0: the bus's rule
 * @return 0, -ECHILD: its new version has ended, -EINVAL: it is not running, or `allow` is
 * malformed
 */
int kern_converge(endpoint_t ep, const void *allow, size_t allow_bytes);
/** (um) What a converging component waits for. @param waits  receives waits->count of them
 * @return 0 or a negative error */
int kern_waits(endpoint_t ep, struct kern_waits *head, struct kern_wait waits[KERN_WAITS_MAX]);
/** (um) The instance's journal. @return a descriptor, owned by the caller, or a negative error */
int kern_journal(void);
/* How a commit may go on, in milliseconds. */
struct kern_commit_limits {
  uint32_t converge_ms, transfer_ms; /* for um, if it is a member, and for its new version */
  uint32_t probation_ms;             /* how long the old versions are kept; 0: not at all */
};

/** (um) Orders the commit: all members' endpoints pass to their new versions, or none. The outcome
 * comes as UM_COMMITTED. All are frozen and transferred but um, which converges by this order.
 * @return 0, or why these members are not ready */
int kern_commit(uint64_t txid, const endpoint_t *members, unsigned n,
                const struct kern_commit_limits *limits);
/** (um) Kills the new version, if any, and thaws the old one. */
int kern_abort(endpoint_t ep);
/** (um, and who got BUS_TABLE) Sends a packed ControlReply to a client of the control socket. */
int kern_control_send(uint64_t connection, const void *packed, size_t bytes, bool last);
/** Reports progress of this component's own update (enum update_phase) to um. */
int kern_report(unsigned phase, int status, const char *text);

#endif
