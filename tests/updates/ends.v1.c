/* Ends of arrays that are not the object's outermost ones. */
#include <stdlib.h>

#include "tests/updates/pair.h"

struct part {
  long id;
  short values[4];
};

struct whole {
  struct part parts[2];
};

struct text {
  char name[4];
  short tail[];
};

static struct whole whole;
static struct whole *blocks;
static struct text *text;

/* Each is one past the end. */
static short *end_in_variable, *end_of_variable, *end_in_block, *end_of_block, *end_of_tail;
static struct part *end_of_parts;
static struct whole *end_of_blocks;

static void build(void) {
  blocks = calloc(2, sizeof(*blocks));
  text = malloc(sizeof(*text) + 3 * sizeof(text->tail[0]));
  end_in_variable = &whole.parts[0].values[4];
  end_of_variable = &whole.parts[1].values[4];
  end_in_block = &blocks[0].parts[1].values[4];
  end_of_block = &blocks[1].parts[1].values[4];
  end_of_tail = &text->tail[3];
  end_of_parts = &blocks[1].parts[2];
  end_of_blocks = &blocks[2];
}

static void verify(void) {
  CHECK(end_in_variable == &whole.parts[0].values[4]);
  CHECK(end_of_variable == &whole.parts[1].values[4]);
  CHECK(end_in_block == &blocks[0].parts[1].values[4]);
  CHECK(end_of_block == &blocks[1].parts[1].values[4]);
  CHECK(end_of_tail == &text->tail[3]);
  CHECK(end_of_parts == &blocks[1].parts[2]);
  CHECK(end_of_blocks == &blocks[2]);
}

PAIR_MAIN(.build = build, .verify = verify)
