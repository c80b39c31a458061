/* What the files of libsys share. Nothing of this is part of a component's state: a new version
 * starts with a fresh runtime and learns from busd (KERN_HELLO) what belongs to its endpoint. */
#ifndef LIBSYS_RUNTIME_H
#define LIBSYS_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/abi.h"
#include "libsys/sys.h"

struct runtime {
  struct bus_hello hello;
  struct bus_edge *edges;          /* hello.nedges of them */
  struct bus_inherited *inherited; /* hello.ninherited of them */
  char *syscalls;                  /* hello.syscalls_bytes of NUL-terminated names */
  void *options;                   /* hello.options_bytes; of the update it is started for */
  const event_eh_t *handlers;      /* a copy: the component's own may be a local of main() */
  bool live;                       /* serves its endpoint; a new version before commit does not */
  bool started;                    /* sys_startup() has returned */
  bool plain;                      /* a program without an event loop: cannot be updated */
  unsigned calls_in_flight;
  uint64_t last_token; /* of the request that sys_receive() returned last; 0: none */
};

extern struct runtime runtime;

/** Describes why this component starts, for its handlers. */
sys_init_t runtime_init_info(void);

/** Keeps the descriptors below BUS_FD_INHERITED for the runtime, in every version: what a component
 * opens must never have a number that a new version needs before its import. */
void runtime_reserve_fds(void);

/** Prints one line with the component's name and ends the process. */
void runtime_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/** Asks the bus again whom this component may talk to. */
void runtime_learn_edges(void);

/** The edge to an endpoint that is known, or NULL. */
const struct bus_edge *edge_to(endpoint_t ep);

/** 0, or why this version may not send to `dst` with `right` (enum bus_right). */
int edge_check(endpoint_t dst, unsigned right);

#endif
