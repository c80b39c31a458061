/* st-run PROGRAM [ARGUMENT]...: runs a program so that st-update can replace it. */
#include <stdio.h>

#include "libst/alone/supervisor.h"

int main(int argc, char **argv) {
  if (argc < 2 || argv[1][0] == '-') {
    fprintf(stderr, "usage: st-run PROGRAM [ARGUMENT]...\n");
    return 2;
  }
  return st_supervise(argv + 1);
}
