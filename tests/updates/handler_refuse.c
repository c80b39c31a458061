/* One program, a case at a time: what a handler does wrong must not reach the new version. */
#include <stdlib.h>
#include <string.h>

#include "libst/handler.h"
#include "tests/updates/pair.h"

struct user {
#ifdef NEW
  char *name;
#else
  char name[8];
#endif
  int id;
};

static struct user *users;

#ifdef NEW
#ifdef NAME_UNKNOWN
ST_TYPE_HANDLER(user_text, struct user, nane) {
#else
ST_TYPE_HANDLER(user_text, struct user, name) {
#endif
#ifdef FAILS
  return st_old_refuse("user %d has no name", new->id);
#endif
#ifdef RETURNS
  return 5;
#endif
#ifdef CRASHES
  abort();
#endif
#ifdef UNDECLARED
  return (int)st_old_integer(st_old_field(old, "id"));
#endif
#ifdef KIND_WRONG
  new->name = st_old_pointer(st_old_field(old, "name"));
  return 0;
#endif
#ifdef WILD
  new->name = (char *)0x123456789000;
  return 0;
#endif
  new->name = strdup(st_old_text(st_old_field(old, "name")));
  return 0;
}
#endif

static void build(void) {
  users = calloc(3, sizeof(*users));
  for (int i = 0; i < 3; i++) {
    users[i].id = i + 1;
#ifndef NEW
    strcpy(users[i].name, "name");
#endif
  }
}

static void verify(void) {
  for (int i = 0; i < 3; i++)
    CHECK(users[i].id == i + 1 && strcmp(users[i].name, "name") == 0);
}

PAIR_MAIN(.build = build, .verify = verify)
