/* Containers, whose elements grow in front, in the middle and behind. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/updates/pair.h"

#if VERSION == 1
#define ADDED(member)
#else
#define ADDED(member) member;
#endif

enum { ITEMS = 100, LONG = 1000000 };

/* An intrusive list: a ring of links, each inside of an item. */
struct link {
  struct link *next, *previous;
};

struct item {
  ADDED(long stamp)
  int key;
  ADDED(char label[24])
  struct link by_age, by_key;
  ADDED(int weight)
};

#define ITEM_OF(pointer, member) ((struct item *)((char *)(pointer)-offsetof(struct item, member)))

static struct link ages = {&ages, &ages}, keys = {&keys, &keys};

/* A tree whose nodes know their parents. */
struct node {
  struct node *child[2];
  ADDED(double balance)
  struct node *parent;
  int key;
};

static struct node *root;

/* Open addressing, with values inside; a mark for what was removed. */
struct slot {
  ADDED(unsigned hash)
  const char *name;
  int value;
};

static struct slot *slots;
static unsigned slot_count;
static char names[ITEMS][3], removed_name;

/* Chained buckets: pointers to pointers, as the last one is appended to. */
struct entry {
  int key;
  ADDED(int hits)
  struct entry *next;
};

static struct entry *buckets[16], **tails[16];

/* A graph with cycles. */
struct vertex {
  ADDED(int color)
  int id;
  unsigned degree;
  struct vertex **edges;
};

static struct vertex *vertices;

/* Whatever the caller puts in. */
struct vector {
  void **items;
  size_t count, room;
};

static struct vector anything;
static int loose_number = 5;

/* Longer than any stack. */
struct bead {
  ADDED(short color)
  int number;
  struct bead *next;
};

static struct bead *beads;

/* A buffer that is read and written in turns. */
struct event {
  ADDED(long when)
  int number;
};

static struct event ring[8], *head = ring, *tail = ring, *const ring_end = ring + 8;

static struct node *insert(struct node **at, struct node *parent, int key) {
  while (*at) {
    parent = *at;
    at = &parent->child[key > parent->key];
  }
  struct node *n = calloc(1, sizeof(*n));
  n->key = key;
  n->parent = parent;
  return *at = n;
}

static struct slot *look_up(const char *name) {
  unsigned at = (unsigned)name[0] * 31 + (unsigned)name[1];
  while (slots[at % slot_count].name && (slots[at % slot_count].name == &removed_name ||
                                         strcmp(slots[at % slot_count].name, name) != 0))
    at++;
  return &slots[at % slot_count];
}

static void append(struct link *list, struct link *link) {
  link->next = list;
  link->previous = list->previous;
  list->previous->next = link;
  list->previous = link;
}

static void push(struct vector *v, void *item) {
  if (v->count == v->room) {
    v->room = v->room ? v->room * 2 : 4;
    v->items = realloc(v->items, v->room * sizeof(*v->items));
  }
  v->items[v->count++] = item;
}

static void build_lists(void) {
  for (int i = 0; i < ITEMS; i++) {
    struct item *item = calloc(1, sizeof(*item));
    item->key = i;
    append(&ages, &item->by_age);
    append(keys.next, &item->by_key);
    if (i % 10 == 0) push(&anything, item);
  }
  for (int i = 0; i < LONG; i++) {
    struct bead *b = malloc(sizeof(*b));
    b->number = i;
    b->next = beads;
    beads = b;
  }
}

static void build_tables(void) {
  slot_count = 256;
  slots = calloc(slot_count, sizeof(*slots));
  for (int i = 0; i < ITEMS; i++) {
    memcpy(names[i], (char[]){(char)('a' + i / 10), (char)('a' + i % 10), 0}, 3);
    struct slot *s = look_up(names[i]);
    s->name = names[i];
    s->value = i;
  }
  look_up("bb")->name = &removed_name;
  for (int i = 0; i < 16; i++)
    tails[i] = &buckets[i];
  for (int i = 0; i < 60; i++) {
    struct entry *e = calloc(1, sizeof(*e));
    e->key = i;
    *tails[i % 15] = e;
    tails[i % 15] = &e->next;
  }
}

static void build(void) {
  build_lists();
  build_tables();
  for (int i = 0; i < ITEMS; i++)
    insert(&root, NULL, i * 37 % ITEMS);
  vertices = calloc(ITEMS, sizeof(*vertices));
  for (unsigned i = 0; i < ITEMS; i++) {
    vertices[i].id = (int)i;
    vertices[i].degree = i % 4;
    vertices[i].edges = calloc(i % 4 + 1, sizeof(*vertices[i].edges));
    for (unsigned k = 0; k < i % 4; k++)
      vertices[i].edges[k] = &vertices[(i * 7 + k * 13) % ITEMS];
  }
  push(&anything, &loose_number);
  push(&anything, root);
  push(&anything, "text");
  push(&anything, NULL);
  push(&anything, &vertices[3].degree);
  for (int i = 0; i < 6; i++)
    tail++->number = i;
  head += 2;
}
static int count_tree(const struct node *n, const struct node *parent, int low, int high) {
  if (!n) return 0;
  CHECK(n->parent == parent && n->key >= low && n->key <= high);
  return 1 + count_tree(n->child[0], n, low, n->key) + count_tree(n->child[1], n, n->key, high);
}

static void verify_lists(void) {
  int i = 0;
  for (struct link *l = ages.next; l != &ages; l = l->next) {
    struct item *item = ITEM_OF(l, by_age);
    CHECK(item->key == i++ && l->next->previous == l);
    CHECK(item->by_key.next->previous == &item->by_key);
  }
  CHECK(i == ITEMS);
  i = 0;
  for (struct link *l = keys.next; l != &keys; l = l->next, i++)
    CHECK(ITEM_OF(l, by_key)->key >= 0);
  CHECK(i == ITEMS);
  int number = LONG;
  for (struct bead *b = beads; b; b = b->next)
    CHECK(b->number == --number);
  CHECK(number == 0);
}

static void verify_tables(void) {
  for (int i = 0; i < ITEMS; i++) {
    struct slot *s = look_up((char[]){(char)('a' + i / 10), (char)('a' + i % 10), 0});
    CHECK(i == 11 ? !s->name : s->value == i);
  }
  for (int i = 0; i < 15; i++) {
    int key = i;
    struct entry **at = &buckets[i];
    for (; *at; at = &(*at)->next, key += 15)
      CHECK((*at)->key == key);
    CHECK(at == tails[i] && key == i + 60);
  }
  CHECK(tails[15] == &buckets[15]);
}

static void verify(void) {
  verify_lists();
  verify_tables();
  CHECK(count_tree(root, NULL, 0, ITEMS) == ITEMS);
  for (unsigned i = 0; i < ITEMS; i++)
    for (unsigned k = 0; k < vertices[i].degree; k++)
      CHECK(vertices[i].edges[k]->id == (int)((i * 7 + k * 13) % ITEMS));
  for (size_t i = 0; i < 10; i++)
    CHECK(((struct item *)anything.items[i])->key == (int)i * 10);
  CHECK(anything.items[10] == &loose_number && anything.items[11] == root);
  CHECK(!strcmp(anything.items[12], "text") && !anything.items[13]);
  CHECK(anything.items[14] == &vertices[3].degree && anything.count == 15);
  for (int i = 2; i < 6; i++)
    CHECK(head[i - 2].number == i);
  CHECK(head == ring + 2 && tail == ring + 6 && ring_end == ring + 8);
}

PAIR_MAIN(.build = build, .verify = verify)
