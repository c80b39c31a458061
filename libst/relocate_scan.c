/* After a relocation: any word that is still an old address was not known as a pointer. */
#include <stdio.h>
#include <string.h>

#include "libst/annotation.h"
#include "libst/datum.h"
#include "libst/find.h"
#include "libst/plan_annotate.h"
#include "libst/process.h"
#include "libst/relocate.h"
#include "libst/report.h"
#include "libst/st.h"
#include "libst/transfer.h"
#include "libst/type.h"

enum { FOUND_MAX = 50 };

/* Memory being looked at: a variable, a library's data, or a block. */
struct scanned {
  struct transfer *t;
  const struct st_variable *variable; /* or NULL: */
  const char *library;                /* or NULL: */
  const struct block *block;          /* as it was in the old version */
  uint32_t type;                      /* of the new version; 0 = none */
  const struct program *program;      /* that made the block; NULL = none */
  unsigned found;
};

/* ---- what is no address by its annotation ---- */

static bool says_no_address(const struct st_meta *meta, uint32_t type) {
  const struct st_mark *m = annotation_mark(meta, type_strip(meta, type));
  return m && (m->kind == ST_ANNOTATE_NOT_POINTER || m->kind == ST_ANNOTATE_OPAQUE ||
               m->kind == ST_ANNOTATE_DONT_TRANSFER);
}

static bool is_no_address(const struct st_meta *meta, uint32_t type, uint64_t offset) {
  struct datum d = datum_at(meta, type, offset);
  do
    if (says_no_address(meta, d.type)) return true;
  while (datum_enter(&d));
  return false;
}

static bool is_byte(const struct st_meta *meta, uint32_t type) {
  const struct btf_type *t = type_of(meta, type);
  return type && btf_is_int(t) && t->size == 1;
}

/* What strangers sent may look like anything; so may what a block had in it when it was allocated.
 */
static bool is_opaque(const struct transfer *t, const struct block *b) {
  const struct site *site = &ARENA_SITE[b->site];
  return is_byte(t->plan->old, site->type) && plan_is_opaque(t->plan, site->function);
}

/* Where in the old object a byte of the new one came from, as it is; -1: from nowhere. */
static int64_t origin(const struct program *p, uint64_t at) {
  for (unsigned i = 0; i < p->op_count; i++) {
    const struct op *op = &p->ops[i];
    if (at < op->new_at) continue;
    uint64_t into = at - op->new_at;
    if (op->kind == OP_COPY && into < op->old_bytes) return (int64_t)(op->old_at + into);
    if (op->kind == OP_NUMBER && into < op->new_bytes) return op->old_at;
    if (op->kind != OP_REPEAT && op->kind != OP_TAIL) continue;
    const struct program *e = op->element;
    uint64_t index = e->new_bytes ? into / e->new_bytes : 0;
    if (e->new_bytes == 0 || (op->kind == OP_REPEAT && index >= op->new_count)) continue;
    int64_t inner = origin(e, into % e->new_bytes);
    return inner < 0 ? inner : op->old_at + (int64_t)(index * e->old_bytes) + inner;
  }
  return -1;
}

/* What made a variable of this version. */
static const struct program *program_of(const struct plan *plan, const struct st_variable *v) {
  for (uint32_t i = 0; i < plan->old->header->variables.count; i++)
    if (plan->variables[i].new == v) return plan->variables[i].program;
  return NULL;
}

/* Either version may say so: the old one of what is a plain number by now. */
static bool may_be_address(const struct scanned *s, uint64_t offset) {
  const struct plan *plan = s->t->plan;
  if (!s->type) return true;
  if (is_no_address(plan->new, s->type, offset)) return false;
  const struct program *p = s->variable ? program_of(plan, s->variable) : s->program;
  if (!p) return true;
  bool several = s->block && !transfer_plan_of(s->t, s->block)->flexible && p->new_bytes;
  int64_t from = origin(p, several ? offset % p->new_bytes : offset);
  return from < 0 || !is_no_address(plan->old, p->old_type, (uint64_t)from);
}

/* ---- old addresses ---- */

/* What the value addressed in the old version; "" when it is no old address. */
static const char *old_target(struct transfer *t, uint64_t value, char *out, size_t cap) {
  struct block b;
  char type[160] = "block";
  *out = 0;
  if (find_block(value, false, &b)) {
    const struct site *site = &ARENA_SITE[b.site];
    if (transfer_block(t, &b) == b.address) return out;
    if (site->type) type_text(t->plan->old, site->type, type, sizeof(type));
    snprintf(out, cap, "a `%s` (allocated at %s:%u)", type, site->file, site->line);
    return out;
  }
  const struct image *old = images_at(&t->old, value);
  if (!old || images_at(&st_process.images, value)) return out;
  const struct st_variable *v =
      old == &t->old.image[0] ? st_meta_variable_at(t->plan->old, value - old->base) : NULL;
  const struct st_function *f =
      old == &t->old.image[0] ? st_meta_function_at(t->plan->old, value - old->base) : NULL;
  if (v || f)
    snprintf(out, cap, "`%s`", st_meta_string(t->plan->old, v ? v->name : f->name));
  else
    snprintf(out, cap, "%s", *old->name ? old->name : "the executable");
  return out;
}

/* What would make a pointer of it. */
static const char *resolution(const struct scanned *s, uint64_t offset, uint32_t leaf, char *out,
                              size_t cap) {
  const struct st_meta *meta = s->t->plan->new;
  char said[160] = "";
  if (!leaf) return "name the type where it is allocated, or keep no address there";
  if (s->block && is_byte(meta, s->type)) {
    snprintf(out, cap,
             "if it is no address, but what somebody else sent or was there before, say so: "
             "ST_BLOCKS(%s, opaque)",
             ARENA_SITE[s->block->site].function);
    return out;
  }
  datum_annotation(meta, s->type, offset, "pointer_to(TYPE)", said, sizeof(said));
  if (!*said && s->variable)
    datum_variable_annotation(meta, s->variable, "pointer_to(TYPE)", said, 160);
  snprintf(out, cap, "give it a pointer type%s%s%s", *said ? ", or say what it is: " : "", said,
           *said ? ", or not_pointer" : "");
  return out;
}

static void found(struct scanned *s, uint64_t offset, const char *target) {
  const struct st_meta *meta = s->t->plan->new;
  char path[192] = "", type[160] = "memory without a type", where[512], from[128] = "", name[128];
  char advice[200];
  uint32_t leaf = 0;
  if (s->type) datum_path(meta, s->type, offset, path, sizeof(path), &leaf);
  if (leaf) type_text(meta, leaf, type, sizeof(type));
  if (!leaf) snprintf(path, sizeof(path), " + %llu", (unsigned long long)offset);
  if (++s->found > FOUND_MAX) return;
  const char *variable =
      s->variable ? plan_variable_text(meta, s->variable, name, sizeof(name)) : s->library;
  datum_name(s->t, variable, s->block, path, where, sizeof(where));
  if (s->block) {
    const struct site *site = &ARENA_SITE[s->block->site];
    snprintf(from, sizeof(from), "; allocated at %s:%u", site->file, site->line);
  }
  report_violation(s->t->report,
                   "`%s` (%s%s) still holds the old address of %s: it is not known as a pointer; "
                   "%s",
                   where, type, from, target, resolution(s, offset, leaf, advice, sizeof(advice)));
}

static void scan(struct scanned *s, const void *memory, size_t bytes) {
  char target[256];
  uintptr_t start = ((uintptr_t)memory + 7) & ~7ul, end = ((uintptr_t)memory + bytes) & ~7ul;
  for (uintptr_t at = start; at < end; at += 8) {
    uint64_t value = *(const uint64_t *)at;
    if (value < 0x10000 || value >= 0x800000000000ul) continue;
    uint64_t offset = at - (uintptr_t)memory;
    if (*old_target(s->t, value, target, sizeof(target)) && may_be_address(s, offset))
      found(s, offset, target);
  }
}

static int scan_block(const struct block *b, void *ctx) {
  struct scanned *s = ctx;
  const struct site_plan *sp = transfer_plan_of(s->t, b);
  struct block now;
  uintptr_t to = transfer_block(s->t, b);
  if (!find_block(to, true, &now) || is_opaque(s->t, b)) return 0;
  s->block = b;
  s->program = sp->typed ? sp->program : NULL;
  s->type = sp->typed ? sp->program->new_type : 0;
  scan(s, (const void *)now.address, now.bytes);
  return 0;
}

static void scan_variables(struct scanned *s) {
  const struct st_meta *meta = s->t->plan->new;
  s->block = NULL;
  for (uint32_t i = 0; i < meta->header->variables.count; i++) {
    const struct st_variable *v = &meta->variables[i];
    if (v->flags & ST_VAR_CONST) continue;
    s->variable = v;
    s->type = v->type;
    scan(s, (const void *)(st_image_base() + v->address), v->size);
  }
  s->variable = NULL;
}

static void scan_libraries(struct scanned *s) {
  const struct images *own = &st_process.images;
  s->block = NULL;
  s->type = 0;
  for (unsigned i = 1; i < own->count; i++)
    for (unsigned k = 0; k < own->image[i].segment_count; k++) {
      s->library = own->image[i].name;
      scan(s, (const void *)own->image[i].segments[k].address, own->image[i].segments[k].bytes);
    }
  s->library = NULL;
}

void relocate_scan(struct transfer *t) {
  struct scanned s = {.t = t};
  scan_variables(&s);
  scan_libraries(&s);
  arena_each(scan_block, &s);
  if (s.found > FOUND_MAX)
    report_violation(t->report, "and %u old addresses more", s.found - FOUND_MAX);
  relocate_report(t);
}
