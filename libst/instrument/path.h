/* File names, made comparable. */
#ifndef INSTRUMENT_PATH_H
#define INSTRUMENT_PATH_H

/** `file`, as seen from `directory`, absolute and without "." and ".." parts, nor links where it
 * exists; to be freed. */
char *path_normal(const char *directory, const char *file);

#endif
