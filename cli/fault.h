/* The fault points that files contain (libst/fault.h). */
#ifndef CLI_FAULT_H
#define CLI_FAULT_H

#include <stdbool.h>

#include "control.pb-c.h"

/** Prints the fault points of executables and libraries, sorted, one a line.
 * @param files,n  their paths; none: the system's own
 * @return prctl's exit status */
int fault_points(char **files, int n);

/** Whether the system's own files or an instance's components have a point of this name.
 * @param status  of the instance */
bool fault_point_known(const char *point, const Proteos__ControlReply *status);

#endif
