#include <stdint.h>
#include <string.h>

#include "tests/updates/pair.h"

enum color { RED, GREEN, BLUE };

struct point {
  int x, y;
};

struct config {
  int level;
  char name[16];
  struct point origin;
  uint16_t port;
  unsigned flag : 1, mode : 3;
  enum color color;
};

int counter;
static long total = 7;
static uint8_t small = 200;
struct config config = {.level = 1, .name = "first"};
static int table[4];
int untouched = 5;
static int gone;

static int next_id(void) {
  static int id = 100;
  return ++id;
}

static void build(void) {
  counter = 42;
  total = -3;
  small = 250;
  config.level = 9;
  strcpy(config.name, "running");
  config.origin = (struct point){3, -4};
  config.port = 8080;
  config.flag = 1;
  config.mode = 5;
  config.color = BLUE;
  for (int i = 0; i < 4; i++)
    table[i] = i * i;
  gone = 1;
  next_id();
  CHECK(next_id() == 102);
  CHECK(gone == 1 && untouched == 5);
}

static void verify(void) {
  CHECK(counter == 42 && total == -3 && small == 250);
  CHECK(config.level == 9 && strcmp(config.name, "running") == 0);
  CHECK(config.origin.x == 3 && config.origin.y == -4 && config.port == 8080);
  CHECK(config.flag == 1 && config.mode == 5 && config.color == BLUE);
  for (int i = 0; i < 4; i++)
    CHECK(table[i] == i * i);
  CHECK(next_id() > 102);
}

PAIR_MAIN(.build = build, .verify = verify)
