#ifndef PROTEOS_BUS_TEST_RUN_H
#define PROTEOS_BUS_TEST_RUN_H

#include <check.h>

/** Runs a suite and frees it. @return the exit status of main() */
int test_run(Suite *suite);

#endif
