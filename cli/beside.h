/* The project's other programs and files, beside prctl: in the build tree or where it is installed.
 */
#ifndef CLI_BESIDE_H
#define CLI_BESIDE_H

#include <limits.h>
#include <stdbool.h>

/** Where a file is, or would be. @param place  relative to prctl's folder
 * @return false when prctl does not know its own folder */
bool beside(const char *place, char path[PATH_MAX]);

/** The first of these that exists. @param candidates  relative to prctl's folder, ended by NULL
 * @return false when there is none */
bool find_beside(const char *const candidates[], char path[PATH_MAX]);

#endif
