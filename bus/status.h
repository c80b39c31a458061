/* What `prctl status` shows. */
#ifndef PROTEOS_STATUS_H
#define PROTEOS_STATUS_H

/** Sends the state of the instance and of its components as one last ControlReply.
 * @return 0 or a negative errno */
int status_send(int fd);

#endif
