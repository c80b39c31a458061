/* The requests of libsys/if/fs.h and libsys/if/io.h. */
#ifndef PROTEOS_STORAGE_REQUESTS_H
#define PROTEOS_STORAGE_REQUESTS_H

#include "servers/storage/parked.h"

/** Makes a request, and answers it if it is done. */
enum outcome request_make(const msg_t *m, const void *payload);
/** Takes a request from the bus: makes it, and keeps it if it has to wait. */
void request_take(const msg_t *m, const void *payload);

#endif
