#include "wrappers.h"
#include "decide.h"
#include "die.h"
#include "libst/meta.h"

#include <dwarf.h>

/* Adds the functions of one file that wrap an allocator known by now. */
static bool find_in(struct allocators *allocators, const struct source *source, int unit) {
  bool news = false;
  for (size_t i = 0; i < source->calls.count; i++) {
    const struct source_call *c = &source->calls.items[i];
    const struct allocator *a = allocators_find(allocators, c->callee, unit, c->callee_static);
    if (!a || decide(c, a).verdict != VERDICT_WRAPPED) continue;
    uint32_t roots = a->roots; /* `a` may move */
    news |= allocators_add(allocators, c->function, c->function_static ? unit : ANY_UNIT, roots);
  }
  return news;
}

const struct allocator *wrappers_by_die(const struct allocators *allocators,
                                        const struct units *units, Dwarf_Die *origin) {
  bool is_static = !die_flag(origin, DW_AT_external);
  return allocators_find(allocators, die_name(origin), units_index(units, origin), is_static);
}

void wrappers_find(struct allocators *allocators, struct objects *objects,
                   const struct units *units) {
  for (bool news = true; news;) {
    news = false;
    for (size_t u = 0; u < units->items.count; u++)
      for (size_t s = 0; s < units->items.items[u].sources.count; s++)
        news |= find_in(allocators, units->items.items[u].sources.items[s], u);
  }
  for (size_t i = 0; i < objects->functions.count; i++) {
    struct object_function *f = &objects->functions.items[i];
    Dwarf_Die origin = die_origin(&f->die);
    if (wrappers_by_die(allocators, units, &origin)) f->flags |= ST_FUNC_WRAPPER;
  }
}
