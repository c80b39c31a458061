/* Fields added, removed and reordered; integers widened; arrays grown; enumerators inserted; an
 * initial value that changed. */
#include <stdint.h>
#include <string.h>

#include "tests/updates/pair.h"

enum color { YELLOW, RED, BLUE, GREEN };

struct point {
  long y;
  long z;
  long x;
};

struct config {
  uint32_t port;
  enum color color;
  char name[32];
  unsigned mode : 5, flag : 2;
  struct point origin;
  long level;
  int added;
};

static int fresh = 11;
int counter;
static long long total = 7;
static uint32_t small = 200;
struct config config = {.level = 1, .name = "first"};
static long table[6];
int untouched = 6;

static int next_id(void) {
  static long id = 100;
  return (int)++id;
}

static void verify(void) {
  CHECK(counter == 42 && total == -3 && small == 250);
  CHECK(config.level == 9 && strcmp(config.name, "running") == 0);
  CHECK(config.origin.x == 3 && config.origin.y == -4 && config.port == 8080);
  CHECK(config.flag == 1 && config.mode == 5 && config.color == BLUE && config.added == 0);
  CHECK(config.origin.z == 0);
  for (int i = 0; i < 4; i++)
    CHECK(table[i] == i * i);
  CHECK(table[4] == 0 && table[5] == 0);
  CHECK(next_id() > 102);
  CHECK(fresh == 11 && untouched == 6);
}

PAIR_MAIN(.verify = verify)
