/* A component in a test's own process: its sources are compiled with `-Dmain=driver_main`, and it
 * runs only while it is given a message. The test has the rest of libsys. */
#ifndef PROTEOS_TEST_COMPONENT_H
#define PROTEOS_TEST_COMPONENT_H

#include "libsys/msg.h"

/** Starts it afresh, and lets it run until it waits. @param argv  must stay */
void component_start(int argc, char **argv);
/** Gives it a message, and lets it run until it waits again. */
void component_receive(msg_t m);

#endif
