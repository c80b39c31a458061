/* prctl fault --points. */
#ifndef CLI_FAULT_H
#define CLI_FAULT_H

/** Prints the fault points that executables and libraries contain, sorted, one a line.
 * @param files,n  their paths; none: the system's own
 * @return prctl's exit status */
int fault_points(char **files, int n);

#endif
