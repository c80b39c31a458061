/* The tight system call filter: what a component may still do once it is connected. */
#ifndef LIBSYS_SANDBOX_H
#define LIBSYS_SANDBOX_H

#include <stddef.h>

#include "bus/abi.h"

/** Closes the sandbox for the rest of the process's life. A forbidden call then fails with EPERM,
 * and a line in the log names it (once a call). With BUS_SANDBOX_TRACE it is named and carried out.
 * Ends the process when the kernel refuses the filter.
 * @param extra        NUL-terminated names of further calls that the manifest allows
 * @param extra_bytes  bytes of them */
void sandbox_close(enum bus_sandbox mode, const char *extra, size_t extra_bytes);

#endif
