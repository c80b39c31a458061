/* CPU time of a process of the host. */
#ifndef PROTEOS_PROCESS_TIME_H
#define PROTEOS_PROCESS_TIME_H

#include <stdint.h>

/** @return what it has used in its life, in microseconds; 0 when there is no such process */
uint64_t process_time_us(int pid);

#endif
