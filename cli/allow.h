/* Interface filters: what `-allow` says, compiled to the steps that busd evaluates. */
#ifndef CLI_ALLOW_H
#define CLI_ALLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "bus/abi.h"
#include "control.pb-c.h"

/** Compiles an expression over m.type, m.source and m.payload: names of messages and components,
 * numbers, comparison, && || ! and parentheses, as in C.
 * @param components  of the instance, which m.source may be compared with
 * @param error       receives one line that says what is wrong and at which column
 * @return the number of steps, 0 on failure */
size_t allow_compile(const char *text, const Proteos__ControlReply *components,
                     struct bus_step steps[BUS_STEPS_MAX], char *error, size_t error_cap);

#endif
