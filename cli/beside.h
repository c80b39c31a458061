/* The project's other programs and files, beside prctl: in the build tree or where it is installed.
 */
#ifndef CLI_BESIDE_H
#define CLI_BESIDE_H

#include <limits.h>
#include <stdbool.h>

/** The first of these that exists. @param candidates  relative to prctl's folder, ended by NULL
 * @return false when there is none */
bool find_beside(const char *const candidates[], char path[PATH_MAX]);

#endif
