/* Requests that cannot be answered yet: kept as they came, and made again when something has
 * happened. */
#ifndef PROTEOS_STORAGE_PARKED_H
#define PROTEOS_STORAGE_PARKED_H

#include <stdbool.h>

#include "libsys/sys.h"

enum outcome {
  ANSWERED,
  WAITS, /* it has changed nothing, and is to be made again */
};

/** Makes a request; does not keep it. @return what came of it */
typedef enum outcome (*parked_make)(const msg_t *m, const void *payload);

/** Keeps a request. @return 0 or -ENOMEM */
int parked_add(const msg_t *m, const void *payload);
/** Something has happened that a parked request may have waited for. */
void parked_wake(void);
/** If something has happened, makes all again, the oldest first. */
void parked_retry(parked_make make);
/** Forgets those of an endpoint. */
void parked_drop(endpoint_t ep);

#endif
