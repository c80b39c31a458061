/* Requests and replies over an instance's control socket. */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H

#include <stdbool.h>

#include "control.pb-c.h"

/** Sends a request.
 * @param fd  descriptor to attach, or -1
 * @return 0 or a negative errno */
int control_send(int control, const Proteos__ControlRequest *request, int fd);
/** The same with any number of descriptors, up to CONTROL_FILES_MAX (proto/control_limits.h). */
int control_send_files(int control, const Proteos__ControlRequest *request, const int *fds,
                       unsigned nfds);

/** Waits for the next reply.
 * @return owned by the caller (proteos__control_reply__free_unpacked); NULL when the instance is
 *         gone */
Proteos__ControlReply *control_receive(int control);

/** The same with the descriptors that come along.
 * @param fds   receives them; the caller's
 * @param nfds  in: room for how many; out: how many came */
Proteos__ControlReply *control_receive_files(int control, int *fds, unsigned *nfds);

/** Sends a request and waits for its first reply. @return as control_receive() */
Proteos__ControlReply *control_ask(int control, const Proteos__ControlRequest *request);

/** Asks how the instance and its components are.
 * @return as control_receive(); without `instance` when it was refused, see control_refused() */
Proteos__ControlReply *control_status(int control);

/** Waits until there is a reply, or the instance is gone. @return false when time is up */
bool control_wait(int control, int ms);

/** Prints the texts of replies until the last one.
 * @return prctl's exit status: 0, or 1 when the request failed or the instance went away */
int control_follow(int control);

/** Says that the instance went away. @return 1 */
int control_lost(void);

/** Says why a reply is not what was asked for. @param reply  freed; NULL: the instance went away
 * @return 1 */
int control_refused(Proteos__ControlReply *reply);

#endif
