/* The allocators of both versions of the pair `pools`. */
#ifndef TESTS_UPDATES_POOLS_H
#define TESTS_UPDATES_POOLS_H

enum { SLAB_BYTES = 1000, TAIL_ITEMS = 10, BLOCK_BYTES = 4096 };

/* A variable. */
static unsigned char arena[500];
static int arena_items;
ST_VAR(arena, pool_of(struct item));

/* A slab with its objects behind a header. */
static struct slab {
  int used;
  unsigned long words[SLAB_BYTES / 8];
} slab;
ST_FIELD(struct slab, words, pool_of(struct item));

/* The same on the heap, as long as it needs to be. */
struct tail {
  int used;
  struct tail *next;
  char objects[] __attribute__((aligned(8)));
};
static struct tail *tails;
ST_FIELD(struct tail, objects, pool_of(struct item));

/* Blocks of bytes. */
static char *blocks[2];
static int block_items;

static struct item *first; /* the last that was filled */

static struct item *slab_take(void) {
  return (struct item *)slab.words + slab.used++;
}

static struct item *tail_take(void) {
  if (!tails || tails->used == TAIL_ITEMS) {
    struct tail *t = malloc(sizeof(*t) + TAIL_ITEMS * sizeof(struct item));
    *t = (struct tail){.next = tails};
    tails = t;
  }
  return (struct item *)tails->objects + tails->used++;
}

static char *block_new(void) {
  char *bytes = malloc(BLOCK_BYTES);
  memset(bytes, 0, BLOCK_BYTES);
  return bytes;
}
ST_BLOCKS(block_new, pool_of(struct item));

static struct item *block_take(void) {
  int block = block_items / 60;
  if (!blocks[block]) blocks[block] = block_new();
  return (struct item *)blocks[block] + block_items++ % 60;
}

static void fill(struct item *item, int number) {
  item->number = number;
  item->name = number % 2 ? strdup("odd") : NULL;
  item->next = first;
  first = item;
}

static void verify(void) {
  int count = 0;
  for (struct item *i = first; i; i = i->next, count++)
    CHECK(i->number % 2 ? strcmp(i->name, "odd") == 0 : !i->name);
  CHECK(count == 7 + 5 + 30 + 90);
  for (int i = 0; i < 7; i++)
    CHECK(((struct item *)arena + i)->number == i);
  for (int i = 0; i < 5; i++)
    CHECK(((struct item *)slab.words + i)->number == 100 + i);
  int number = 229;
  for (struct tail *t = tails; t; t = t->next)
    for (int i = TAIL_ITEMS - 1; i >= 0; i--)
      CHECK(((struct item *)t->objects + i)->number == number--);
  CHECK(number == 199);
  for (int i = 0; i < 90; i++)
    CHECK(((struct item *)blocks[i / 60] + i % 60)->number == 300 + i);
  CHECK(arena_items == 7 && first == (struct item *)blocks[1] + 29);
}

#endif
