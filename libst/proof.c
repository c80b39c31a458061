#include "libst/proof.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libst/arena.h"
#include "libst/find.h"
#include "libst/mapping.h"
#include "libst/plan.h"
#include "libst/pointer.h"
#include "libst/process.h"
#include "libst/program.h"
#include "libst/report.h"
#include "libst/site.h"
#include "libst/st.h"

/* Programs from this build's types to themselves tell where the pointers are. */
static struct programs *shapes;
static const struct st_meta *meta;

struct check {
  struct st_report *report;
  const char *object; /* a variable's name, or NULL for a block of `site` */
  const struct site *site;
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

static void check_pointer(struct check *c, const struct op *op, const unsigned char *at) {
  uint64_t value;
  memcpy(&value, at, sizeof(value));
  if (op->kind == OP_TAGGED) value &= ~op->mask;
  if (lands(value)) return;
  if (c->object)
    report_violation(c->report,
                     "`%s%s` is 0x%lx after the transfer, where nothing is; let it point into the "
                     "state, or clear it",
                     c->object, op->path, (unsigned long)value);
  else
    report_violation(c->report,
                     "`%s` of a block from %s:%u is 0x%lx after the transfer, where "
                     "nothing is; let it point into the state, or clear it",
                     op->path, c->site->file, c->site->line, (unsigned long)value);
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
      check_pointer(c, op, at + op->new_at);
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
  c->site = &ARENA_SITE[b->site];
  const struct program *p = pointing_shape(c, b->site);
  if (!p || (c->site->flags & SITE_UNSIZED && b->bytes != p->new_bytes)) return 0;
  if (c->site->flags & SITE_FLEXIBLE) {
    if (b->bytes >= p->new_bytes) check_object(c, p, (const unsigned char *)b->address, b->bytes);
    return 0;
  }
  for (size_t at = 0; at + p->new_bytes <= b->bytes; at += p->new_bytes)
    check_object(c, p, (const unsigned char *)b->address + at, p->new_bytes);
  return 0;
}

void proof_run(struct st_report *report) {
  struct check c = {.report = report};
  for (uint32_t i = 0; i < meta->header->variables.count; i++) {
    const struct st_variable *v = &meta->variables[i];
    if (v->flags & (ST_VAR_CONST | ST_VAR_REFUSED)) continue;
    const struct program *p = program_for(shapes, v->type, v->type);
    c.object = st_meta_string(meta, v->name);
    if (p && v->size >= p->new_bytes)
      check_object(&c, p, (const unsigned char *)(st_image_base() + v->address), v->size);
  }
  c.object = NULL;
  arena_each_of(pointing_sites(&c), check_block, &c);
}

void proof_free(void) {
  programs_free(shapes);
  shapes = NULL;
}
