/* Paths as text. */
#ifndef PROTEOS_OS_PATHNAME_H
#define PROTEOS_OS_PATHNAME_H

#include <stdbool.h>
#include <stddef.h>

/** What `path` is when it begins at the absolute path `base`: absolute, without ".", ".." and
 * needless slashes. ".." goes back over names as they are written, symbolic links or not.
 * @return false when it does not fit into `bytes`, with its NUL */
bool pathname_join(const char *base, const char *path, char *to, size_t bytes);
/** The part after the last slash, trailing slashes left out by moving `*end`; "/" is its own. */
const char *pathname_last(const char *path, size_t *length);

#endif
