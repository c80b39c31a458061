/* Between the director, which has the test's end of a wire, and actors, which do what it says. */
#ifndef TESTS_DIRECTOR_H
#define TESTS_DIRECTOR_H

#include "libsys/interface.h"

/* DIRECTOR_NEXT: the payload is a line, the actor's name and what came of its last command; the
 * answer's is the next command, and may take any time. */
#define DIRECTOR_NO_FIELDS(F)
#define DIRECTOR_MESSAGES(M)                                                                       \
  M(DIRECTOR_NEXT, 0xe40, director_next, DIRECTOR_NO_FIELDS, DIRECTOR_NO_FIELDS)
IPC_INTERFACE(director, DIRECTOR_MESSAGES)

#define DIRECTOR_LINE_MAX 60000u

#endif
