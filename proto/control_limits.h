/* How much goes over a control socket (control.proto) at once, for both of its ends. */
#ifndef PROTEOS_PROTO_CONTROL_LIMITS_H
#define PROTEOS_PROTO_CONTROL_LIMITS_H

#include "libsys/msg.h"

/** Bytes of a packed ControlRequest: um gets it as a message's payload. */
#define CONTROL_REQUEST_MAX_BYTES SYS_PAYLOAD_MAX
/** Descriptors beside it. */
#define CONTROL_FILES_MAX 64u
/** Bytes of a packed ControlReply: less than the 208 KiB that Linux lets a socket send unless it is
 * told otherwise. */
#define CONTROL_REPLY_MAX_BYTES (192u << 10)

#endif
