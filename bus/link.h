/* busd's link to the loader (bus/loader_proto.h). */
#ifndef PROTEOS_LINK_H
#define PROTEOS_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/loader_proto.h"
#include "bus/manifest.h"
#include "bus/version.h"

/* @return 0 or a negative errno */
int link_init(void);

/** Starts the process of a version: its endpoint's arguments, log, wires and confinement; its
 * channel is made here. The answer comes to lifecycle_spawned() or update_spawned().
 * @param cpus   affinity
 * @param state  its end of the channel through which it gets its state, stays the caller's; -1:
 * none
 * @param old    whose state that is: the old version of an update, or the version itself, which
 * goes on with what a dead one has left; NULL: none
 * @return 0 or a negative errno */
int link_spawn(struct version *v, uint64_t cpus, int state, const struct version *old);

/** Starts a wire's helper outside the component sandbox. It gets `fds` as descriptors 3 and on, and
 * log_fd as its outputs. Its end comes to wire_helper_exited().
 * @return its id, or a negative errno */
int link_spawn_helper(const char *path, char *const *argv, const int *fds, unsigned nfds,
                      int log_fd);

/** The arguments that a component is given, the first being its name, each NUL-terminated.
 * @return their bytes, or a negative errno; `bytes` is valid until the next start of a component */
int link_arguments(const struct manifest_component *c, const char **bytes);

void link_kill(const struct version *v, int signal);
/** @param cpus        affinity, one bit a CPU
 * @param background  it gives way to others */
void link_place(const struct version *v, uint64_t cpus, bool background);
/* The same by the loader's id of a process. */
void link_kill_id(uint32_t id, int signal);
void link_place_id(uint32_t id, uint64_t cpus, bool background);

/* A new version of busd. All descriptors stay the caller's. */
struct link_next {
  uint32_t id;
  int exe, old_exe;
  int state;   /* its end of the state channel */
  int options; /* a file with the packed options */
};
/** Starts it. @return 0 or a negative errno */
int link_spawn_next(const struct link_next *next);
/** In a new version: passed on to the old one. @param text  "": none */
void link_report(enum update_phase phase, int status, const char *text);
/** Waits for a message of the loader, and handles it. */
void link_wait(void);

/** Sends the commit record to be decided. With LOADER_HOLD as its type, by the new busd's order. */
int link_commit(const struct loader_msg *commit);
void link_activated(uint64_t txid);

/** The end: the loader kills what is left and exits with this status. */
void link_shutdown(int status);

#endif
