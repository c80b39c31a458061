#include "libst/reverse.h"

#include <stdlib.h>
#include <string.h>

#include "libst/copied.h"
#include "libst/find.h"
#include "libst/mapping.h"
#include "libst/pointer.h"
#include "libst/process.h"
#include "libst/st.h"
#include "libst/transfer.h"

struct moved_block {
  uintptr_t now;
  struct block old;
};

struct reverse {
  struct transfer *t;
  struct programs *programs;
  struct moved_block *moved; /* by `now` */
  size_t moved_count, moved_cap;
  uint32_t *old_variable; /* by index of the new one: the old one's, plus 1 */
  bool ends;
};

static int by_now(const void *a, const void *b) {
  uintptr_t x = ((const struct moved_block *)a)->now, y = ((const struct moved_block *)b)->now;
  return x < y ? -1 : x > y;
}

static int add_moved(const struct block *b, void *ctx) {
  struct reverse *r = ctx;
  uintptr_t now = transfer_block(r->t, b);
  if (now == b->address) return 0;
  if (r->moved_count == r->moved_cap) {
    size_t cap = r->moved_cap ? 2 * r->moved_cap : 256;
    struct moved_block *grown = realloc(r->moved, cap * sizeof(*grown));
    if (!grown) return -1;
    r->moved = grown;
    r->moved_cap = cap;
  }
  r->moved[r->moved_count++] = (struct moved_block){now, *b};
  return 0;
}

struct reverse *reverse_new(struct transfer *t) {
  const struct plan *plan = t->plan;
  struct reverse *r = calloc(1, sizeof(*r));
  if (!r) return NULL;
  r->t = t;
  r->programs = programs_new(plan->new, plan->old);
  r->old_variable = calloc(plan->new->header->variables.count + 1, sizeof(*r->old_variable));
  if (!r->programs || !r->old_variable || arena_each(add_moved, r) != 0) {
    reverse_free(r);
    return NULL;
  }
  if (r->moved_count) qsort(r->moved, r->moved_count, sizeof(*r->moved), by_now);
  for (uint32_t i = 0; i < plan->old->header->variables.count; i++)
    if (plan->variables[i].new)
      r->old_variable[plan->variables[i].new - plan->new->variables] = i + 1;
  return r;
}

void reverse_free(struct reverse *r) {
  if (!r) return;
  programs_free(r->programs);
  free(r->moved);
  free(r->old_variable);
  free(r);
}

struct programs *reverse_programs(struct reverse *r) {
  return r->programs;
}

void reverse_prefer_ends(struct reverse *r, bool ends) {
  r->ends = ends;
}

/* ---- heap ----
 * Blocks correspond by where the transfer moved them, and places in them by their types, whether or
 * not there is a way back for their contents. */

static uint64_t from_heap(struct transfer *t, uint64_t value, const struct pointed *pointed) {
  struct reverse *r = t->reverse;
  struct block now;
  if (!find_block(value, true, &now)) return value;
  struct moved_block key = {.now = now.address};
  struct moved_block *moved =
      r->moved_count ? bsearch(&key, r->moved, r->moved_count, sizeof(key), by_now) : NULL;
  const struct block *old = moved ? &moved->old : &now;
  const struct site_plan *site = transfer_plan_of(t, old);
  uint64_t offset = value - now.address;
  if (!site->typed || !site->program) return old->address + offset;
  if (!site->program->changed && !pointed->retyped) return old->address + offset;
  const struct program *back =
      program_for(r->programs, site->program->new_type, site->program->old_type);
  if (!back) return value;
  int64_t at = program_block_offset(r->programs, back, site->flexible, now.bytes, offset, pointed);
  return at < 0 ? value : old->address + (uint64_t)at;
}

/* ---- images ---- */

static uint64_t in_variable(struct transfer *t, const struct st_variable *v, uint64_t link,
                            const struct pointed *pointed) {
  struct reverse *r = t->reverse;
  const struct plan *plan = t->plan;
  uint32_t index = r->old_variable[v - plan->new->variables];
  if (!index) return 0;
  const struct st_variable *old = &plan->old->variables[index - 1];
  const struct program *back = program_for(r->programs, v->type, old->type);
  bool exact;
  if (!back) return 0;
  int64_t at = program_offset(r->programs, back, link - v->address, pointed, &exact);
  return at < 0 ? 0 : t->old.image[0].base + old->address + (uint64_t)at;
}

static uint64_t from_function(struct transfer *t, const struct st_function *f) {
  const struct st_meta *old = t->plan->old;
  const char *name = st_meta_string(t->plan->new, f->name);
  for (uint32_t i = 0; i < old->header->functions.count; i++)
    if (strcmp(st_meta_string(old, old->functions[i].name), name) == 0 &&
        plan_function(t->plan, &old->functions[i]) == f)
      return t->old.image[0].base + old->functions[i].address;
  return 0;
}

static uint64_t from_library(struct transfer *t, const struct image *image, uint64_t link,
                             uint64_t value) {
  const struct image *old = images_named(&t->old, image->name);
  if (!old) return value;
  for (unsigned c = 0; c < t->old.copy_count; c++) {
    const struct image_copy *copy = &t->old.copies[c];
    if (&t->old.image[copy->image] == old && link - copy->defined < copy->bytes)
      return copy->address + (link - copy->defined);
  }
  return old->base + link;
}

static uint64_t from_executable(struct transfer *t, uint64_t value, const struct pointed *pointed) {
  const struct images *own = &st_process.images;
  const struct st_meta *new = t->plan->new;
  uint64_t link = value - st_image_base(), found = 0;
  for (unsigned c = 0; c < own->copy_count; c++)
    if (value - own->copies[c].address < own->copies[c].bytes)
      return from_library(t, &own->image[own->copies[c].image],
                          own->copies[c].defined + (value - own->copies[c].address), value);
  const struct st_variable *v = st_meta_variable_at(new, link);
  const struct st_variable *before = link ? st_meta_variable_at(new, link - 1) : NULL;
  if (before && before->address + before->size != link) before = NULL;
  if (before && (t->reverse->ends || !v)) found = in_variable(t, before, link, pointed);
  if (!found && v) found = in_variable(t, v, link, pointed);
  const struct st_function *f = found ? NULL : st_meta_function_at(new, link);
  if (f && f->address == link) found = from_function(t, f);
  return found ? found : value;
}

uint64_t reverse_follow(struct transfer *t, uint64_t value, const struct pointed *pointed) {
  if (value < ARENA_PAGE || value > -ARENA_PAGE) return value;
  if (arena_has((void *)value)) return from_heap(t, value, pointed);
  if (value - MAPPING_BASE < MAPPING_BYTES || pointer_traps(value)) return value;
  const struct image *image = images_at(&st_process.images, value);
  if (!image) return value;
  if (image == &st_process.images.image[0]) return from_executable(t, value, pointed);
  return from_library(t, image, value - image->base, value);
}

/* ---- constants ---- */

static const char *text_at(uint64_t value, size_t *left) {
  struct block b;
  if (find_block(value, true, &b)) {
    *left = b.address + b.bytes - value;
    return (const char *)value;
  }
  return value < st_image_base() ? NULL : elf_at(&st_process.exe, value - st_image_base(), left);
}

bool reverse_same(struct transfer *t, uint64_t value, uint64_t original) {
  const struct elf_file *exe = &t->plan->old_exe;
  uint64_t link = original - t->old.image[0].base;
  size_t left, now_left;
  if (images_at(&t->old, original) != &t->old.image[0]) return false;
  if (copied_follow(exe, link) == value) return true;
  const char *was = elf_at(exe, link, &left), *now = text_at(value, &now_left);
  if (!was || !now || !elf_read_only(exe, link)) return false;
  size_t length = strnlen(was, left);
  return length < left && length < now_left && memcmp(was, now, length + 1) == 0;
}
