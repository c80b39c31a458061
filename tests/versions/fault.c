/* Linked into a version of um or busd that is to fail: FAULT is what it does, when the function
 * that is wrapped is called before the update commits; with FAULT_AT_START as soon as it starts. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum fault { FAULT_CRASH, FAULT_HANG, FAULT_EXIT, FAULT_REFUSE };

static int fail(enum fault fault) {
  switch (fault) {
  case FAULT_CRASH:
    abort();
  case FAULT_HANG:
    for (;;)
      pause();
  case FAULT_EXIT:
    _exit(7);
  case FAULT_REFUSE:
    break;
  }
  errno = EPERM;
  return -1;
}

#ifdef FAULT_AT_START
__attribute__((constructor)) static void start(void) {
  fail(FAULT);
}
#else
int WRAPPED(void);
int WRAPPED(void) {
  return fail(FAULT);
}
#endif
