/* The control socket: prctl and the Python harness. Each client may be the instance's owner or
 * root. Requests about updates are um's; busd serves the others (proto/control.proto). */
#ifndef PROTEOS_CONTROL_H
#define PROTEOS_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/endpoint.h"
#include "control.pb-c.h"

/** A component runs, or has ended: whoever asked for that is told.
 * @param failure  why it does not run as it should; NULL: it does, or was to be stopped */
void control_settled(const struct endpoint *e, const char *failure);

/** Listens in the runtime directory. @return 0 or a negative errno */
int control_init(void);

/** KERN_CONTROL_SEND: a packed ControlReply to a client.
 * @param by    who must have its request: um, or one that was asked for its table
 * @param last  ends its request
 * @return 0, or -ENOTCONN: the client is gone */
int control_send(const struct endpoint *by, uint64_t connection, const void *packed, uint32_t bytes,
                 bool last);

/** An update was committed, of which um will tell its client. */
void control_committed(void);
/** um has died: whoever waits for it is an orphan, to be told what came of the update. */
void control_manager_died(void);
void control_tell_orphans(void);

/** A component has died: whoever waits for its table is told so. */
void control_server_died(const struct endpoint *e);

/** Packs and sends a reply, without waiting. An error takes the place of one that is too long, and
 * ends its request. @return 0, -EAGAIN: the client is slow, or another negative errno */
int control_reply(int fd, const Proteos__ControlReply *reply);

#endif
