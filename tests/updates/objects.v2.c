/* Descriptors and shared mappings. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libst/st.h"
#include "tests/updates/pair.h"

enum { PIPES = 100 };

static int pipes[PIPES][2];
static long added[10];
static int odd_number;
static char *shared;
static char *into_shared;
static int round_number;
static int first_free;

static void verify(void) {
  char c;
  CHECK(added[3] == 0);
  for (int i = 0; i < PIPES; i++) {
    CHECK(write(pipes[i][1], "x", 1) == 1 && read(pipes[i][0], &c, 1) == 1);
    CHECK(fcntl(pipes[i][0], F_GETFD) == (i % 2 ? FD_CLOEXEC : 0));
  }
  CHECK(write(odd_number, "y", 1) == 1 && read(pipes[0][0], &c, 1) == 1 && c == 'y');
  CHECK(strcmp(into_shared, "in both") == 0 && into_shared == shared + 5000);
  CHECK(++*shared == (char)++round_number);
  /* Nothing else is open among the program's numbers. */
  int next = dup(0);
  CHECK(next == first_free);
  close(next);
}

PAIR_MAIN(.verify = verify)
