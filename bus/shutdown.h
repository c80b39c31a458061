/* The end of an instance, in order: callers before callees, each given a chance to clean up. */
#ifndef PROTEOS_SHUTDOWN_H
#define PROTEOS_SHUTDOWN_H

#include <stdint.h>

/** @param why     for the log
 *  @param status  exit status of the loader */
void shutdown_begin(const char *why, int status);
/** Goes on when a component has ended or become ready. */
void shutdown_continue(void);
/** Ends what takes too long. @return when to look again */
uint64_t shutdown_expire(uint64_t now_us);

#endif
