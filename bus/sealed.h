/* Copies of files that nobody can change any more, not even who wrote them: sealed memfds. */
#ifndef PROTEOS_SEALED_H
#define PROTEOS_SEALED_H

#include <stdbool.h>

#define SEALED_MAX_BYTES (256u << 20)

/** Copies a file into a memfd that is executable and sealed against every change.
 * @param fd    open for reading; its offset is left alone
 * @param name  what /proc and prctl status then call it; the end of a long one is kept
 * @return a descriptor, owned by the caller, or a negative errno: -EFBIG beyond SEALED_MAX_BYTES */
int sealed_copy(int fd, const char *name);

/** Whether a descriptor's content cannot change any more. */
bool sealed_is(int fd);

/** Whether two descriptors are of the same sealed file. */
bool sealed_same(int a, int b);

#endif
