#include "servers/storage/name-cache.h"

#include <stdlib.h>
#include <string.h>

/* Each name has a set of places by its hash. When it is full, the one that was used longest ago
 * makes room. */
enum { SETS = 2048, WAYS = 4, LENGTH_MAX = 51 /* longer names are not kept */ };

struct known_name {
  uint32_t dir; /* 0: free */
  uint32_t ino; /* 0: there is no such name */
  uint32_t used;
  char name[LENGTH_MAX + 1];
};

static struct known_name *places; /* SETS of WAYS; NULL: nothing was put yet */
static uint32_t uses;

/* FNV-1a. */
static uint32_t hash(uint32_t dir, const char *name) {
  uint32_t h = 2166136261u ^ dir;
  for (; *name; name++)
    h = (h ^ (uint8_t)*name) * 16777619u;
  return h ^ h >> 15;
}

static bool is_kept(const char *name) {
  return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strlen(name) <= LENGTH_MAX;
}

static struct known_name *set_of(uint32_t dir, const char *name) {
  return &places[hash(dir, name) % SETS * WAYS];
}

static struct known_name *find(uint32_t dir, const char *name) {
  if (!places || !is_kept(name)) return NULL;
  struct known_name *set = set_of(dir, name);
  for (unsigned i = 0; i < WAYS; i++)
    if (set[i].dir == dir && strcmp(set[i].name, name) == 0) return &set[i];
  return NULL;
}

static struct known_name *oldest(struct known_name *set) {
  struct known_name *found = set;
  for (unsigned i = 0; i < WAYS; i++) {
    if (!set[i].dir) return &set[i];
    if ((int32_t)(set[i].used - found->used) < 0) found = &set[i];
  }
  return found;
}

bool name_cache_find(uint32_t dir, const char *name, uint32_t *ino) {
  struct known_name *n = find(dir, name);
  if (!n) return false;
  n->used = ++uses;
  *ino = n->ino;
  return true;
}

void name_cache_put(uint32_t dir, const char *name, uint32_t ino) {
  if (!is_kept(name)) return;
  if (!places) places = calloc(SETS * WAYS, sizeof *places);
  if (!places) return;
  struct known_name *n = find(dir, name);
  if (!n) n = oldest(set_of(dir, name));
  *n = (struct known_name){.dir = dir, .ino = ino, .used = ++uses};
  strcpy(n->name, name);
}

void name_cache_drop(uint32_t dir, const char *name) {
  struct known_name *n = find(dir, name);
  if (n) n->dir = 0;
}
