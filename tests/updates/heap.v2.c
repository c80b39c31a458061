/* Nodes grow and are reordered, slots grow, the flexible message gains a field; nothing else. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/updates/pair.h"

enum { BUCKETS = 8, NODES = 200 };

struct node {
  long weight_history[4];
  int weight;
  char name[40];
  int *weight_of_buddy; /* into the middle of another node */
  struct node *buddy;
  long key;
  struct node *next;
};

struct message {
  struct node *about;
  struct node *sender;
  int length;
  char text[];
};

struct slot {
  struct slot *peer;
  long opened, closed;
  uint32_t id;
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
static void *anything;
static struct node fixed = {.key = -1, .name = "fixed"};
static int *into_fixed;
static void *odd[3];

static int thrice(int x) {
  return 3 * x;
}

static int twice(int x) {
  return 2 * x;
}

static operation op = twice;

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
    CHECK((int)slots[i].id == i && slots[i].peer == &slots[9 - i]);
  CHECK(middle_slot == &slots[4] && end_of_slots == slots + 10 && anything == &slots[2]);
  for (int i = 0; i < 100; i++)
    CHECK(numbers[i] == i);
  CHECK(strcmp(label, "a label") == 0 && strcmp(greeting, "hello") == 0);
  CHECK(op(4) == 8 && into_fixed == &fixed.weight && fixed.buddy == &fixed && *into_fixed == 77);
  CHECK(odd[0] == (void *)-1 && odd[1] == (void *)3 && odd[2] == (void *)(uintptr_t)thrice);
  struct node *n = calloc(1, sizeof(*n));
  CHECK(n);
  free(n);
  free(label);
  label = strdup("a label");
}

PAIR_MAIN(.verify = verify)
