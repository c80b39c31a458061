/* What only a handler can make: texts in arrays and on the heap, arrays and pointers to them, a
 * list and a hash table. Each version has the handlers for updates from the other. */
#include <stdlib.h>
#include <string.h>

#include "libst/handler.h"
#include "tests/updates/pair.h"

enum { USERS = 50, NODES = 200, BUCKETS = 16 };

struct user {
  char *name;
  struct user *next;
  long added;
  int id;
};

struct node {
  struct node *chain;
  long hash;
  int key;
};

static struct user *users;
static struct user root_user = {.id = 1000};
static struct node *buckets[BUCKETS];
static int *table;

ST_TYPE_HANDLER(user_text, struct user, name) {
  new->name = strdup(st_old_text(st_old_field(old, "name")));
  return new->name ? 0 : -1;
}

ST_VAR_HANDLER(buckets_from_list, buckets, list->next, list->key) {
  struct st_old p = st_old_field(old, "list"), n;
  for (; (n = st_old_target(p)).data; p = st_old_field(n, "next")) {
    struct node *node = st_old_pointer(p);
    node->hash = st_old_integer(st_old_field(n, "key")) % BUCKETS;
    node->chain = (*new)[node->hash];
    (*new)[node->hash] = node;
  }
  return 0;
}

ST_VAR_HANDLER(table_on_heap, table, table) {
  struct st_old from = st_old_field(old, "table");
  size_t count = st_old_count(from);
  *new = NULL;
  for (size_t i = 0; i < count; i++) {
    *new = realloc(*new, (i + 1) * sizeof(**new));
    (*new)[i] = (int)st_old_integer(st_old_element(from, i));
  }
  return 0;
}

static void build(void) {
  CHECK(!table);
}

static void verify(void) {
  int count = USERS, nodes = 0, sum = 0;
  for (struct user *u = users; u; u = u->next)
    CHECK(u->id == --count && strcmp(u->name, u->id % 2 ? "odd" : "even") == 0 && !u->added);
  CHECK(count == 0 && strcmp(root_user.name, "root") == 0 && root_user.id == 1000);
  CHECK(root_user.next == users);
  for (int b = 0; b < BUCKETS; b++)
    for (struct node *n = buckets[b]; n; n = n->chain, nodes++) {
      CHECK(n->hash == b && n->key % BUCKETS == b);
      sum += n->key;
    }
  CHECK(nodes == NODES && sum == NODES * (NODES - 1) / 2);
  for (int i = 0; i < 4; i++)
    CHECK(table[i] == 10 * i);
}

PAIR_MAIN(.build = build, .verify = verify)
