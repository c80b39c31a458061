/* Alarms: a bit of SYS_KERNEL that is set at a time. They belong to the endpoint. */
#ifndef PROTEOS_ALARM_H
#define PROTEOS_ALARM_H

#include <stdint.h>

struct endpoint;

/** @param at_us  absolute, 0 cancels. @return 0 or -EINVAL */
int alarm_set(struct endpoint *e, uint32_t bit, uint64_t at_us);
void alarm_cancel_all(struct endpoint *e);
/** Sets the bits that are due. @return the earliest one left, or UINT64_MAX */
uint64_t alarm_expire(struct endpoint *e, uint64_t now_us);
/** Moves them all by as long as the clocks stood still (bus/debug.h). */
void alarm_delay(struct endpoint *e, uint64_t stopped_us, uint64_t now_us);

#endif
