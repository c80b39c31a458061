/* Requests from prctl: update at once, or remember (mupdate), start, cancel. */
#ifndef UPDMGR_REQUEST_H
#define UPDMGR_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "updmgr/client.h"
#include "updmgr/transaction.h"

/** Handles a packed ControlRequest with an UpdateRequest; answers the client.
 * @param fds       the new versions' executables, one a member that is not updated to itself; owned
 *                  by the callee from now on
 * @param defaults  the manifest's time-outs */
void request_handle(client_t client, const void *packed, size_t bytes, const int *fds,
                    unsigned nfds, const struct limits *defaults);

#endif
