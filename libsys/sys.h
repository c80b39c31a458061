/* libsys: a component's only door to the rest of the system.
 *
 * A component is one single-threaded, event-driven process:
 *
 *   static int my_init(const sys_init_t *info) { return 0; }
 *   int main(void) {
 *     event_eh_t my_ehs = {.init = my_init};
 *     sys_startup(&my_ehs);
 *     while (1) {
 *       msg_t m;
 *       sys_receive(&m);
 *       process_msg(&m);
 *     }
 *   }
 *
 * It blocks only in sys_receive(), and in sys_sendrec() for bounded calls down the call graph that
 * the manifest declares. Update and shutdown are handled inside sys_receive(); a component sees
 * them only through its event handlers. libsys's own variables are not part of a component's state.
 *
 * Unless said otherwise functions return 0 or more on success and a negative errno or SYS_E* value
 * on failure. Pointers passed in are used during the call only. */
#ifndef PROTEOS_SYS_H
#define PROTEOS_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsys/msg.h"

/** Why a component starts. */
enum sys_start {
  SYS_START_FRESH,   /* the first start of this endpoint in this instance */
  SYS_START_RESTART, /* its predecessor crashed or was killed; no state is left */
  SYS_START_UPDATE,  /* a live update: state was transferred from the old version */
  SYS_START_RECOVER, /* its predecessor crashed or was killed; its state was recovered */
};

typedef struct sys_init {
  enum sys_start start;
  uint32_t incarnation; /* 1 at the first start; +1 with each restart; unchanged by updates and
                           recoveries */
  const char *name;     /* this component's name in the manifest */
  const char *instance; /* name of the instance */
} sys_init_t;

/** Event handlers. All are optional; each returns 0, or a negative value to refuse. */
typedef struct event_eh {
  int (*init)(const sys_init_t *info);        /* fresh start; also restart when `restart` is NULL */
  int (*live_update)(const sys_init_t *info); /* in the new version, before commit: the state is
                                                 there. May change memory only; a negative return
                                                 rolls the update back. */
  void (*committed)(const sys_init_t *info);  /* after commit: I/O is allowed again */
  int (*restart)(const sys_init_t *info);     /* start after a crash, instead of `init` */
  int (*recover)(const sys_init_t *info);     /* start after a crash with the state that it left,
                                                 where the manifest says `recover: state`. That may
                                                 be in the middle of a change, and its descriptors
                                                 and watches are gone. A negative return leads to a
                                                 restart */
  void (*shutdown)(void);                     /* the component ends, in order: with the instance,
                                                 by prctl stop, or removed by prctl reload */
} event_eh_t;

/** Connects to the bus, imports state if this is an update, closes the sandbox, runs the handlers.
 * Must be called once, first in main(). Does not return when the component may not start: it then
 * prints one line that says why and exits.
 * @param handlers  NULL in a plain program: it may block anywhere, in sys_sendrec() above all, and
 *                  cannot be updated; shutdown ends it without asking */
void sys_startup(const event_eh_t *handlers);

/** Waits for the next message: a request, a reply to a sys_call(), a notification, or a system
 * message (enum sys_message). This is the update point: the component may be replaced while it is
 * in here, and the call then returns in the new version. */
void sys_receive(msg_t *m);

/** Bulk payload of the message that sys_receive() returned last; `m->payload` bytes. Valid until
 * the next sys_receive(). */
const void *sys_payload(void);

/** Sends a request and waits for its answer. `m` is the request and becomes the reply.
 * @param dst  a component in this one's `calls:`
 * @return 0 and the reply in *m (whose `status` is the callee's result), or the bus's error:
 *         -EPERM (not in the manifest), -SYS_EDEADSRCDST, -SYS_ERESTARTED, -SYS_ELOCKED,
 *         -ETIMEDOUT (the edge's deadline passed), -SYS_ENOTLIVE (before commit). */
int sys_sendrec(endpoint_t dst, msg_t *m);

/** The same with bulk payloads in both directions.
 * @param out,out_len  payload to send, at most SYS_PAYLOAD_MAX bytes (-EMSGSIZE beyond); may be
 * NULL
 * @param in,in_cap    where the reply's payload goes; a longer one is cut; m->payload says how much
 *                     was sent */
int sys_sendrec_bulk(endpoint_t dst, msg_t *m, const void *out, size_t out_len, void *in,
                     size_t in_cap);

/** Sends a request and goes on. The answer comes through sys_receive() as a message whose type has
 * SYS_REPLY_FLAG and whose `cookie` is the value given here; the bus's errors come the same way, in
 * `status`.
 * @return 0, -EPERM, -EMSGSIZE, -SYS_ENOTLIVE, or -EAGAIN when as many calls are in flight as the
 *         manifest allows (16 unless it says otherwise). */
int sys_call(endpoint_t dst, const msg_t *m, const void *out, size_t out_len, uint64_t cookie);

/** Tells `dst` to look again: ORs `bits` into what it has not seen yet. Never blocks and never
 * fails for lack of room. Delivered together, at the latest at the next sys_receive(). A component
 * may always notify those who may call it.
 * @return 0, -EPERM or -SYS_ENOTLIVE. */
int sys_notify(endpoint_t dst, uint64_t bits);

/** Answers a request, now or later. `token` is from the request; it is a plain value that may lie
 * in the component's state and survives its updates. A reply to the request received last is sent
 * together with the next sys_receive(); any other is sent, and checked, at once.
 * @return 0, -ESTALE (that request is no longer pending: its caller died, was restarted, or was
 *         answered), -EMSGSIZE, -SYS_ENOTLIVE. */
int sys_reply(uint64_t token, const msg_t *m);
int sys_reply_bulk(uint64_t token, const msg_t *m, const void *out, size_t out_len);
/** The same for servers that owe many answers: it goes out with others, at the latest with the next
 * sys_receive(), and nobody tells whether the request was still pending.
 * @return 0, -EMSGSIZE, -SYS_ENOTLIVE. */
int sys_reply_unchecked(uint64_t token, const msg_t *m, const void *out, size_t out_len);

/** Finds a component by its manifest name, among those that this one may talk to.
 * @return its endpoint (> 0), or -ENOENT. */
endpoint_t sys_lookup(const char *name);
/** The manifest name of an endpoint that this component may talk to, else "?". */
const char *sys_name(endpoint_t ep);
/** This component's own endpoint. */
endpoint_t sys_self(void);

/** Monotonic time of the bus, in microseconds. */
uint64_t sys_time_us(void);
/** The time of day: nanoseconds since 1970 began, UTC. May be set back. */
uint64_t sys_wall_time_ns(void);
/** Fills `len` bytes (at most 256) with randomness from the bus. */
void sys_random(void *buf, size_t len);

/** Asks for a SYS_NOTIFIED from SYS_KERNEL with bit `bit` (0 to 63) set once sys_time_us() reaches
 * `at_us`; 0 cancels. One alarm a bit; setting it again moves it. Alarms belong to the endpoint and
 * survive updates. Alarms and watches share the 64 bits of SYS_KERNEL. */
int sys_alarm(unsigned bit, uint64_t at_us);

enum sys_watch_events { SYS_WATCH_READ = 1, SYS_WATCH_WRITE = 2 };
/** Asks for bit `bit` from SYS_KERNEL when `fd` becomes ready. Re-armed whenever the component
 * enters sys_receive() after the bit was delivered. Belongs to the endpoint; survives updates.
 * @param events  enum sys_watch_events, or-ed; 0 ends the watch. */
int sys_watch(int fd, unsigned events, unsigned bit);
/** Ends the watch of `fd`, if any, and closes it. */
int sys_close(int fd);

/** Descriptor that the manifest gives this component under `name` (a wire, for example).
 * @return the descriptor, or -ENOENT. */
int sys_inherited(const char *name);

/** Maps a region that the manifest declares and shares with this component. Pages are zero at the
 * instance's start. The mapping keeps its address over updates; before commit it is read-only.
 * Mapping a region twice returns the same address.
 * @param bytes  if not NULL receives its size
 * @return its address, or NULL with errno set (ENOENT, EPERM). */
void *sys_region(const char *name, size_t *bytes);

/** Says, at file scope, that the executable needs something of the manifest: without it the
 * instance does not boot, and an update to this version is refused when it is requested. It gives
 * nothing: what is not in the manifest is refused at run time, declared or not.
 *
 *   SYS_NEEDS(call, "net");                     net in `calls:`
 *   SYS_NEEDS(send, "tty");                     tty in `sends:` or `calls:`
 *   SYS_NEEDS(region, "${1:-nic0}.frames");     to be in `share:` of that region
 *   SYS_NEEDS(syscall, "flock");                flock in `syscalls:`
 *   SYS_NEEDS(kernel, "update");                update in `kernel:`
 *
 * ${N} at the beginning is the N-th of the component's `args:`, ${N:-TEXT} the same or TEXT. */
#define SYS_NEEDS(kind, name)                                                                      \
  __asm__(".pushsection proteos.needs,\"\",@progbits\n"                                            \
          ".string \"" SYS_NEED_##kind "\"\n.string \"" name "\"\n.popsection")
#define SYS_NEED_call    "call"
#define SYS_NEED_send    "send"
#define SYS_NEED_region  "region"
#define SYS_NEED_syscall "syscall"
#define SYS_NEED_kernel  "kernel"

/** Text for an errno or SYS_E* value, of either sign. Valid until the next call. */
const char *sys_strerror(int error);

/** Prints a line to the component's log, with its name. */
void sys_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
