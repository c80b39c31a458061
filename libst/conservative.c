/* Memory without types, word by word. A word that may be a pointer pins its target: since it could
 * as well be a number, or be used by code that knows the old layout, the target must neither move
 * nor change. */
#include <string.h>

#include "libst/mapping.h"
#include "libst/process.h"
#include "libst/reverse.h"
#include "libst/st.h"
#include "libst/transfer.h"
#include "libst/type.h"

static void check_pinned(struct transfer *t, uint64_t value, const struct place *place) {
  struct block block;
  if (!arena_find(value, false, &block)) return;
  const struct site_plan *site = transfer_plan_of(t, &block);
  char type[160];
  const struct site *where = &ARENA_SITE[block.site];
  if (transfer_type_is_lost(t, site, &block))
    transfer_refuse(t, place,
                    "holds the address of a `%s` (allocated at %s:%u), which the new version does "
                    "not have, or has no variable or allocation of; keep the type's name, or "
                    "annotate what it was renamed from",
                    type_text(t->plan->old, where->type, type, sizeof(type)), where->file,
                    where->line);
  if (!site->typed) return;
  if (!site->program->changed && transfer_block(t, &block) == block.address) return;
  transfer_refuse(t, place, "holds the address of a `%s` (allocated at %s:%u), which %s; %s",
                  type_text(t->plan->old, site->program->old_type, type, sizeof(type)), where->file,
                  where->line, site->program->changed ? "changes its layout" : "has moved",
                  place->op ? "say which member of the union is live with live_by"
                            : "keep its layout, or name the type where the word lies");
}

static uint64_t executable_word(struct transfer *t, uint64_t value, const struct place *place) {
  uint64_t link = value - t->old.image[0].base;
  const struct st_meta *old = t->plan->old;
  const struct st_variable *v = st_meta_variable_at(old, link);
  const struct st_function *f = v ? NULL : st_meta_function_at(old, link);
  if (f && f->address != link) return value; /* inside code: no pointer that a program keeps */
  if (v && link != v->address) {
    const struct program *p = t->plan->variables[v - old->variables].program;
    if (p && p->changed) {
      char name[128];
      transfer_refuse(t, place,
                      "holds an address inside variable `%s`, whose layout changes; keep "
                      "its layout, or give the word a pointer type",
                      plan_variable_text(old, v, name, sizeof(name)));
      return value;
    }
  }
  return pointer_follow(t, value, &pointed_any, place);
}

uint64_t word_follow(struct transfer *t, uint64_t value, const struct place *place) {
  if (value < 0x10000 || value >= 0x800000000000ul) return value;
  if (t->reverse) return reverse_follow(t, value, &pointed_any);
  if (arena_has((void *)value)) {
    check_pinned(t, value, place);
    return value;
  }
  const struct image *image = images_at(&t->old, value);
  if (!image) return value;
  if (image != &t->old.image[0]) return pointer_follow(t, value, &pointed_any, place);
  return executable_word(t, value, place);
}

void words_copy(struct transfer *t, const void *from, void *to, size_t bytes,
                const struct place *place) {
  memcpy(to, from, bytes);
  words_follow(t, to, bytes, place);
}

void words_follow(struct transfer *t, void *memory, size_t bytes, const struct place *place) {
  size_t skew = -(uintptr_t)memory % sizeof(uint64_t);
  if (bytes > skew) union_follow(t, (unsigned char *)memory + skew, bytes - skew, place);
}

void union_follow(struct transfer *t, void *memory, size_t bytes, const struct place *place) {
  struct place word = {
      .up = place, .text = "", .index = 0, .program = place->program, .op = place->op};
  unsigned char *at = memory, *end = at + bytes;
  for (; (size_t)(end - at) >= sizeof(uint64_t); at += sizeof(uint64_t), word.index++) {
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    if (value < 0x10000) continue;
    uint64_t followed = word_follow(t, value, &word);
    if (followed != value) memcpy(at, &followed, sizeof(followed));
  }
}
