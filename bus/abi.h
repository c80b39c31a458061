/* The wire between a component (libsys) and busd: one SOCK_SEQPACKET socketpair per component.
 *
 * Component to busd: one packet is a batch of operations, `struct bus_packet` followed by `nops`
 * `struct bus_op` and then at most one bulk payload. Non-blocking operations (notify, call, reply)
 * are batched; a packet ends with at most one operation that waits (RECEIVE, SENDREC, or a REPLY
 * with BUS_ACK), and busd sends exactly one `struct bus_delivery` for each of those. busd therefore
 * sends to a component only while it waits, at most one packet: nothing lies in the socket of a
 * frozen component, and no send of busd can block.
 *
 * Kernel calls are SENDREC to endpoint 0 with a type from enum kern_call; descriptors travel beside
 * them as SCM_RIGHTS. */
#ifndef PROTEOS_BUS_ABI_H
#define PROTEOS_BUS_ABI_H

#include <stdint.h>

#include "libsys/msg.h"

#define BUS_ABI_VERSION 2u

/* Descriptors that the loader puts in place before exec. */
enum bus_fd {
  BUS_FD_CHANNEL = 3,    /* to busd */
  BUS_FD_EXE = 4,        /* the component's own executable, read-only: metadata is read from it */
  BUS_FD_STATE = 5,      /* updates: SOCK_SEQPACKET to the old version's libsys; a recovery: what
                            the process that has died left there */
  BUS_FD_OLD_EXE = 6,    /* with it: the old version's executable, read-only */
  BUS_FD_FAULTS = 7,     /* only after prctl boot --faults: the page of faults */
  BUS_FD_INHERITED = 10, /* first of those that the manifest gives (wires), in hello's order */
};

enum bus_op_code {
  BUS_OP_RECEIVE = 1, /* waits; last in its packet; BUS_NESTED: while handling a message */
  BUS_OP_SENDREC = 2, /* waits for the answer; last in its packet */
  BUS_OP_CALL = 3,    /* arg = cookie */
  BUS_OP_NOTIFY = 4,  /* arg = bits */
  BUS_OP_REPLY = 5,   /* arg = token; with BUS_ACK it waits for its status */
};

enum bus_op_flags {
  BUS_ACK = 1,
  BUS_NESTED = 2,
};

struct bus_packet {
  uint32_t version; /* BUS_ABI_VERSION */
  uint32_t nops;    /* 1 to BUS_OPS_MAX */
};

#define BUS_OPS_MAX 32u

struct bus_op {
  uint16_t code;
  uint16_t flags;
  endpoint_t dst;
  uint64_t arg;
  uint32_t payload; /* bytes; at most one operation of a packet has any */
  uint32_t unused;
  msg_t m;
};

#define BUS_PACKET_MAX                                                                             \
  (sizeof(struct bus_packet) + BUS_OPS_MAX * sizeof(struct bus_op) + SYS_PAYLOAD_MAX)

enum bus_delivery_kind {
  BUS_DELIVER_MESSAGE = 1, /* answers RECEIVE: a request, reply, notification or system message */
  BUS_DELIVER_ANSWER = 2,  /* answers SENDREC or an acknowledged REPLY; `error` is the bus's */
  BUS_DELIVER_CONTROL = 3, /* answers RECEIVE: m.type is from enum bus_control; for libsys only */
};

struct bus_delivery {
  uint32_t kind;
  int32_t error; /* ANSWER: 0 or a negative errno / SYS_E* value */
  msg_t m;       /* followed by m.payload bytes */
};

/* What busd tells libsys while it waits in RECEIVE. libsys handles it and receives again. */
enum bus_control {
  BUS_CTL_PREPARE = 0x10,  /* to the old version, once the new one runs: descriptor attached = the
                              state channel; payload = the state filter's text, NUL-terminated
                              (empty: always true). Off the critical path. Answer: KERN_REPORT
                              PREPARED. */
  BUS_CTL_CONVERGE = 0x11, /* to the old version: from now on evaluate the filter at each entry to
                              top-level sys_receive(); when it holds, export the state through the
                              channel, KERN_REPORT FROZEN, and wait for THAW. */
  BUS_CTL_THAW = 0x12,     /* to the old version: the update is off (valid in any of the phases
                              above); drop what PREPARE made and go on. */
  BUS_CTL_LIVE = 0x13,     /* to the new version, as answer to its KERN_REPORT TRANSFERRED's
                              following RECEIVE: it now serves the endpoint. u32[0] = calls in
                              flight, u32[1] = 1: it is on probation, and must not write back what
                              the old version still needs until PASSED comes */
  BUS_CTL_SHUTDOWN = 0x14, /* run the shutdown handler and exit 0 */
  BUS_CTL_PING = 0x15,     /* nothing: only receive again (heartbeat_ms) */
  BUS_CTL_PASSED = 0x18,   /* the probation is over: this version stays */
};

/* Kernel calls: types of SENDREC to SYS_KERNEL. Those marked (um) need `kernel: [update]` in the
 * manifest. Arguments by position in the body; "->" is the reply. */
enum kern_call {
  KERN_HELLO = 0x20,  /* -> payload: struct bus_hello; first call of every component */
  KERN_ALARM = 0x21,  /* u32[0] bit, u64[1] absolute time in us (0 cancels) */
  KERN_WATCH = 0x22,  /* i32[0] fd number, u32[1] events (0 ends), u32[2] bit; fd attached */
  KERN_RANDOM = 0x23, /* u32[0] bytes, at most 256 -> payload */
  KERN_REGION = 0x24, /* payload: region name -> u64[0] bytes; memfd attached */
  KERN_REPORT = 0x25, /* progress of an update: u32[0] enum update_phase, i32[1] status (0 or
                         negative errno); payload: text for people, may be empty. Passed on to
                         um as UM_REPORT. Of a recovery only TRANSFERRED, refused. */
  KERN_LOOKUP = 0x26, /* payload: name -> i32[0] endpoint */
  KERN_READY = 0x27,  /* a plain program is up; others are when they first RECEIVE */
  KERN_KEEP = 0x3d,   /* -> a channel attached: what is sent there is kept, and is a successor's
                         BUS_FD_STATE when this process dies. The last one counts */

  KERN_INFO = 0x30, /* (um) i32[0] endpoint -> struct kern_info as payload; its running
                       executable attached, read-only */
  KERN_LOAD = 0x31, /* (um) i32[0] endpoint, u64[1] txid, u32[4] n, u32[5] s; executable attached;
                       payload: n bytes of filter text, NUL-terminated, s bytes of the executable's
                       signature, then the update's options. Spawns the new version and sends
                       PREPARE to the old -> i32[0] pid */
  KERN_CONVERGE = 0x32, /* (um) i32[0] endpoint; payload: struct bus_step of its interface filter,
                           or none. Holds it and sends CONVERGE */
  KERN_COMMIT = 0x33,   /* (um) u64[0] txid, u32[2] n, u32[3] and u32[4] the limits in ms for um to
                           converge and for its new version, if um is a member, u32[5] ms of
                           probation, 0: none; payload: n endpoint_t. Commit record in the loader,
                           then rebind of all -> 0: ordered;   the outcome comes as UM_COMMITTED */
  KERN_ABORT = 0x34,    /* (um) i32[0] endpoint: kill the new version, thaw the old */
  KERN_CONTROL_SEND = 0x35, /* (um, and who got BUS_TABLE) u64[0] control connection, u32[2] 1 = the
                               last; payload: a packed ControlReply (proto/control.proto) */
  KERN_WAITS = 0x37,        /* (um) i32[0] endpoint -> payload: struct kern_waits */
  KERN_JOURNAL = 0x38,      /* (um) -> the instance's journal attached, for reading and appending */

  /* Memory. Those marked (mm) need `kernel: [memory]`; `segment` is one that the caller made. */
  KERN_SEGMENT_MAKE = 0x50,  /* (mm) u64[0] bytes -> u32[0] segment */
  KERN_SEGMENT_SHARE = 0x51, /* (mm) u32[0] segment, i32[1] endpoint, u32[2] enum
                                bus_segment_right, 0: no more -> u32[0] its incarnation */
  KERN_SEGMENT_DROP = 0x52,  /* (mm) u32[0] segment */
  KERN_END = 0x53,           /* (mm) i32[0] endpoint, u32[1] incarnation: end it */
  KERN_SEGMENT_OPEN = 0x54,  /* u32[0] a segment that is shared with the caller -> u64[0] bytes;
                                memfd attached, read-only if it may only read */

  /* Scheduling. Those marked (sched) need `kernel: [schedule]`; i32[0] endpoint, u32[1] incarnation
   * name one life of a component. */
  KERN_TASKS = 0x58,    /* (sched) -> payload: struct kern_task of each component that runs */
  KERN_PRIORITY = 0x59, /* (sched) u32[2] priority, 0 to BUS_PRIORITY_MAX */
  KERN_PREEMPT = 0x5a,  /* (sched) u32[2] ms: stop it for so long at most, 0: it goes on */
  KERN_PLACE = 0x5b,    /* (sched) u64[1] CPUs, one bit each, 0: as the manifest says */
};

/* Message that busd sends to the process manager, the memory server and the scheduler, without a
 * token: prctl wants their table, a packed ControlReply by KERN_CONTROL_SEND. */
enum table_message { BUS_TABLE = 0x71 /* u64[0] control connection */ };

#define BUS_PRIORITY_DEFAULT 4u
#define BUS_PRIORITY_MAX     7u
#define BUS_PREEMPT_MS_MAX   1000u

enum bus_task_flags {
  BUS_TASK_RUNNING = 1, /* and neither started, updated nor ended now */
  BUS_TASK_BUSY = 2,    /* it waits for nothing of the bus: it computes, or is about to */
  BUS_TASK_WANTED = 4,  /* somebody waits for its answer */
  BUS_TASK_PREEMPTED = 8,
  BUS_TASK_SYSTEM = 16, /* it has kernel rights, and is never preempted */
};

struct kern_task {
  endpoint_t endpoint;
  uint32_t incarnation;
  uint64_t cpu_us;   /* that its process has used */
  uint64_t cpus;     /* where it may run */
  uint64_t messages; /* handled */
  int32_t pid;
  uint32_t priority;
  uint32_t flags; /* enum bus_task_flags */
  uint32_t unused;
  char name[32]; /* BUS_NAME_MAX */
};

enum bus_segment_right { BUS_SEGMENT_READ = 1, BUS_SEGMENT_WRITE = 2 };

enum update_phase {
  UPDATE_PLANNED = 1,     /* from the new version: plan computed or refused, import prepared */
  UPDATE_PREPARED = 2,    /* from the old version: ready to converge */
  UPDATE_FROZEN = 3,      /* from the old version: quiescent and exported */
  UPDATE_TRANSFERRED = 4, /* from the new version: state imported and checked, or refused */
};

/* Messages that busd sends to um (requests without a token: no reply is expected). */
enum um_message {
  UM_REPORT = 0x40,  /* i32[0] endpoint, u32[1] enum update_phase, i32[2] status, i32[3] process
                        id of the version that reports; payload: text */
  UM_EXITED = 0x41,  /* i32[0] endpoint, u32[1] 0 = its live version, 1 = its new version,
                        i32[2] pid, i32[3] wait status */
  UM_CONTROL = 0x42, /* u64[0] control connection; payload: a packed ControlRequest; descriptors
                        attached */
  UM_CONTROL_CLOSED = 0x43, /* u64[0] control connection: its client is gone */
  UM_COMMITTED = 0x45,      /* the outcome of KERN_COMMIT: u64[0] txid, i32[2] 0 = the new versions
                               are live, or a negative errno: the old ones go on. To um as it then
                               is: its new version, if um was a member */
  UM_PROBATION = 0x44,      /* a probation is over: u64[0] txid of its update, u32[2] 1 = the new
                               versions stay, 0 = the old ones have taken over, i32[3] endpoint of the
                               one that died, if so */
  UM_LIFE = 0x47,     /* i32[0] endpoint; payload: text: it was restarted, recovered, given up */
  UM_TIMEOUTS = 0x48, /* payload: um's arguments as they are now, each NUL-terminated */
};

/* Rights of an edge, as libsys checks them before sending (busd checks again). */
enum bus_right {
  BUS_RIGHT_SENDREC = 1, /* manifest `calls:` */
  BUS_RIGHT_CALL = 2,    /* `calls:` or `sends:` */
  BUS_RIGHT_NOTIFY = 4,  /* any edge, in both directions */
};

#define BUS_NAME_MAX   32u
#define BUS_FILTER_MAX 4096u /* bytes of a state filter's text, with its NUL */
/* Bytes of an update's options: UpdateOptions of proto/options.proto, which only the new version
 * reads. */
#define BUS_OPTIONS_MAX   16384u
#define BUS_SIGNATURE_MAX 64u

#define BUS_EDGES_MAX 63u /* of one component: all others, and itself */

struct bus_edge {
  endpoint_t endpoint;
  uint32_t rights;      /* enum bus_right */
  uint32_t deadline_ms; /* of a sendrec on this edge; 0 = none */
  char name[BUS_NAME_MAX];
};

struct bus_inherited {
  int32_t fd;
  char name[BUS_NAME_MAX];
};

/* Reply to KERN_HELLO: this head, then `nedges` bus_edge, `ninherited` bus_inherited, the
 * NUL-terminated names of extra system calls, `syscalls_bytes` bytes of them, and the options of
 * the update that this version is started for. */
struct bus_hello {
  uint32_t version; /* BUS_ABI_VERSION */
  endpoint_t self;
  uint32_t start; /* enum sys_start */
  uint32_t incarnation;
  uint32_t calls_max; /* sys_call()s that may be in flight */
  uint32_t calls_in_flight;
  uint32_t sandbox; /* enum bus_sandbox */
  uint32_t nedges;
  uint32_t ninherited;
  uint32_t syscalls_bytes;
  uint32_t options_bytes;
  uint32_t keep; /* its state is to outlive the process (recover: state) */
  char name[BUS_NAME_MAX];
  char instance[BUS_NAME_MAX];
};

enum bus_sandbox { BUS_SANDBOX_NONE = 0, BUS_SANDBOX_ON = 1, BUS_SANDBOX_TRACE = 2 };

/* An interface filter: what may still reach a component while it converges. An expression over one
 * message in postfix form; replies are not asked about. */
enum bus_step_op {
  BUS_STEP_NUMBER = 1, /* value */
  BUS_STEP_TYPE,       /* of the message; SYS_NOTIFIED for a notification */
  BUS_STEP_SOURCE,     /* its endpoint */
  BUS_STEP_PAYLOAD,    /* bytes */
  BUS_STEP_NOT,        /* of one operand; the rest take two */
  BUS_STEP_EQUAL,
  BUS_STEP_LESS, /* unsigned */
  BUS_STEP_LESS_EQUAL,
  BUS_STEP_AND,
  BUS_STEP_OR,
};

struct bus_step {
  uint32_t op; /* enum bus_step_op */
  uint32_t value;
};

#define BUS_STEPS_MAX 128u

/* What keeps a converging component. */
struct kern_waits {
  uint64_t messages;  /* it has handled: whether it gets on */
  uint32_t idle;      /* it waits in receive, and may have nothing of what is pending */
  uint32_t reachable; /* something may still come: an alarm, a watch, a peer that runs */
  uint32_t count;     /* followed by that many struct kern_wait */
  uint32_t unused;
};

#define KERN_WAITS_MAX 64u

enum kern_wait_why {
  KERN_WAIT_ANSWER = 1, /* `who` owes it an answer to a request of `type` */
  KERN_WAIT_WITHHELD,   /* a request of `type` by `who` is not let through */
  KERN_WAIT_CALLER,     /* `who` might send to it, but is held */
};

struct kern_wait {
  uint32_t why; /* enum kern_wait_why */
  endpoint_t who;
  uint32_t type;
  uint32_t held; /* `who` is held by an update itself */
};

struct kern_info {
  endpoint_t endpoint;
  uint32_t state; /* busd's enum endpoint_state */
  int32_t pid;
  uint32_t updates;  /* updates survived */
  uint64_t messages; /* handled */
  uint32_t nedges;   /* followed by that many struct bus_edge: its outgoing calls, */
  uint32_t given;    /* and by so many bytes: all that the manifest gives it (bus/needs.h) */
  char name[BUS_NAME_MAX];
  char build_id[41];     /* of its running version, in hexadecimal */
  uint32_t probation_ms; /* that are left of its probation; 0: it is on none. Of the bus: of any */
};

#endif
