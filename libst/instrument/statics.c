#include "statics.h"
#include "die.h"
#include "frames.h"

#include <string.h>

/* True when there is a record of it: another instance of the function may have given it a place.
 * Several blocks of a function may have statics of one name. */
static bool is_known(const struct objects *objects, const char *file, const struct source *source,
                     size_t index) {
  const struct source_static *s = &source->statics.items[index];
  size_t needed = 1, found = 0;
  for (size_t i = 0; i < index; i++) {
    const struct source_static *other = &source->statics.items[i];
    needed += strcmp(other->name, s->name) == 0 && strcmp(other->function, s->function) == 0;
  }
  for (size_t i = 0; i < objects->variables.count; i++) {
    const struct object_variable *v = &objects->variables.items[i];
    found += strcmp(v->name, s->name) == 0 && strcmp(v->function, s->function) == 0 &&
             strcmp(v->file, file) == 0;
  }
  return found >= needed;
}

struct search {
  const struct units *units;
  int unit;
  const char *function;
  bool found;
};

static void compare_function(Dwarf_Die *origin, void *data) {
  struct search *search = data;
  search->found |= strcmp(die_name(origin), search->function) == 0 &&
                   units_index(search->units, origin) == search->unit;
}

/* True when code of a unit's function is in the program, its own or inlined in another's. */
static bool has_code(const struct objects *objects, struct search search) {
  for (size_t i = 0; i < objects->code.count && !search.found; i++)
    frames_each_function(&objects->code.items[i].function, compare_function, &search);
  return search.found;
}

static void refuse_in(struct objects *objects, const struct units *units, int unit,
                      const struct source *source) {
  const char *file = die_name(&units->items.items[unit].die);
  for (size_t i = 0; i < source->statics.count; i++) {
    const struct source_static *s = &source->statics.items[i];
    if (!is_known(objects, file, source, i) &&
        has_code(objects, (struct search){units, unit, s->function, false}))
      objects_add_refused(objects, s->name, file, s->function,
                          "removed by the compiler: build with the flags of libst");
  }
}

void statics_refuse_removed(struct objects *objects, const struct units *units) {
  for (size_t u = 0; u < units->items.count; u++)
    for (size_t s = 0; s < units->items.items[u].sources.count; s++)
      refuse_in(objects, units, u, units->items.items[u].sources.items[s]);
  objects_sort(objects);
}
