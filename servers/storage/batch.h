/* When the driver is told of requests.
 *
 * Waking it up costs more than a read of a fast disk. While many clients read at random, or one has
 * many requests under way, several requests are therefore held and given to it together. How many
 * that are is found out: one more each time that so many came soon, as many as came if not. */
#ifndef PROTEOS_STORAGE_BATCH_H
#define PROTEOS_STORAGE_BATCH_H

#include <stdbool.h>
#include <stdint.h>

/** @param held  requests, all of them reads
 * @return whether they are to be given to the driver now; else batch_alarm() comes */
bool batch_is_complete(uint32_t held);
/** They were given to it for another reason. */
void batch_was_given(void);
/** @return whether what is held has to be given to it now */
bool batch_alarm(uint32_t held);

#endif
