#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/updates/pair.h"

enum { BUCKETS = 8, NODES = 200 };

struct node {
  struct node *next;
  int key;
  char name[12];
  struct node *buddy;
  int weight;
  int *weight_of_buddy; /* into the middle of another node */
};

struct message {
  int length;
  struct node *about;
  char text[];
};

struct slot {
  uint16_t id;
  struct slot *peer;
};

typedef int (*operation)(int);

static struct node *table[BUCKETS];
static struct node **all;
static struct message *message;
static struct slot *slots;
static struct slot *middle_slot, *end_of_slots;
static int *numbers;
static char *label;
static const char *greeting;
static operation op;
static void *anything;
static struct node fixed = {.key = -1, .name = "fixed"};
static int *into_fixed;
static int small_integer_in[4];
static void *odd[3];

static int twice(int x) {
  return 2 * x;
}

static int thrice(int x) {
  return 3 * x;
}

static void *xmalloc(size_t bytes) {
  void *p = malloc(bytes);
  CHECK(p);
  return p;
}

static struct node *add(int key) {
  struct node *n = malloc(sizeof(*n));
  memset(n, 0, sizeof(*n));
  n->key = key;
  snprintf(n->name, sizeof(n->name), "node %d", key);
  n->next = table[key % BUCKETS];
  table[key % BUCKETS] = n;
  return n;
}

static void build(void) {
  all = calloc(NODES, sizeof(*all));
  for (int i = 0; i < NODES; i++)
    all[i] = add(i);
  for (int i = 0; i < NODES; i++) {
    all[i]->buddy = all[(i * 7 + 1) % NODES];
    all[i]->weight = i * 10;
    all[i]->weight_of_buddy = &all[i]->buddy->weight;
  }
  message = malloc(sizeof(*message) + 20);
  message->length = 20;
  message->about = all[5];
  strcpy(message->text, "flexible, isn't it?");
  slots = xmalloc(10 * sizeof(*slots));
  for (int i = 0; i < 10; i++)
    slots[i] = (struct slot){(uint16_t)i, &slots[9 - i]};
  middle_slot = &slots[4];
  end_of_slots = slots + 10;
  numbers = malloc(100 * sizeof(*numbers));
  for (int i = 0; i < 100; i++)
    numbers[i] = i;
  label = strdup("a label");
  greeting = "hello";
  op = twice;
  anything = &slots[2];
  into_fixed = &fixed.weight;
  fixed.buddy = &fixed;
  fixed.weight = 77;
  odd[0] = (void *)-1;
  odd[1] = (void *)3;
  odd[2] = (void *)(uintptr_t)thrice;
  small_integer_in[1] = 1;
}

static void verify(void) {
  for (int i = 0; i < NODES; i++) {
    char name[12];
    snprintf(name, sizeof(name), "node %d", i);
    CHECK(all[i]->key == i && strcmp(all[i]->name, name) == 0);
    CHECK(all[i]->buddy == all[(i * 7 + 1) % NODES] && all[i]->weight == i * 10);
    CHECK(all[i]->weight_of_buddy == &all[i]->buddy->weight);
  }
  int found = 0;
  for (int b = 0; b < BUCKETS; b++)
    for (struct node *n = table[b]; n; n = n->next)
      found += n == all[n->key];
  CHECK(found == NODES);
  CHECK(message->length == 20 && message->about == all[5]);
  CHECK(strcmp(message->text, "flexible, isn't it?") == 0);
  for (int i = 0; i < 10; i++)
    CHECK(slots[i].id == i && slots[i].peer == &slots[9 - i]);
  CHECK(middle_slot == &slots[4] && end_of_slots == slots + 10 && anything == &slots[2]);
  for (int i = 0; i < 100; i++)
    CHECK(numbers[i] == i);
  CHECK(strcmp(label, "a label") == 0 && strcmp(greeting, "hello") == 0);
  CHECK(op(4) == 8 && into_fixed == &fixed.weight && fixed.buddy == &fixed && *into_fixed == 77);
  CHECK(odd[0] == (void *)-1 && odd[1] == (void *)3 && odd[2] == (void *)(uintptr_t)thrice);
  free(label);
  label = strdup("a label");
}

PAIR_MAIN(.build = build, .verify = verify)
