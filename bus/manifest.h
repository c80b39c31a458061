/* system.yaml: what an instance is made of, and who may do what. Loaded and checked by prctl
 * in the foreground and then by busd, at boot and at each reload. */
#ifndef PROTEOS_MANIFEST_H
#define PROTEOS_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsys/msg.h"

/* Endpoints fit in one 64-bit set; 0 is the bus. */
#define MANIFEST_COMPONENTS_MAX 63u
#define MANIFEST_NAME_MAX       31u /* characters of a component's or wire's name */
#define MANIFEST_WIRES_MAX      8u  /* of one component */
#define MANIFEST_ARGS_MAX       64u

enum manifest_sandbox {
  MANIFEST_SANDBOX_ON,       /* Landlock where the kernel has it; the filters always */
  MANIFEST_SANDBOX_REQUIRED, /* refuse to boot without Landlock */
  MANIFEST_SANDBOX_NONE,
};

enum manifest_restart { MANIFEST_RESTART_ALWAYS, MANIFEST_RESTART_NEVER };

enum manifest_recover { MANIFEST_RECOVER_NONE, MANIFEST_RECOVER_STATE };

enum manifest_kernel {
  MANIFEST_KERNEL_UPDATE = 1,    /* the calls marked (um) in bus/abi.h */
  MANIFEST_KERNEL_PROCESSES = 2, /* those of bus/abi_programs.h */
  MANIFEST_KERNEL_MEMORY = 4,    /* (mm) */
  MANIFEST_KERNEL_SCHEDULE = 8,  /* (sched) */
};

enum manifest_wire_kind {
  MANIFEST_WIRE_SLIRP,
  MANIFEST_WIRE_TAP,
  MANIFEST_WIRE_STREAM,
  MANIFEST_WIRE_FILE,
  MANIFEST_WIRE_CONSOLE,
};

/* Time-outs in milliseconds; those that are not in the file get a default. */
struct manifest_timeouts {
  uint32_t start; /* from spawn to the first receive */
  uint32_t stop;  /* from the request to end to the end; of all together at a shutdown */
  uint32_t load;  /* the three phases of an update; passed on to um */
  uint32_t converge;
  uint32_t transfer;
  uint32_t maxtime; /* of a whole update, until its commit; not in the file: 0, none */
};

/* Which new versions, and which executables at all, may run. */
struct manifest_updates {
  char
      *require_signature; /* file of the public key; absolute once loaded; NULL: none is required */
  uint8_t key[32];        /* not in the file: the key that it held when the manifest was loaded */
};

struct manifest_region {
  char *name;
  uint64_t bytes;
  char **share; /* names of components that may map it */
  unsigned share_count;
};

struct manifest_wire {
  char *name;
  enum manifest_wire_kind kind;
  char *to;       /* the component that inherits it */
  char *forward;  /* slirp: "HOST:PORT -> GUEST:PORT", port 0 = any free one; may be NULL */
  char *device;   /* tap: the interface's name */
  char *path;     /* stream: the Unix socket; file: the file */
  char *keyboard; /* console: the console wire over which its keys go, to the keyboard's model;
                     NULL: none */
  bool open;      /* slirp: the system reaches the host, as the gateway, and what is beyond it */
  bool listen;    /* stream: wait there for the peer instead of connecting to it */
};

struct manifest_call {
  char *to;
  uint32_t deadline_ms; /* of a sendrec; 0 = none */
};

struct manifest_component {
  char *name;
  char *file; /* executable: a name below root/bin, or a path (below root first) */
  char **args;
  unsigned args_count;
  struct manifest_call *calls; /* may sys_sendrec(), sys_call() and sys_notify() */
  unsigned calls_count;
  char **sends; /* may sys_call() and sys_notify() */
  unsigned sends_count;
  uint32_t kernel; /* enum manifest_kernel, or-ed */
  char *cpu;       /* NULL: the personality's; "other"; or a number */
  enum manifest_restart restart;
  enum manifest_recover recover; /* what a restart takes along */
  uint32_t heartbeat_ms;         /* longest time away from the bus; 0 = any */
  uint32_t calls_max;            /* sys_call()s in flight; default 16 */
  char **syscalls;               /* allowed by the tight filter beside its own */
  unsigned syscalls_count;
  bool trace_syscalls; /* log what the tight filter would refuse, and let it pass */
  /* Not in the file: */
  char *executable; /* the absolute path that `file` was found at */
  bool removed;     /* of an earlier manifest; keeps its place, so that others keep theirs */
  bool program;     /* a place for programs that `programs:` asks for; it has no file */
};

/* Programs that are started while the instance runs. For each of them at a time the manifest has a
 * component more, "program-1" and so on, once it is loaded. */
struct manifest_programs {
  char *by; /* the component that starts them; NULL: there are none */
  uint32_t at_most;
  struct manifest_call *calls; /* of each */
  unsigned calls_count;
};

struct manifest {
  char *cpu;  /* "auto" or a number: the personality's CPU */
  char *root; /* absolute once loaded */
  enum manifest_sandbox sandbox;
  struct manifest_timeouts timeouts;
  struct manifest_updates updates;
  struct manifest_region *regions;
  unsigned regions_count;
  struct manifest_wire *wires;
  unsigned wires_count;
  struct manifest_programs programs;
  struct manifest_component *components; /* endpoint e is components[e - 1] */
  unsigned components_count;
  char *path; /* not in the file: its own, absolute */
};

/** Loads and checks a manifest.
 * @param error  receives one line that says what is wrong and where
 * @return the manifest, or NULL; manifest_free() ends it. */
struct manifest *manifest_load(const char *path, char *error, size_t error_cap);
void manifest_free(struct manifest *m);

/** Gives those that are 0 their defaults: a busd that takes over from one that did not know a
 * time-out has none for it. */
void manifest_fill_timeouts(struct manifest_timeouts *timeouts);

/** A copy in memory of the caller's own: what manifest_load() returns is libcyaml's, and no state
 * of the program's. Each pointer of the structures above is copied in manifest_copy.c.
 * @return NULL without memory; manifest_copy_free() ends it */
struct manifest *manifest_copy(const struct manifest *m);
void manifest_copy_free(struct manifest *m);

/** Receives a problem: one line that says what is wrong and where. */
typedef void manifest_report_fn(void *arg, const char *line);
/** The same, with every problem that can be found.
 * @param report  called for each; when it is called there is no manifest */
struct manifest *manifest_load_and_report(const char *path, manifest_report_fn *report, void *arg);

/** Endpoint of a component that is not removed, or 0. */
endpoint_t manifest_find(const struct manifest *m, const char *name);

/** Looks for a cycle among the `calls:`.
 * @param path  receives it as "a -> b -> a"
 * @return true when there is one */
bool manifest_cycle(const struct manifest *m, char *path, size_t cap);

/** CPU sets, one bit a CPU: where the personality runs, where a component does. `available` is what
 * the instance may use; a "cpu: other" component gets the rest, or the same one if there is none.
 */
uint64_t manifest_personality_cpus(const struct manifest *m, uint64_t available);
uint64_t manifest_component_cpus(const struct manifest *m, const struct manifest_component *c,
                                 uint64_t available);
/** The CPUs that are not the personality's; all when there is only one. */
uint64_t manifest_other_cpus(const struct manifest *m, uint64_t available);

#endif
