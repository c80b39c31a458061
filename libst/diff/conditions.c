#include "conditions.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *text(const char *format, ...) {
  va_list args;
  char *out;
  va_start(args, format);
  int r = vasprintf(&out, format, args);
  va_end(args);
  if (r < 0) abort();
  return out;
}

/* Takes over `must`. */
static struct condition *add(struct conditions *c, const char *prefix, const char *path,
                             char *must) {
  if (c->count % 8 == 0) {
    c->items = realloc(c->items, (c->count + 8) * sizeof(*c->items));
    if (!c->items) abort();
  }
  struct condition *added = &c->items[c->count++];
  *added = (struct condition){text("%s%s", prefix, path), must, true};
  return added;
}

/* As in the transfer: what an array loses is refused, what a struct loses is reported. */
static void add_dropped(struct conditions *c, const char *prefix, const struct dropped *d) {
  size_t length = strlen(d->path);
  bool element = length && d->path[length - 1] == ']';
  add(c, prefix, d->path, text("hold no data%s", element ? ", nor what follows" : ""))->refused =
      element;
}

static bool always_fits(const struct op *op, unsigned old_bits, unsigned new_bits) {
  if (op->old_signed == op->new_signed) return new_bits >= old_bits;
  return !op->old_signed && new_bits > old_bits;
}

static void add_range(struct conditions *c, const char *prefix, const struct op *op,
                      unsigned old_bits, unsigned new_bits) {
  if (always_fits(op, old_bits, new_bits)) return;
  add(c, prefix, op->path,
      text("fit %s integer of %u bits", op->new_signed ? "a signed" : "an unsigned", new_bits));
}

static void add_enumerators(struct conditions *c, const char *prefix, const struct op *op) {
  if (op->map) add(c, prefix, op->path, text("be 0 or an enumerator, as the enumerators change"));
  for (uint32_t i = 0; op->map && i < op->map->count; i++) {
    const struct enum_value *v = &op->map->values[i];
    if (v->fate != ENUM_FOUND)
      add(c, prefix, op->path,
          text("not be %lld, %s", (long long)v->old_value,
               v->fate == ENUM_GONE ? "an enumerator that the new version does not have"
                                    : "which has several names, and they part"));
  }
}

static void collect(struct conditions *c, const struct program *p, const char *prefix);

/* Each holds of a union whose discriminator chooses that member. */
static void collect_live(struct conditions *c, const struct op *op, const char *prefix) {
  char *inner = text("%s%s", prefix, op->path);
  for (uint32_t i = 0; i < op->live->count; i++) {
    const struct live_choice *choice = &op->live->choices[i];
    if (choice->program) collect(c, choice->program, inner);
    if (choice->gone)
      add(c, prefix, op->path,
          text("not have `%s` live, which the new version does not have", choice->gone));
  }
  free(inner);
}

static void collect(struct conditions *c, const struct program *p, const char *prefix) {
  for (unsigned i = 0; i < p->dropped_count; i++)
    add_dropped(c, prefix, &p->dropped[i]);
  for (unsigned i = 0; i < p->op_count; i++) {
    const struct op *op = &p->ops[i];
    if (op->kind == OP_NUMBER) add_range(c, prefix, op, op->old_bytes * 8, op->new_bits);
    if (op->kind == OP_BITS) add_range(c, prefix, op, op->old_bits, op->new_bits);
    if (op->kind == OP_REAL && (!op->new_real || op->new_bytes < op->old_bytes || !op->old_real))
      add(c, prefix, op->path, text("be a number that the new type holds exactly"));
    if (op->kind == OP_ENUM || op->kind == OP_BITS) add_enumerators(c, prefix, op);
    if (op->kind == OP_LIVE) collect_live(c, op, prefix);
    if (op->kind == OP_REPEAT || op->kind == OP_TAIL) {
      char *inner = text("%s%s[]", prefix, op->path);
      collect(c, op->element, inner);
      free(inner);
    }
  }
}

struct conditions conditions_of(const struct program *program) {
  struct conditions c = {0};
  if (program && !program->refusal) collect(&c, program, "");
  return c;
}

void conditions_free(struct conditions *c) {
  for (size_t i = 0; i < c->count; i++) {
    free(c->items[i].path);
    free(c->items[i].must);
  }
  free(c->items);
}

size_t pointers_in(const struct program *p) {
  size_t count = 0;
  for (unsigned i = 0; i < p->op_count; i++) {
    const struct op *op = &p->ops[i];
    if (op->kind == OP_POINTER) count++;
    if (op->kind == OP_REPEAT) count += op->old_count * pointers_in(op->element);
  }
  return count;
}
