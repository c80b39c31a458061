/* Requests to the servers, and what comes in while we wait for something else. */
#ifndef PROTEOS_OS_ASK_H
#define PROTEOS_OS_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsys/msg.h"

enum server { SERVER_STORAGE, SERVER_PM, SERVER_PIPE, SERVER_TTY, SERVER_NET, SERVERS };

/** @return its endpoint, or 0 when the manifest gives no edge to it */
endpoint_t server_endpoint(enum server which);
/** Which one that endpoint is. @return SERVERS when it is none */
enum server server_of(endpoint_t endpoint);

/** Sends a request, and runs the handlers of signals that came meanwhile.
 * @return 0, or -1 with errno set */
int ask(endpoint_t server, msg_t *m);
int ask_bulk(endpoint_t server, msg_t *m, const void *out, size_t out_len, void *in, size_t in_cap);

/** Sets errno from a negative error of a server or of the bus. @return -1 */
int fail(int error);

/** Waits for a notification, an alarm, or a server's death. @return whether a handler ran */
bool await(void);

/** Alarm of os_poll() and os_nanosleep(). */
enum { ALARM_TIMEOUT = 0 };

#endif
