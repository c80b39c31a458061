/* What only a handler can make: texts in arrays and on the heap, arrays and pointers to them, a
 * list and a hash table. Each version has the handlers for updates from the other. */
#include <stdlib.h>
#include <string.h>

#include "libst/handler.h"
#include "tests/updates/pair.h"

enum { USERS = 50, NODES = 200 };

struct user {
  int id;
  char name[16];
  struct user *next;
};

struct node {
  int key;
  struct node *next;
};

static struct user *users;
static struct user root_user = {.id = 1000};
static struct node *list;
static int table[4];

ST_TYPE_HANDLER(user_fixed, struct user, name) {
  const char *name = st_old_text(st_old_field(old, "name"));
  if (name && strlen(name) >= sizeof(new->name)) return st_old_refuse("`%s` is too long", name);
  if (name) strcpy(new->name, name);
  free(st_old_pointer(st_old_field(old, "name")));
  return 0;
}

ST_VAR_HANDLER(list_from_buckets, list, buckets->chain) {
  struct st_old buckets = st_old_field(old, "buckets");
  for (size_t b = 0; b < st_old_count(buckets); b++)
    for (struct st_old p = st_old_element(buckets, b), n; (n = st_old_target(p)).data;
         p = st_old_field(n, "chain")) {
      struct node *node = st_old_pointer(p);
      node->next = *new;
      *new = node;
    }
  return 0;
}

ST_VAR_HANDLER(table_fixed, table, table) {
  struct st_old from = st_old_target(st_old_field(old, "table"));
  for (size_t i = 0; i < 4 && i < st_old_count(from); i++)
    (*new)[i] = (int)st_old_integer(st_old_element(from, i));
  free(st_old_pointer(st_old_field(old, "table")));
  return 0;
}

static void build(void) {
  for (int i = 0; i < USERS; i++) {
    struct user *u = calloc(1, sizeof(*u));
    u->id = i;
    strcpy(u->name, i % 2 ? "odd" : "even");
    u->next = users;
    users = u;
  }
  strcpy(root_user.name, "root");
  root_user.next = users;
  for (int i = 0; i < NODES; i++) {
    struct node *n = malloc(sizeof(*n));
    *n = (struct node){i, list};
    list = n;
  }
  for (int i = 0; i < 4; i++)
    table[i] = 10 * i;
}

static void verify(void) {
  int count = USERS, sum = 0, nodes = 0;
  for (struct user *u = users; u; u = u->next)
    CHECK(u->id == --count && strcmp(u->name, u->id % 2 ? "odd" : "even") == 0);
  CHECK(count == 0 && strcmp(root_user.name, "root") == 0 && root_user.id == 1000);
  CHECK(root_user.next == users);
  for (struct node *n = list; n; n = n->next, nodes++)
    sum += n->key;
  CHECK(nodes == NODES && sum == NODES * (NODES - 1) / 2);
  for (int i = 0; i < 4; i++)
    CHECK(table[i] == 10 * i);
}

PAIR_MAIN(.build = build, .verify = verify)
