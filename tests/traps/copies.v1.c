/* Variables of libc that the linker copies into the executable: they are libc's. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/updates/pair.h"

FILE *log_to;
FILE **where;
char **option;
int own = 1;

static void build(void) {
  optarg = "of the old version";
  optind = 77;
  log_to = stderr;
  where = &stdout;
  option = &optarg;
  own = environ != NULL ? 2 : 3;
}

static void verify(void) {
  CHECK(optind == 77 && log_to == stderr && where == &stdout && option == &optarg && own == 2);
}

PAIR_MAIN(.build = build, .verify = verify)
