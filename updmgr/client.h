/* The client of an update: a connection to the instance's control socket, held by busd. */
#ifndef UPDMGR_CLIENT_H
#define UPDMGR_CLIENT_H

#include <stdint.h>

#include "journal.pb-c.h"

typedef uint64_t client_t; /* busd's number of the connection; 0: none */

/** Prints a line ("UM: ...") to um's log and to the client, if there is one. */
void client_say(client_t client, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Ends the conversation.
 * @param status  0 or a negative errno
 * @param t       what came of an update; NULL: it was none */
void client_end(client_t client, int status, const Proteos__Transaction *t);

#endif
