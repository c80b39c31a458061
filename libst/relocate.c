#include "libst/relocate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "libst/find.h"
#include "libst/process.h"
#include "libst/report.h"
#include "libst/site.h"
#include "libst/transfer.h"

enum { POISON = 0xdb }; /* no address on this machine consists of it */

static const char quarantine_file[] = "(relocated)";

static struct {
  uint8_t *bits; /* one for each 16 bytes of the arena: a block that begins there is pinned */
  unsigned moved, pinned, untyped;
} relocation;

/* ---- what cannot move ---- */

static uint64_t unit_of(uintptr_t address) {
  return (address - ARENA_BASE) / 16;
}

static void pin_words(const void *memory, size_t bytes) {
  const unsigned char *at = memory, *end = at + bytes;
  for (; end - at >= 8; at += 8) {
    struct block b;
    uint64_t value;
    memcpy(&value, at, sizeof(value));
    if (!find_block(value, false, &b)) continue;
    uint64_t unit = unit_of(b.address);
    relocation.bits[unit / 8] |= (uint8_t)(1 << unit % 8);
  }
}

static bool is_pinned(const struct block *b) {
  uint64_t unit = unit_of(b->address);
  return relocation.bits[unit / 8] >> unit % 8 & 1;
}

/* The words of an object whose other members have types. */
static void pin_object(const struct program *p, const unsigned char *data, size_t bytes) {
  if (!p->points) return;
  for (unsigned i = 0; i < p->op_count; i++) {
    const struct op *op = &p->ops[i];
    size_t count = 0;
    if (op->kind == OP_WORDS) pin_words(data + op->old_at, op->old_bytes);
    if (op->kind == OP_LIVE) {
      const struct live_choice *live = live_choice(op->live, data + op->old_at);
      if (live && live->program)
        pin_object(live->program, data + op->old_at, live->program->old_bytes);
    }
    if (op->kind == OP_REPEAT) count = op->old_count;
    if (op->kind == OP_TAIL && bytes > op->old_at && op->element->old_bytes)
      count = (bytes - op->old_at) / op->element->old_bytes;
    for (size_t k = 0; k < count; k++)
      pin_object(op->element, data + op->old_at + k * op->element->old_bytes,
                 op->element->old_bytes);
  }
}

static int pin_from_block(const struct block *b, void *ctx) {
  const struct site_plan *sp = transfer_plan_of(ctx, b);
  const unsigned char *data = (const unsigned char *)b->address;
  if (sp->skip) return 0;
  if (!sp->typed) {
    pin_words(data, b->bytes);
    return 0;
  }
  const struct program *p = sp->program;
  if (sp->flexible) {
    pin_object(p, data, b->bytes);
    return 0;
  }
  size_t at = 0;
  for (; p->old_bytes && at + p->old_bytes <= b->bytes; at += p->old_bytes)
    pin_object(p, data + at, p->old_bytes);
  at = (at + 7) & ~7ul;
  if (at < b->bytes) pin_words(data + at, b->bytes - at);
  return 0;
}

static void pin_from_variables(struct transfer *t) {
  const struct st_meta *old = t->plan->old;
  for (uint32_t i = 0; i < old->header->variables.count; i++) {
    const struct st_variable *v = &old->variables[i];
    const struct program *p = t->plan->variables[i].program;
    const unsigned char *data = transfer_snapshot(t, t->old.image[0].base + v->address, v->size);
    if (p && data && v->size >= p->old_bytes) pin_object(p, data, v->size);
  }
}

static void pin_from_libraries(struct transfer *t) {
  for (unsigned i = 1; i < t->old.count; i++)
    for (unsigned s = 0; s < t->old.image[i].segment_count; s++) {
      const struct image_segment *seg = &t->old.image[i].segments[s];
      pin_words(transfer_snapshot(t, seg->address, seg->bytes), seg->bytes);
    }
}

/* ---- old addresses of images ---- */

/* What happens to be in use by this process stays so: the scan finds old addresses all the same. */
static void block_images(struct transfer *t) {
  for (unsigned i = 0; i < t->old.count; i++) {
    const struct image *old = &t->old.image[i];
    if (old->end > old->start)
      mmap((void *)old->start, old->end - old->start, PROT_NONE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  }
  if (t->old.image[0].base == st_process.images.image[0].base)
    report_violation(t->report, "relocation: the executable did not move, since address space "
                                "layout randomisation is off; switch it on");
}

int relocate_prepare(struct transfer *t) {
  relocate_free();
  relocation.bits = mmap(NULL, ARENA_BYTES / 16 / 8, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (relocation.bits == MAP_FAILED) relocation.bits = NULL;
  if (!relocation.bits) return -ENOMEM;
  block_images(t);
  pin_from_variables(t);
  pin_from_libraries(t);
  return arena_each(pin_from_block, t);
}

void relocate_free(void) {
  if (relocation.bits) munmap(relocation.bits, ARENA_BYTES / 16 / 8);
  memset(&relocation, 0, sizeof(relocation));
}

/* ---- moving ---- */

bool relocate_moves(struct transfer *t, const struct site_plan *sp, const struct block *b) {
  (void)t;
  if (strcmp(ARENA_SITE[b->site].file, quarantine_file) == 0) return false;
  if (!sp->typed)
    relocation.untyped++;
  else if (is_pinned(b))
    relocation.pinned++;
  else
    relocation.moved++;
  return sp->typed && !is_pinned(b);
}

/* A block of a span is aligned as its class is. */
void *relocate_place(const struct block *b, size_t bytes) {
  enum { LARGEST = 1 << 16 };
  uintptr_t of = ARENA_MAP[b->page].kind == PAGE_LARGE ? b->address : b->capacity;
  size_t alignment = of & -of;
  return arena_alloc_aligned(alignment < LARGEST ? alignment : LARGEST, bytes, b->site, true);
}

/* ---- old places ---- */

static void quarantine(const struct block *b, unsigned site) {
  memset((void *)b->address, POISON, b->bytes);
  if (ARENA_MAP[b->page].kind == PAGE_LARGE) {
    ARENA_MAP[b->page].tag = (uint16_t)site;
    return;
  }
  span_at(b->page)->records[b->index].site = (uint16_t)site;
  ARENA_MAP[b->page].sites |= arena_site_bit(site);
}

struct parting {
  struct transfer *t;
  unsigned site;
};

static int quarantine_moved(const struct block *b, void *ctx) {
  struct parting *p = ctx;
  const uint32_t *span = p->t->moved[b->page];
  if (span && span[b->index]) quarantine(b, p->site);
  return 0;
}

int relocate_quarantine(struct transfer *t) {
  struct site site = {.type = 0};
  memcpy(site.file, quarantine_file, sizeof(quarantine_file));
  struct parting p = {t, site_intern(&site)};
  if (strcmp(ARENA_SITE[p.site].file, quarantine_file) != 0) return -ENOSPC;
  return arena_each(quarantine_moved, &p);
}

struct poisoned {
  void **blocks;
  size_t count, cap;
};

static int collect(const struct block *b, void *ctx) {
  struct poisoned *list = ctx;
  if (strcmp(ARENA_SITE[b->site].file, quarantine_file) != 0) return 0;
  if (list->count == list->cap) {
    size_t cap = list->cap ? 2 * list->cap : 256;
    void **grown = realloc(list->blocks, cap * sizeof(*grown));
    if (!grown) return -ENOMEM;
    list->blocks = grown;
    list->cap = cap;
  }
  list->blocks[list->count++] = (void *)b->address;
  return 0;
}

int relocate_release(void) {
  struct poisoned list = {0};
  uint64_t sites = 0;
  for (uint32_t i = 1; i < ARENA->sites; i++)
    if (strcmp(ARENA_SITE[i].file, quarantine_file) == 0) sites |= arena_site_bit(i);
  int err = sites ? arena_each_of(sites, collect, &list) : 0;
  for (size_t i = 0; i < list.count && !err; i++)
    arena_free(list.blocks[i]);
  free(list.blocks);
  return err;
}

void relocate_report(struct transfer *t) {
  report_note(t->report,
              "relocation: %u blocks have moved; %u are pinned by words that may be their "
              "addresses, %u have no type",
              relocation.moved, relocation.pinned, relocation.untyped);
}
