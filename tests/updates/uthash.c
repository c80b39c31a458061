/* uthash: its tables are the library's, its handles lie in the program's structs, which grow behind
 * them. (Before them nothing may change: the table keeps the handle's offset as a number.)
 *
 * One macro of uthash allocates both tables and buckets, at one place of the source. For the types
 * to be known each gets a function of its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/updates/pair.h"

#define uthash_malloc(bytes)                                                                       \
  ((bytes) == sizeof(UT_hash_table) ? (void *)new_table()                                          \
                                    : (void *)new_buckets((bytes) / sizeof(UT_hash_bucket)))
#include <uthash.h>

static UT_hash_table *new_table(void) {
  return malloc(sizeof(UT_hash_table));
}

static UT_hash_bucket *new_buckets(size_t count) {
  return malloc(count * sizeof(UT_hash_bucket));
}

enum { USERS = 500 };

struct user {
  int id;
  char name[12];
  UT_hash_handle by_id;
  UT_hash_handle by_name;
#if VERSION == 2
  long logins;
#endif
  struct user *friend;
};

static struct user *users, *names;

static char *name_of(int id) {
  static char name[12];
  snprintf(name, sizeof(name), "user %d", id);
  return name;
}

static void add(int id) {
  struct user *u = calloc(1, sizeof(*u));
  u->id = id;
  strcpy(u->name, name_of(id));
  HASH_ADD(by_id, users, id, sizeof(int), u);
  HASH_ADD_KEYPTR(by_name, names, u->name, strlen(u->name), u);
}

static struct user *with_id(int id) {
  struct user *u;
  HASH_FIND(by_id, users, &id, sizeof(int), u);
  return u;
}

static void build(void) {
  for (int i = 0; i < USERS; i++)
    add(i);
  for (int i = 0; i < USERS; i++)
    with_id(i)->friend = with_id((i + 7) % USERS);
}

static void verify(void) {
  struct user *u, *next;
  unsigned count = 0;
  for (int i = 0; i < USERS; i++) {
    HASH_FIND(by_name, names, name_of(i), strlen(name_of(i)), u);
    CHECK(u && u == with_id(i) && u->id == i && u->friend->id == (i + 7) % USERS);
  }
  HASH_ITER(by_id, users, u, next)
  count += u->by_id.key == &u->id && u->by_name.key == u->name;
  CHECK(count == USERS && HASH_CNT(by_id, users) == USERS);
  /* It goes on growing and shrinking. */
  for (int i = USERS; i < 3 * USERS; i++)
    add(i);
  for (int i = USERS; i < 3 * USERS; i++) {
    u = with_id(i);
    HASH_DELETE(by_id, users, u);
    HASH_DELETE(by_name, names, u);
    free(u);
  }
  CHECK(!with_id(USERS) && HASH_CNT(by_name, names) == USERS);
}

PAIR_MAIN(.build = build, .verify = verify)
