/* What an executable says that it needs (SYS_NEEDS() of libsys/sys.h), and what a manifest gives:
 * both are lists of pairs of NUL-terminated strings, a kind and a name.
 *
 *   call send kernel syscall region   as in SYS_NEEDS()
 *   argument                          given only: the component's arguments, in order */
#ifndef PROTEOS_NEEDS_H
#define PROTEOS_NEEDS_H

#include <stddef.h>

#define NEEDS_SECTION   "proteos.needs"
#define NEEDS_MAX_BYTES 4096u
#define NEEDS_GIVEN_MAX 32768u

/** Compares what an executable needs with what it is given.
 * @param exe      open for reading; its offset is left alone
 * @param subject  whom the message is to name
 * @param given    a list, `bytes` long
 * @param why      receives one sentence without its full stop
 * @return 0, -EPERM: something is not given, -ENOEXEC: the section cannot be read */
int needs_check(int exe, const char *subject, const char *given, size_t bytes, char *why,
                size_t cap);

#endif
