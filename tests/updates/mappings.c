/* Shared mappings: runs of several objects without gaps, pointers into them and across their
 * boundaries, read-only ones, and some that have ended. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libst/st.h"
#include "tests/updates/pair.h"

enum { PAGE = 4096, OBJECTS = 3 };

struct record {
#if VERSION == 2
  long added;
#endif
  uint8_t *first, *second, *last; /* in each object of the run */
  struct across {
    char text[64];
  } * across; /* in two of them */
  uint8_t *read_only, *later;
  uint8_t *end; /* behind the run's last byte */
};

static struct record *record;
static int objects[OBJECTS]; /* by which others see the memory */

static int make(const char *text) {
  int fd = memfd_create("object", MFD_CLOEXEC);
  CHECK(fd >= 0 && ftruncate(fd, PAGE) == 0 && pwrite(fd, text, strlen(text), 0) > 0);
  return fd;
}

static int reader_of(int fd) {
  char path[40];
  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  int reader = open(path, O_RDONLY);
  CHECK(reader >= 0);
  close(fd);
  return reader;
}

static uint8_t *map_run(unsigned n) {
  int fds[OBJECTS];
  for (unsigned i = 0; i < n; i++)
    fds[i] = make("gone");
  uint8_t *run = st_map_run(fds, n, PAGE);
  CHECK(run != NULL);
  return run;
}

static void build(void) {
  int fds[OBJECTS], reader = reader_of(make("read only"));
  uint8_t *gone = map_run(2);
  for (unsigned i = 0; i < OBJECTS; i++)
    CHECK((objects[i] = dup(fds[i] = make("object"))) >= 0);
  uint8_t *run = st_map_run(fds, OBJECTS, PAGE);
  CHECK(run != NULL && run >= gone + 3 * PAGE); /* a page is left free between two runs */
  CHECK(st_unmap_shared(gone, 2 * PAGE) == 0);
  CHECK(st_unmap_shared(gone, 2 * PAGE) < 0);
  CHECK(!st_addressable(gone, 1) && st_addressable(run, OBJECTS * PAGE));
  CHECK(!st_addressable(run, OBJECTS * PAGE + 1));
  record = calloc(1, sizeof(*record));
  record->first = run;
  record->second = run + PAGE + 10;
  record->last = run + 3 * PAGE - 1;
  record->end = run + 3 * PAGE;
  record->across = (struct across *)(void *)(run + 2 * PAGE - 32);
  strcpy(record->across->text, "this text lies across a boundary");
  record->read_only = st_map_run(&reader, 1, PAGE);
  CHECK(record->read_only && mprotect(record->read_only, PAGE, PROT_WRITE) < 0);
  record->later = map_run(1);
}

static void imported(void) {
  CHECK(!strcmp(record->across->text, "this text lies across a boundary"));
  CHECK(msync(record->first, OBJECTS * PAGE, MS_ASYNC) == 0); /* all is mapped */
}

static void verify(void) {
  char bytes[8] = "";
  CHECK(record->second == record->first + PAGE + 10 && record->end == record->last + 1);
  CHECK(!memcmp(record->first, "object", 6) && !memcmp(record->second - 10, "object", 6));
  record->last[0] = 'x'; /* what one writes others see */
  CHECK(pread(objects[2], bytes, 1, PAGE - 1) == 1 && bytes[0] == 'x');
  CHECK(pwrite(objects[1], "y", 1, 10) == 1 && *record->second == 'y');
  CHECK(!memcmp(record->read_only, "read only", 9));
  CHECK(mprotect(record->read_only, PAGE, PROT_READ | PROT_WRITE) < 0);
  CHECK(st_unmap_shared(record->later, PAGE) == 0);
  record->later = map_run(1);
}

PAIR_MAIN(.build = build, .imported = imported, .verify = verify)
