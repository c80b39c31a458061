#include "libst/proof.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "libst/arena.h"
#include "libst/datum.h"
#include "libst/find.h"
#include "libst/mapping.h"
#include "libst/path.h"
#include "libst/plan.h"
#include "libst/pointer.h"
#include "libst/process.h"
#include "libst/program.h"
#include "libst/report.h"
#include "libst/site.h"
#include "libst/st.h"
#include "libst/type.h"

/* Programs from this build's types to themselves tell where the pointers are. */
static struct programs *shapes;
static const struct st_meta *meta;

enum { FOUND_MAX = 50, PATHS_MAX = 20 };

struct check {
  struct st_report *report;
  const char *object; /* a variable's name, or NULL: */
  const struct block *block;
  const unsigned char *start; /* of either */
  uint32_t type;
  unsigned found;
  unsigned last_site; /* whose shape was looked up last */
  const struct program *last_shape;
};

int proof_prepare(const struct st_meta *own) {
  meta = own;
  shapes = programs_new(meta, meta);
  if (!shapes) return -ENOMEM;
  for (uint32_t i = 0; i < meta->header->variables.count; i++)
    if (!(meta->variables[i].flags & ST_VAR_CONST))
      program_for(shapes, meta->variables[i].type, meta->variables[i].type);
  for (uint32_t i = 0; i < meta->header->sites.count; i++)
    if (meta->sites[i].type) program_for(shapes, meta->sites[i].type, meta->sites[i].type);
  return 0;
}

static bool lands(uint64_t value) {
  struct block block;
  if (value < ARENA_PAGE || value > -ARENA_PAGE || pointer_traps(value)) return true;
  if (arena_has((void *)value)) return find_block(value, true, &block);
  return mapping_has(value, 0) || mapping_has(value - 1, 1) ||
         images_at(&st_process.images, value) || images_at(&st_process.images, value - 1);
}

/* The datum as the program would write it. @param type  receives its type's name */
static void name_datum(struct check *c, const struct program *p, const struct op *op,
                       const unsigned char *at, char *out, size_t cap, char *type) {
  char path[256], start[256], scratch[256];
  uint32_t leaf;
  datum_path(meta, c->type, (uint64_t)(at - c->start), path, sizeof(path), &leaf);
  /* It may be in a union, whose live member only the program knows. */
  if (!btf_is_ptr(type_of(meta, leaf)))
    datum_path(meta, p->new_type, op->new_at, scratch, sizeof(scratch), &leaf);
  type_text(meta, leaf, type, 160);
  if (!c->block) {
    snprintf(out, cap, "%s%s", c->object, path);
    return;
  }
  const struct site *site = &ARENA_SITE[c->block->site];
  if (c->found > PATHS_MAX || !*path_to_own_block(meta, c->block, start, sizeof(start)))
    snprintf(start, sizeof(start), "(%s from %s:%u)", type_text(meta, c->type, scratch, 160),
             site->file, site->line);
  snprintf(out, cap, "%s%s%s", start, *path == '.' ? "->" : "", path + (*path == '.'));
}

/* What lies at an address that is no state, and what would help. */
static const char *nowhere(uint64_t value) {
  unsigned char resident;
  if (arena_has((void *)value))
    return "where no block of the heap is; let it point into the state, or clear it";
  if (mincore((void *)(value & -ARENA_PAGE), 1, &resident) == 0)
    return "memory of a library, of a stack, or from before st_init() (a constructor's), which is "
           "no "
           "state; allocate it after st_init(), or clear it";
  return "where nothing is; let it point into the state, or clear it";
}

static void check_pointer(struct check *c, const struct program *p, const struct op *op,
                          const unsigned char *at) {
  uint64_t value;
  char name[512], type[160], from[128] = "";
  memcpy(&value, at, sizeof(value));
  if (op->kind == OP_TAGGED) value &= ~op->mask;
  if (lands(value) || ++c->found > FOUND_MAX) return;
  name_datum(c, p, op, at, name, sizeof(name), type);
  const struct site *site = c->block ? &ARENA_SITE[c->block->site] : NULL;
  if (site) snprintf(from, sizeof(from), "; allocated at %s:%u", site->file, site->line);
  report_violation(c->report, "`%s` (`%s`%s) is 0x%lx after the transfer, %s", name, type, from,
                   (unsigned long)value, nowhere(value));
}

static void check_object(struct check *c, const struct program *p, const unsigned char *at,
                         size_t bytes);

static void check_live(struct check *c, const struct live *live, const unsigned char *at) {
  const struct live_choice *choice = live_choice(live, at);
  if (choice && choice->program) check_object(c, choice->program, at, choice->program->new_bytes);
}

static void check_object(struct check *c, const struct program *p, const unsigned char *at,
                         size_t bytes) {
  if (!p->points) return;
  for (unsigned i = 0; i < p->op_count; i++) {
    const struct op *op = &p->ops[i];
    size_t count = 0;
    if (op->kind == OP_POINTER || op->kind == OP_TAGGED)
      check_pointer(c, p, op, at + op->new_at);
    else if (op->kind == OP_LIVE)
      check_live(c, op->live, at + op->new_at);
    else if (op->kind == OP_REPEAT)
      count = op->old_count;
    else if (op->kind == OP_TAIL && bytes > op->new_at && op->element->new_bytes)
      count = (bytes - op->new_at) / op->element->new_bytes;
    for (size_t k = 0; k < count; k++)
      check_object(c, op->element, at + op->new_at + k * op->element->new_bytes,
                   op->element->new_bytes);
  }
}

/* What the blocks of a site are when they have pointers, else NULL. */
static const struct program *pointing_shape(struct check *c, unsigned site) {
  if (site == c->last_site) return c->last_shape;
  uint32_t type = ARENA_SITE[site].type;
  const struct program *p = type ? program_for(shapes, type, type) : NULL;
  c->last_site = site;
  return c->last_shape = p && p->points && p->new_bytes ? p : NULL;
}

static uint64_t pointing_sites(struct check *c) {
  uint64_t sites = 0;
  for (uint32_t i = 1; i < ARENA->sites; i++)
    if (pointing_shape(c, i)) sites |= arena_site_bit(i);
  return sites;
}

static int check_block(const struct block *b, void *ctx) {
  struct check *c = ctx;
  const struct program *p = pointing_shape(c, b->site);
  unsigned flags = ARENA_SITE[b->site].flags;
  if (!p || (flags & SITE_UNSIZED && b->bytes != p->new_bytes)) return 0;
  c->block = b;
  c->start = (const unsigned char *)b->address;
  c->type = p->new_type;
  if (flags & SITE_FLEXIBLE) {
    if (b->bytes >= p->new_bytes) check_object(c, p, c->start, b->bytes);
    return 0;
  }
  for (size_t at = 0; at + p->new_bytes <= b->bytes; at += p->new_bytes)
    check_object(c, p, c->start + at, p->new_bytes);
  return 0;
}

static void check_variable(struct check *c, const struct st_variable *v) {
  char name[128];
  if (v->flags & (ST_VAR_CONST | ST_VAR_REFUSED)) return;
  const struct program *p = program_for(shapes, v->type, v->type);
  if (!p || v->size < p->new_bytes) return;
  c->object = plan_variable_text(meta, v, name, sizeof(name));
  c->start = (const unsigned char *)(st_image_base() + v->address);
  c->type = v->type;
  check_object(c, p, c->start, v->size);
}

void proof_run(struct st_report *report) {
  struct check c = {.report = report};
  for (uint32_t i = 0; i < meta->header->variables.count; i++)
    check_variable(&c, &meta->variables[i]);
  arena_each_of(pointing_sites(&c), check_block, &c);
  if (c.found > FOUND_MAX)
    report_violation(report, "and %u pointers more after the transfer, alike", c.found - FOUND_MAX);
}

void proof_free(void) {
  programs_free(shapes);
  shapes = NULL;
}
