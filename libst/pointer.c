/* Typed pointers, followed by their targets. */
#include <stdio.h>
#include <string.h>

#include "libst/copied.h"
#include "libst/find.h"
#include "libst/fold.h"
#include "libst/mapping.h"
#include "libst/pointer.h"
#include "libst/process.h"
#include "libst/report.h"
#include "libst/reverse.h"
#include "libst/st.h"
#include "libst/transfer.h"
#include "libst/type.h"

/* What a pointer to freed memory becomes: an address of this range, which is never mapped. */
#define TRAP_BASE  0x2b5900000000ul
#define TRAP_BYTES 0x100000000ul

const struct pointed pointed_any;

bool pointer_traps(uint64_t value) {
  return value - TRAP_BASE < TRAP_BYTES;
}

/* Why an offset has no place in the new version. */
static const char *lost(int64_t offset) {
  switch (offset) {
  case PROGRAM_AMBIGUOUS:
    return "the start of one member and the end of another, which part in the new version; keep "
           "them together";
  case PROGRAM_MISREAD:
    return "where no object of the pointer's type is known to be: it would be read as what it is "
           "not; say what lies there with pool_of(TYPE), or declare it as what it is";
  case PROGRAM_RETYPED:
    return "which has a type there that the pointer does not fit; change the type of both, or make "
           "one of them in a handler";
  default:
    return "which the new version does not have; keep it, or clear the pointer in a handler";
  }
}

/* Whether objects of an old type have another form in the new version. */
static bool type_changes(struct transfer *t, uint32_t type) {
  uint32_t new_type = type ? programs_counterpart(t->plan->programs, type) : 0;
  const struct program *p = new_type ? program_for(t->plan->programs, type, new_type) : NULL;
  return p && p->changed;
}

/* Vectors that are counted from 1: the pointer lies one element in front of them, and not where a
 * block that was freed may have begun. */
static bool is_before(struct transfer *t, uint64_t value, const struct pointed *pointed,
                      struct block *block) {
  uint64_t size = pointed->old_type ? type_bytes(t->plan->old, pointed->old_type) : 0;
  return size % 16 && find_block(value + size, false, block) && block->address == value + size;
}

static uint64_t follow_freed(struct transfer *t, uint64_t value, const struct pointed *pointed,
                             const struct place *place) {
  struct block block;
  char type[160];
  if (!is_before(t, value, pointed, &block)) {
    fold_warning(t, place,
                 "pointed to freed memory: using it will trap; clear it where that is freed");
    return TRAP_BASE | (value & (TRAP_BYTES - 1));
  }
  transfer_refuse(t, place,
                  "points to one `%s` before its block (allocated at %s:%u); let it point into the "
                  "block",
                  type_text(t->plan->old, pointed->old_type, type, sizeof(type)),
                  ARENA_SITE[block.site].file, ARENA_SITE[block.site].line);
  return value;
}

/* Into a block that stays as it is, because its type is not known or the new version lacks it: the
 * pointer's user must not take it for anything else. */
static void check_as_it_is(struct transfer *t, const struct site_plan *site,
                           const struct block *block, const struct pointed *pointed,
                           const struct place *place) {
  const struct site *from = &ARENA_SITE[block->site];
  char pointer[160], type[160];
  type_text(t->plan->old, pointed->old_type, pointer, sizeof(pointer));
  type_text(t->plan->old, from->type, type, sizeof(type));
  bool retyped = pointed->retyped || pointed->strict;
  if (transfer_type_is_lost(t, site, block))
    transfer_refuse(
        t, place,
        "points into a `%s` (allocated at %s:%u), which the new version does not have, "
        "or has no variable or allocation of; keep the type's name, or annotate what it "
        "was renamed from",
        type, from->file, from->line);
  else if (site->orphan && retyped)
    transfer_refuse(
        t, place,
        "points into blocks of `%s` (allocated at %s:%u), and is no longer a pointer to "
        "that; keep the type, or make the new blocks in a handler",
        type, from->file, from->line);
  else if (site->unsized && type_changes(t, pointed->old_type))
    transfer_refuse(t, place,
                    "points into a block of %zu bytes (allocated at %s:%u without a sizeof), which "
                    "is no `%s`, and that changes; spell the size with sizeof, or allocate what it "
                    "is",
                    block->bytes, from->file, from->line, pointer);
  else if (type_changes(t, pointed->old_type))
    transfer_refuse(t, place,
                    "points into a block whose type is not known (see st-instrument --report), and "
                    "`%s` changes; name the type where it is allocated",
                    pointer);
  else if (retyped)
    transfer_refuse(t, place,
                    "points into a block whose type is not known, and is no longer a pointer to "
                    "`%s`; name the type where it is allocated",
                    pointer);
}

static uint64_t follow_heap(struct transfer *t, uint64_t value, const struct pointed *pointed,
                            const struct place *place) {
  struct block block;
  if (!find_block(value, false, &block)) return follow_freed(t, value, pointed, place);
  const struct site_plan *site = transfer_plan_of(t, &block);
  if (!site->typed) {
    check_as_it_is(t, site, &block, pointed, place);
    return value;
  }
  /* The start of an object of the pointer's type is what most pointers point to. */
  if (value == block.address && !pointed->retyped && pointed->old_type == site->program->old_type)
    return transfer_block(t, &block);
  if (!site->program->changed && pointed->old_type == 0 && !pointed->strict)
    return transfer_block(t, &block) + (value - block.address);
  int64_t offset =
      program_block_offset(t->plan->programs, site->program, site->flexible,
                           transfer_old_bytes(t, site, &block), value - block.address, pointed);
  if (offset >= 0) return transfer_block(t, &block) + (uint64_t)offset;
  char type[160];
  transfer_refuse(
      t, place, "points to byte %lu of a `%s`, %s", (unsigned long)(value - block.address),
      type_text(t->plan->old, site->program->old_type, type, sizeof(type)), lost(offset));
  return value;
}

/* The same place of a library that both versions use. `copies` of the new executable come first:
 * they are what the library itself uses. */
static uint64_t follow_library(struct transfer *t, const struct image *old, uint64_t link_address,
                               const struct place *place) {
  const struct images *own = &st_process.images;
  const struct image *new = images_named(own, old->name);
  static const uint8_t none[20];
  if (!new || memcmp(new->build_id, old->build_id, sizeof(none)) != 0 ||
      memcmp(new->build_id, none, sizeof(none)) == 0) {
    transfer_refuse(t, place, "points into %s, which is another build now; restart instead",
                    old->name);
    return 0;
  }
  for (unsigned c = 0; c < own->copy_count; c++)
    if (&own->image[own->copies[c].image] ==
        new &&link_address - own->copies[c].defined < own->copies[c].bytes)
      return own->copies[c].address + (link_address - own->copies[c].defined);
  return new->base + link_address;
}

/* Where in this executable a place in a variable is. @param exact  as of program_offset() */
static int64_t in_variable(struct transfer *t, const struct st_variable *v, uint64_t offset,
                           const struct pointed *pointed, bool *exact) {
  const struct variable_pair *pair = &t->plan->variables[v - t->plan->old->variables];
  *exact = false;
  if (!pair->new || !pair->program || pair->program->refusal) return -1;
  int64_t at = program_offset(t->plan->programs, pair->program, offset, pointed, exact);
  return at < 0 ? at : (int64_t)(st_image_base() + pair->new->address) + at;
}

/* The variable that ends where another begins or nothing is. */
static const struct st_variable *ending_at(const struct st_meta *old, uint64_t link) {
  const struct st_variable *v = link ? st_meta_variable_at(old, link - 1) : NULL;
  return v && v->address + v->size == link ? v : NULL;
}

/* Of a constant table the place counts, not what is there. */
static void note_constant(struct transfer *t, const struct st_variable *v,
                          const struct variable_pair *pair, const struct place *place) {
  if (!(v->flags & ST_VAR_CONST) || !pair->new || !pair->program) return;
  const void *was = elf_at(&t->plan->old_exe, v->address, NULL);
  const void *is = elf_at(&st_process.exe, pair->new->address, NULL);
  bool alike = v->size == pair->new->size && (pair->program->points || pair->program->changed ||
                                              (was && is && memcmp(was, is, v->size) == 0));
  char text[256];
  if (!alike)
    report_note(t->report, "`%s` points into constant `%s`, which has other contents now",
                place_text(t, place, text, sizeof(text)), st_meta_string(t->plan->old, v->name));
}

static uint64_t follow_variable(struct transfer *t, const struct st_variable *v, uint64_t link,
                                const struct pointed *pointed, const struct place *place) {
  char name[128], other[128];
  bool exact, ends = false;
  int64_t at = in_variable(t, v, link - v->address, pointed, &exact);
  const struct st_variable *before = link == v->address ? ending_at(t->plan->old, link) : NULL;
  int64_t end = before ? in_variable(t, before, before->size, pointed, &ends) : -1;
  if (ends && exact && end != at) {
    transfer_refuse(t, place,
                    "points to the start of `%s` or to the end of `%s`; keep their order, or "
                    "point to an element",
                    plan_variable_text(t->plan->old, v, name, sizeof(name)),
                    plan_variable_text(t->plan->old, before, other, sizeof(other)));
    return 0;
  }
  if (ends && !exact) {
    at = end;
    v = before;
  }
  const struct variable_pair *pair = &t->plan->variables[v - t->plan->old->variables];
  if (at >= 0) {
    note_constant(t, v, pair, place);
    return (uint64_t)at;
  }
  if (!pair->new && (v->flags & ST_VAR_CONST) && type_is_char(t->plan->old, v->type)) {
    uintptr_t literal = literal_follow(t, link, pointed);
    if (literal) return literal;
  }
  transfer_refuse(t, place, "points to byte %lu of variable `%s`, %s",
                  (unsigned long)(link - v->address),
                  plan_variable_text(t->plan->old, v, name, sizeof(name)), lost(at));
  return 0;
}

static uint64_t follow_executable(struct transfer *t, uint64_t value, const struct pointed *pointed,
                                  const struct place *place) {
  const struct st_meta *old = t->plan->old;
  uint64_t link = value - t->old.image[0].base;
  for (unsigned c = 0; c < t->old.copy_count; c++) {
    const struct image_copy *copy = &t->old.copies[c];
    if (value - copy->address < copy->bytes)
      return follow_library(t, &t->old.image[copy->image], copy->defined + (value - copy->address),
                            place);
  }
  const struct st_variable *v = st_meta_variable_at(old, link);
  if (v) return follow_variable(t, v, link, pointed, place);
  v = ending_at(old, link);
  if (v && !(v->flags & ST_VAR_CONST)) return follow_variable(t, v, link, pointed, place);
  const struct st_function *f = st_meta_function_at(old, link);
  if (f && f->address == link) {
    const struct st_function *new = plan_function(t->plan, f);
    if (new) return st_image_base() + new->address;
    char lack[400];
    transfer_refuse(t, place, "points to function `%s`, %s", st_meta_string(old, f->name),
                    plan_function_lack(t->plan, f, lack, sizeof(lack)));
    return 0;
  }
  if (elf_read_only(&t->plan->old_exe, link)) {
    uintptr_t literal = literal_follow(t, link, pointed);
    if (literal) return literal;
  }
  uintptr_t copied = copied_follow(&t->plan->old_exe, link);
  if (copied) return copied;
  transfer_refuse(t, place,
                  "points to 0x%lx of the old executable, which is no known object (a constant "
                  "without a name?); let it point to a variable, a function or a text",
                  (unsigned long)link);
  return 0;
}

uint64_t pointer_follow(struct transfer *t, uint64_t value, const struct pointed *pointed,
                        const struct place *place) {
  if (t->reverse) return reverse_follow(t, value, pointed);
  if (value < ARENA_PAGE || value > -ARENA_PAGE) return value;
  if (arena_has((void *)value)) return follow_heap(t, value, pointed, place);
  if (value - MAPPING_BASE < MAPPING_BYTES || pointer_traps(value)) return value;
  const struct image *image = images_at(&t->old, value);
  if (image == &t->old.image[0]) return follow_executable(t, value, pointed, place);
  if (image) return follow_library(t, image, value - image->base, place);
  char said[200];
  place_annotation(t, place, "dont_transfer", said, sizeof(said));
  transfer_refuse(t, place,
                  "points to 0x%lx: memory of a library or a stack, or from before st_init() (a "
                  "constructor's), which is no state; let the program allocate it itself, copying "
                  "what a library made (strdup), or annotate it%s%s",
                  (unsigned long)value, *said ? ": " : " dont_transfer", said);
  return value;
}
