/* Integers as wide as a pointer. They are numbers, and carried over as such; but one that holds an
 * address of the old version, which is another in this one, is a pointer that nobody declared. */
#include "libst/find.h"
#include "libst/process.h"
#include "libst/transfer.h"
#include "libst/type.h"

#define ADVICE                                                                                     \
  "; say what it points to with pointer_to(TYPE), or not_pointer if it is a number "               \
  "(libst/annotate.h)"

static void check_heap(struct transfer *t, uint64_t value, const struct place *place) {
  struct block block;
  if (!find_block(value, false, &block)) return;
  const struct site_plan *site = transfer_plan_of(t, &block);
  bool lost = transfer_type_is_lost(t, site, &block);
  bool moved = transfer_block(t, &block) != block.address;
  bool changed = site->typed && site->program->changed && value != block.address;
  if (!lost && !moved && !changed) return;
  char type[160];
  const struct site *from = &ARENA_SITE[block.site];
  transfer_refuse(t, place, "is the address of a `%s` (allocated at %s:%u), which %s" ADVICE,
                  type_text(t->plan->old, from->type, type, sizeof(type)), from->file, from->line,
                  lost    ? "the new version does not have"
                  : moved ? "has moved"
                          : "changes its layout");
}

static void check_image(struct transfer *t, const struct image *image, uint64_t value,
                        const struct place *place) {
  uint64_t link = value - image->base;
  const struct st_meta *old = image == &t->old.image[0] ? t->plan->old : NULL;
  const struct st_variable *v = old ? st_meta_variable_at(old, link) : NULL;
  const struct st_function *f = old && !v ? st_meta_function_at(old, link) : NULL;
  char name[128];
  if (v)
    transfer_refuse(t, place, "is the address of `%s`, which has moved" ADVICE,
                    plan_variable_text(old, v, name, sizeof(name)));
  else if (f)
    transfer_refuse(t, place, "is the address of function `%s`, which has moved" ADVICE,
                    st_meta_string(old, f->name));
  else
    transfer_refuse(t, place, "is an address in %s, which has moved" ADVICE,
                    old ? "the executable" : image->name);
}

void integers_check(struct transfer *t, const unsigned char *memory, size_t bytes,
                    const struct place *place) {
  /* What is loaded lies higher, but for executables at a fixed address: those stay there. */
  enum { ADDRESS_BITS = 47, LOW_BITS = 32 };
  if (t->reverse) return;
  struct place element = {
      .up = place, .text = "", .index = 0, .program = place->program, .op = place->op};
  for (size_t at = 0; at + sizeof(uint64_t) <= bytes; at += sizeof(uint64_t)) {
    uint64_t value = *(const uint64_t *)(memory + at);
    if (value >> LOW_BITS == 0 || value >> ADDRESS_BITS != 0) continue;
    element.index = (long)(at / sizeof(uint64_t));
    const struct place *where = bytes > sizeof(uint64_t) ? &element : place;
    const struct image *image;
    if (arena_has((const void *)value))
      check_heap(t, value, where);
    else if ((image = images_at(&t->old, value)))
      check_image(t, image, value, where);
  }
}
