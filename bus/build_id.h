/* The build id of an executable: which version it is. */
#ifndef PROTEOS_BUILD_ID_H
#define PROTEOS_BUILD_ID_H

#include <stddef.h>

/** Reads the GNU build id note. @param text  receives it in hexadecimal; "" when there is none */
void build_id_read(int exe, char *text, size_t cap);

#endif
