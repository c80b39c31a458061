#include "typemap.h"
#include "array.h"

static struct typemap_entry *find(const struct typemap *map, uint64_t key) {
  size_t i = (key * 0x9e3779b97f4a7c15u >> 32) & (map->capacity - 1);
  while (map->entries[i].key && map->entries[i].key != key)
    i = (i + 1) & (map->capacity - 1);
  return &map->entries[i];
}

static void grow(struct typemap *map) {
  struct typemap larger = {.capacity = map->capacity ? map->capacity * 2 : 1024};
  larger.entries = calloc(larger.capacity, sizeof *larger.entries);
  if (!larger.entries) fail("out of memory");
  for (size_t i = 0; i < map->capacity; i++)
    if (map->entries[i].key) *find(&larger, map->entries[i].key) = map->entries[i];
  larger.count = map->count;
  free(map->entries);
  *map = larger;
}

uint32_t typemap_get(const struct typemap *map, uint64_t key) {
  return map->capacity && key ? find(map, key)->value : 0;
}

uint32_t *typemap_slot(struct typemap *map, uint64_t key) {
  if (2 * map->count >= map->capacity) grow(map);
  struct typemap_entry *e = find(map, key);
  if (!e->key) {
    e->key = key;
    map->count++;
  }
  return &e->value;
}

void typemap_clear(struct typemap *map) {
  free(map->entries);
  *map = (struct typemap){0};
}
