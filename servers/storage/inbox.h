/* Where messages come from: the bus, and those that came while somebody had to wait. */
#ifndef PROTEOS_STORAGE_INBOX_H
#define PROTEOS_STORAGE_INBOX_H

#include <stdint.h>

#include "libsys/sys.h"

/** Bits from SYS_KERNEL. */
enum inbox_alarm { ALARM_DISK, ALARM_PAUSE, ALARM_TICK, ALARM_BATCH, ALARM_CUT };

/** The next message, and its payload, which stays until the next one is received. */
void inbox_receive(msg_t *m, const void **payload);
/** Waits, deeper in the stack than the event loop; what comes meanwhile is kept for it. */
void inbox_pause(uint64_t us);
/** Has the alarm come in so many microseconds, if it is not set already. */
void inbox_alarm(enum inbox_alarm which, uint64_t us);
/** It has come. */
void inbox_alarm_came(enum inbox_alarm which);

#endif
