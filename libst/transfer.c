#include "libst/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "libst/fault.h"
#include "libst/forecast.h"
#include "libst/handler_plan.h"
#include "libst/initial.h"
#include "libst/plan_annotate.h"
#include "libst/process.h"
#include "libst/relocate.h"
#include "libst/report.h"
#include "libst/site.h"
#include "libst/site_pair.h"
#include "libst/st.h"
#include "libst/type.h"
#include "libst/validate.h"

const unsigned char *transfer_snapshot(const struct transfer *t, uintptr_t address, size_t bytes) {
  uint64_t offset = images_offset(&t->old, address, bytes);
  return offset ? t->snapshot + offset : NULL;
}

/* ---- blocks ---- */

const struct site_plan *transfer_plan_site(struct transfer *t, unsigned index) {
  struct site_plan *sp = &t->sites[index];
  const struct site *site = &ARENA_SITE[index];
  sp->known = true;
  sp->flexible = site->flags & SITE_FLEXIBLE;
  sp->pool = plan_is_pool(t->plan, site->function);
  uint32_t type = plan_annotated_block(t->plan, site->function, site->type);
  struct block_plan blocks =
      plan_block(t->plan, type, site_pair_type(t->plan, type, t->site_pairs[index]));
  sp->typed = blocks.typed;
  sp->unsized = blocks.typed && (site->flags & SITE_UNSIZED);
  sp->skip = blocks.skip && !sp->unsized;
  sp->orphan = blocks.orphan;
  sp->program = blocks.program;
  return sp;
}

bool transfer_type_is_lost(const struct transfer *t, const struct site_plan *sp,
                           const struct block *b) {
  return sp->orphan && btf_is_composite(type_of(t->plan->old, ARENA_SITE[b->site].type));
}

/* Most blocks are one object, which needs no division. */
static size_t old_count(const struct program *p, const struct block *b) {
  return b->bytes == p->old_bytes ? 1 : p->old_bytes ? b->bytes / p->old_bytes : 0;
}

static size_t new_block_bytes(const struct site_plan *sp, const struct block *b) {
  const struct program *p = sp->program;
  if (sp->flexible || p->old_bytes == 0) return program_new_bytes(p, b->bytes);
  return old_count(p, b) * p->new_bytes + (sp->pool ? b->bytes % p->old_bytes : 0);
}

/* The first block of a span or large block to move. */
static int add_moved(struct transfer *t, uint32_t page) {
  if (t->moved_count == t->moved_cap) {
    size_t cap = t->moved_cap ? 2 * t->moved_cap : 64;
    uint32_t *grown = realloc(t->moved_pages, cap * sizeof(*grown));
    if (!grown) return -ENOMEM;
    t->moved_pages = grown;
    t->moved_cap = cap;
  }
  const struct page *e = &ARENA_MAP[page];
  size_t count = e->kind == PAGE_SPAN ? arena_classes[e->tag].count : 1;
  if (count <= t->places_left) {
    t->places_left -= count;
    t->moved[page] = t->places + t->places_left;
  } else if (!(t->moved[page] = calloc(count, sizeof(*t->moved[page])))) {
    return -ENOMEM;
  }
  t->moved_pages[t->moved_count++] = page;
  return 0;
}

void transfer_prepare_moves(struct transfer *t, size_t blocks) {
  void *p = mmap(NULL, blocks * sizeof(*t->places), PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (p == MAP_FAILED) return;
  t->places = p;
  t->places_count = t->places_left = blocks;
}

/* Was it converted where it is? */
static bool is_converted(const struct transfer *t, const struct block *b) {
  return b->address < t->at && transfer_block(t, b) == b->address;
}

const struct site_plan *transfer_by_size(const struct transfer *t, const struct site_plan *sp,
                                         const struct block *b) {
  static const struct site_plan other = {.known = true, .unsized = true};
  uint32_t size = is_converted(t, b) ? sp->program->new_bytes : sp->program->old_bytes;
  return b->bytes == size ? sp : &other;
}

size_t transfer_old_bytes(const struct transfer *t, const struct site_plan *sp,
                          const struct block *b) {
  const struct program *p = sp->program;
  if (!p || !p->changed || !is_converted(t, b)) return b->bytes;
  return sp->flexible || p->new_bytes == 0 ? program_old_bytes(p, b->bytes)
                                           : b->bytes / p->new_bytes * p->old_bytes;
}

static int set_moved(struct transfer *t, const struct block *b, void *to) {
  uint32_t **span = &t->moved[b->page];
  int err = *span ? 0 : add_moved(t, b->page);
  if (err) return err;
  (*span)[b->index] = (uint32_t)(((uintptr_t)to - ARENA_BASE) >> 4);
  return 0;
}

static struct place block_place(const struct block *b) {
  return (struct place){.text = "", .block = b, .index = -1};
}

/* Gives a block that no longer fits its place another one. */
static int place_block(const struct block *b, void *ctx) {
  struct transfer *t = ctx;
  const struct site_plan *sp = transfer_plan_of(t, b);
  bool move = t->relocate && relocate_moves(t, sp, b);
  if (!sp->typed || (sp->skip && !move)) return 0;
  const struct program *p = sp->program;
  struct place place = block_place(b);
  if (p->refusal) {
    struct place member = {.up = &place, .text = p->refused, .index = -1};
    transfer_refuse(t, &member, "%s", p->refusal);
    return 0;
  }
  if (!p->changed && !move) return 0;
  if (p->changed && !sp->flexible && !sp->pool && p->old_bytes &&
      b->bytes != old_count(p, b) * p->old_bytes) {
    transfer_refuse(t, &place,
                    "is %zu bytes, no multiple of its type's %u, and its type changes; allocate an "
                    "array of the type, or end the type in a flexible array",
                    b->bytes, p->old_bytes);
    return 0;
  }
  size_t bytes = p->changed ? new_block_bytes(sp, b) : b->bytes;
  if (bytes < b->capacity && !move) return 0;
  bool aligned = move || (ARENA_SITE[b->site].flags & SITE_ALIGNED);
  int err = st_fault("transfer.place", ENOMEM);
  if (err) return err;
  void *to = aligned ? relocate_place(b, bytes) : arena_alloc(bytes, b->site, true);
  return to ? set_moved(t, b, to) : -ENOMEM;
}

static void convert(struct transfer *t, const struct site_plan *sp, const struct block *b,
                    const unsigned char *old, unsigned char *new, const struct place *place) {
  const struct program *p = sp->program;
  if (sp->flexible) {
    program_run(t, p, old, new, b->bytes, place);
    return;
  }
  size_t count = old_count(p, b), rest = sp->pool && count ? b->bytes % p->old_bytes : 0;
  if (rest && old != new) memcpy(new + count * p->new_bytes, old + count * p->old_bytes, rest);
  if (count == 1) {
    program_run(t, p, old, new, p->old_bytes, place);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    struct place at = {.up = place, .text = "", .index = (long)i};
    program_run(t, p, old + i * p->old_bytes, new + i * p->new_bytes, p->old_bytes, &at);
  }
}

static int convert_in_place(struct transfer *t, const struct site_plan *sp, const struct block *b,
                            const struct place *place) {
  unsigned char stack[1024], *copy = stack;
  size_t bytes = new_block_bytes(sp, b);
  int err = st_fault("transfer.block", ENOMEM);
  if (err) return err;
  if (b->bytes > sizeof(stack) && !(copy = malloc(b->bytes))) return -ENOMEM;
  memcpy(copy, (const void *)b->address, b->bytes);
  memset((void *)b->address, 0, bytes > b->bytes ? bytes : b->bytes);
  convert(t, sp, b, copy, (unsigned char *)b->address, place);
  if (copy != stack) free(copy);
  if (bytes != b->bytes) arena_set_bytes(b, bytes);
  return 0;
}

/* What lies behind the last whole element has no type. */
static void follow_rest(struct transfer *t, const struct site_plan *sp, const struct block *b,
                        const struct place *place) {
  uint32_t size = sp->program->old_bytes;
  size_t rest = sp->flexible ? program_rest(sp->program, b->bytes)
                             : b->bytes - old_count(sp->program, b) * size;
  if (rest) words_follow(t, (void *)(b->address + b->bytes - rest), rest, place);
}

/* A block that moves as it is. */
static void move_unchanged(struct transfer *t, const struct site_plan *sp, const struct block *b,
                           uintptr_t to, const struct place *place) {
  struct block moved = *b;
  moved.address = to;
  memcpy((void *)to, (const void *)b->address, b->bytes);
  if (sp->skip) return;
  convert(t, sp, &moved, (const unsigned char *)to, (unsigned char *)to, place);
  follow_rest(t, sp, &moved, place);
}

/* Blocks come by address. */
static int transfer_one(const struct block *b, void *ctx) {
  struct transfer *t = ctx;
  t->at = b->address;
  const struct site_plan *sp = transfer_plan_of(t, b);
  uintptr_t to = transfer_block(t, b);
  struct place place = block_place(b);
  if (to != b->address && !sp->program->changed) {
    move_unchanged(t, sp, b, to, &place);
    return 0;
  }
  if (sp->skip) return 0;
  if (!sp->typed) {
    if (!sp->orphan && t->untyped++ == 0) t->untyped_site = b->site;
    words_follow(t, (void *)b->address, b->bytes, &place);
    return 0;
  }
  if (!sp->program->changed) {
    convert(t, sp, b, (unsigned char *)b->address, (unsigned char *)b->address, &place);
    follow_rest(t, sp, b, &place);
    return 0;
  }
  if (to == b->address) return convert_in_place(t, sp, b, &place);
  convert(t, sp, b, (const unsigned char *)b->address, (unsigned char *)to, &place);
  return 0;
}

/* Frees the old places of the blocks that moved from one span or large block. */
static void free_moved(struct transfer *t, uint32_t page) {
  const uint32_t *to = t->moved[page];
  if (ARENA_MAP[page].kind == PAGE_LARGE) {
    arena_free((void *)(ARENA_BASE + ((uintptr_t)page << ARENA_PAGE_SHIFT)));
    return;
  }
  const struct size_class *c = &arena_classes[ARENA_MAP[page].tag];
  uint32_t moved = 0;
  for (uint32_t i = 0; i < c->count; i++)
    moved += to[i] != 0;
  /* To free all blocks of a full span is to give it up: its pages need not be written. */
  if (moved == c->count && arena_release_full(page)) return;
  uintptr_t data = ARENA_BASE + ((uintptr_t)page << ARENA_PAGE_SHIFT) + c->data;
  for (uint32_t i = 0; i < c->count; i++)
    if (to[i]) arena_free((void *)(data + i * c->size));
}

static void free_all_moved(struct transfer *t) {
  for (size_t i = 0; i < t->moved_count; i++)
    free_moved(t, t->moved_pages[i]);
}

/* After a relocation they are kept out of use until the next update. */
static int give_up_old_places(struct transfer *t) {
  arena_transfer_end();
  int err = relocate_release();
  if (err) return err;
  if (t->relocate) return relocate_quarantine(t);
  free_all_moved(t);
  return 0;
}

/* The sites whose blocks some pass must look at: all others are neither read nor touched. */
static uint64_t sites_that(struct transfer *t, bool (*must)(const struct site_plan *)) {
  uint64_t sites = 0;
  for (uint32_t i = 1; i < ARENA->sites; i++)
    if (must(transfer_site(t, i))) sites |= arena_site_bit(i);
  return sites;
}

static bool may_move(const struct site_plan *sp) {
  return sp->typed && !sp->skip && (sp->program->changed || sp->program->refusal);
}

static bool may_change(const struct site_plan *sp) {
  return !sp->skip;
}

/* ---- variables ---- */

static void transfer_variable(struct transfer *t, uint32_t index) {
  const struct st_variable *old = &t->plan->old->variables[index];
  const struct variable_pair *pair = &t->plan->variables[index];
  if ((old->flags & ST_VAR_CONST) || (pair->new && (pair->new->flags &ST_VAR_CONST))) return;
  const unsigned char *from = transfer_snapshot(t, t->old.image[0].base + old->address, old->size);
  char name[128];
  struct place place = {.text = name, .index = -1};
  plan_variable_text(t->plan->old, old, name, sizeof(name));
  if (!from) {
    if (old->size)
      transfer_refuse(t, &place,
                      "lies outside the old version's writable data; link it into "
                      ".data or .bss");
    return;
  }
  if (!pair->new) {
    if (initial_changed(t, old, from) && !handler_reads(t->plan, old))
      report_note(t->report, "variable `%s` held data, which is dropped", name);
    return;
  }
  if (!pair->program) return;
  if (initial_keep(t, old, pair, from, name)) return;
  /* Its initialiser gives a flexible array its length. */
  size_t bytes = old->size;
  while (program_new_bytes(pair->program, bytes) > pair->new->size && from[bytes - 1] == 0)
    bytes--;
  if (program_new_bytes(pair->program, bytes) > pair->new->size) {
    transfer_refuse(t, &place,
                    "holds data in a flexible array that is shorter in the new version; give it an "
                    "initialiser as long as before");
    return;
  }
  program_run(t, pair->program, from, (unsigned char *)(st_image_base() + pair->new->address),
              bytes, &place);
}

/* ---- state libraries ---- */

static void transfer_segment(struct transfer *t, const struct image *old, const struct image *new,
                             unsigned s) {
  const struct image_segment *from = &old->segments[s];
  const unsigned char *bytes = transfer_snapshot(t, from->address, from->bytes);
  struct place place = {.text = old->name, .index = -1};
  words_copy(t, bytes, (void *)(from->address - old->base + new->base), from->bytes, &place);
}

/* The library's variables that live in this executable. */
static void transfer_copies(struct transfer *t, const struct image *old, const struct image *new) {
  const struct images *own = &st_process.images;
  for (unsigned c = 0; c < own->copy_count; c++) {
    const struct image_copy *copy = &own->copies[c];
    if (&own->image[copy->image] != new) continue;
    const unsigned char *from = transfer_snapshot(t, old->base + copy->defined, copy->bytes);
    struct place place = {.text = old->name, .index = -1};
    if (from) words_copy(t, from, (void *)copy->address, copy->bytes, &place);
  }
}

static void transfer_library(struct transfer *t, const struct image *old) {
  const struct image *new = images_named(&st_process.images, old->name);
  if (!new || !new->state) {
    report_violation(t->report,
                     "state library %s is not one of the new version's: declare it to "
                     "st-instrument (--state-library)",
                     old->name);
    return;
  }
  if (memcmp(old->build_id, new->build_id, sizeof(old->build_id)) != 0) {
    report_violation(t->report, "state library %s is another build now; restart instead",
                     old->name);
    return;
  }
  for (unsigned s = 0; s < old->segment_count; s++)
    transfer_segment(t, old, new, s);
  transfer_copies(t, old, new);
}

/* ---- all ---- */

/* The table's entries, which the records of all blocks refer to, become this build's. */
static void rewrite_sites(struct transfer *t, uint32_t count) {
  for (uint32_t i = 1; i < count; i++) {
    const struct site_plan *sp = transfer_site(t, i);
    struct site site = ARENA_SITE[i];
    if (t->site_pairs[i]) {
      site_describe(&site, t->plan->new, t->site_pairs[i] - 1);
    } else {
      site.type = sp->typed ? sp->program->new_type : 0;
      if (site_may_point(t->plan->new, site.type)) site.flags |= SITE_CLEAR;
    }
    site.flags |= ARENA_SITE[i].flags & SITE_ALIGNED;
    if (memcmp(&site, &ARENA_SITE[i], sizeof(site)) != 0) ARENA_SITE[i] = site;
  }
}

int transfer_prepare(struct transfer *t) {
  t->sites = calloc(ARENA_SITES, sizeof(*t->sites));
  t->moved = mmap(NULL, ARENA_PAGES * sizeof(*t->moved), PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (t->moved == MAP_FAILED) t->moved = NULL;
  t->site_pairs = site_pairs_new(t->plan);
  if (!t->sites || !t->moved || !t->site_pairs) return -ENOMEM;
  forecast(t);
  return initial_load(t);
}

/* Nobody knows what is in them, and whether the new version takes it for the same. */
static void tell_untyped(struct transfer *t) {
  const struct site *first = &ARENA_SITE[t->untyped_site];
  if (t->untyped)
    report_note(t->report,
                "%u block%s without a type (the first is from %s:%u; see st-instrument --report) "
                "keep%s their layout",
                t->untyped, t->untyped == 1 ? "" : "s", first->file, first->line,
                t->untyped == 1 ? "s" : "");
}

int transfer_run(struct transfer *t) {
  initial_relocate(t);
  int err = arena_transfer_begin(st_process.heap);
  uint32_t sites = ARENA->sites;
  bool handled = t->plan->handlers != NULL;
  if (!err && handled) err = handlers_begin(t);
  if (!err && t->relocate) err = relocate_prepare(t);
  if (!err) err = arena_each_of(t->relocate ? ~0ull : sites_that(t, may_move), place_block, t);
  if (!err && t->report->violations) err = -EINVAL;
  for (uint32_t i = 0; !err && i < t->plan->old->header->variables.count; i++)
    transfer_variable(t, i);
  for (unsigned i = 1; !err && i < t->old.count; i++)
    if (t->old.image[i].segment_count) transfer_library(t, &t->old.image[i]);
  if (!err) err = arena_each_of(t->relocate ? ~0ull : sites_that(t, may_change), transfer_one, t);
  t->at = UINTPTR_MAX;
  tell_untyped(t);
  if (!err && handled) handlers_run_variables(t);
  if (!err && t->relocate) relocate_scan(t);
  if (!err && t->validate && !t->report->violations) err = validate(t);
  if (!err && t->report->violations) err = -EINVAL;
  if (err) return err;
  err = give_up_old_places(t);
  if (err) return err;
  rewrite_sites(t, handled ? sites : ARENA->sites);
  handlers_end();
  return 0;
}

void transfer_free(struct transfer *t) {
  for (size_t i = 0; i < t->moved_count; i++) {
    uint32_t *span = t->moved[t->moved_pages[i]];
    if (!t->places || span < t->places || span >= t->places + t->places_count) free(span);
  }
  if (t->places) munmap(t->places, t->places_count * sizeof(*t->places));
  free(t->moved_pages);
  if (t->moved) munmap(t->moved, ARENA_PAGES * sizeof(*t->moved));
  free(t->sites);
  free(t->site_pairs);
  free(t->literals);
  free(t->initial);
  if (t->snapshot) munmap((void *)t->snapshot, t->snapshot_bytes);
  images_free(&t->old);
  *t = (struct transfer){0};
}
