/* What `prctl status` shows. */
#ifndef PROTEOS_STATUS_H
#define PROTEOS_STATUS_H

#include "bus/endpoint.h"

/** Sends the state of the instance and of its components as one last ControlReply.
 * @return 0 or a negative errno */
int status_send(int fd);
/** The same of one component only. */
int status_send_component(int fd, const struct endpoint *e);

#endif
