/* Descriptors and shared mappings. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libst/st.h"
#include "tests/updates/pair.h"

enum { PIPES = 100 };

static int pipes[PIPES][2];
static int odd_number;
static char *shared;
static char *into_shared;
static int round_number;
static int first_free;

static void build(void) {
  for (int i = 0; i < PIPES; i++)
    CHECK(pipe2(pipes[i], i % 2 ? O_CLOEXEC : 0) == 0);
  odd_number = fcntl(pipes[0][1], F_DUPFD, 333);
  CHECK(odd_number == 333);
  int fd = memfd_create("region", MFD_CLOEXEC);
  CHECK(fd >= 0 && ftruncate(fd, 8192) == 0);
  shared = st_map_shared(fd, 8192);
  CHECK(shared != NULL);
  into_shared = shared + 5000;
  strcpy(into_shared, "in both");
  first_free = dup(0);
  close(first_free);
}

static void verify(void) {
  char c;
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

PAIR_MAIN(.build = build, .verify = verify)
