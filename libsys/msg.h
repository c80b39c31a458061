/* The message that components exchange, and the numbers that name endpoints and system messages.
 *
 * A message is 64 bytes and may carry a bulk payload of up to SYS_PAYLOAD_MAX bytes in the same
 * packet. The same layout goes over the wire to busd (bus/abi.h). */
#ifndef PROTEOS_MSG_H
#define PROTEOS_MSG_H

#include <stdbool.h>
#include <stdint.h>

/** A component's address on the bus. It outlives the versions that serve it. Endpoints are numbered
 * from 1 in the order of the manifest; 0 is the bus itself. */
typedef int32_t endpoint_t;

#define SYS_KERNEL ((endpoint_t)0)

/** Largest bulk payload of one message, in bytes. */
#define SYS_PAYLOAD_MAX 65536u
/** Room for a message's own fields, in bytes. */
#define SYS_BODY_BYTES 40u

typedef struct msg {
  endpoint_t source; /* who sent it; written by busd, never by the sender */
  uint32_t type;     /* interface message number; a reply has SYS_REPLY_FLAG set */
  int32_t status;    /* replies: 0, or a negative errno / SYS_E* value; requests: 0 */
  uint32_t payload;  /* bytes of bulk payload that came with the message, 0 to SYS_PAYLOAD_MAX */
  union {
    uint64_t token;  /* requests: what sys_reply() needs */
    uint64_t cookie; /* replies to sys_call(): the value given there */
    uint64_t bits;   /* SYS_NOTIFIED: the bits that were set */
  };
  union {
    uint8_t body[SYS_BODY_BYTES];
    uint64_t u64[SYS_BODY_BYTES / 8];
    uint32_t u32[SYS_BODY_BYTES / 4];
    int32_t i32[SYS_BODY_BYTES / 4];
  };
} msg_t;

_Static_assert(sizeof(msg_t) == 64, "a message is one cache line");

#define SYS_REPLY_FLAG 0x80000000u

/* Types below this belong to the system; each interface header takes a range of its own. */
#define SYS_INTERFACES_FROM 0x100u

enum sys_message {
  SYS_NOTIFIED = 1,  /* `bits` were set by `source`; from SYS_KERNEL: alarms and watches */
  SYS_EXITED = 2,    /* a peer has died and is not (yet) back: i32[0] is its endpoint */
  SYS_RESTARTED = 3, /* a peer was started afresh; what it held for us is gone: i32[0] */
};

/** Whether somebody waits for an answer: neither a reply nor a message of the system, whose `bits`
 * lie where a request has its token. */
static inline bool msg_is_request(const msg_t *m) {
  return m->type >= SYS_INTERFACES_FROM && !(m->type & SYS_REPLY_FLAG) && m->token;
}

/* Errors of the bus beside errno's. Positive numbers; functions return them negated. */
enum sys_error {
  SYS_EDEADSRCDST = 2001, /* the destination is dead or does not exist */
  SYS_ERESTARTED = 2002,  /* the callee was restarted while the call was pending */
  SYS_ELOCKED = 2003,     /* the call would close a cycle of waiting components */
  SYS_ENOTLIVE = 2004,    /* a new version tried to act before its update committed */
};

#endif
