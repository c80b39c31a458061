#include <inttypes.h>
#include <string.h>

#include "libst/fold.h"
#include "libst/handler_plan.h"
#include "libst/real.h"
#include "libst/transfer.h"
#include "libst/type.h"

static int64_t load(const unsigned char *from, uint32_t bytes, bool is_signed) {
  uint64_t v = 0;
  memcpy(&v, from, bytes < 8 ? bytes : 8);
  if (is_signed && bytes < 8) v = (uint64_t)((int64_t)(v << (64 - bytes * 8)) >> (64 - bytes * 8));
  return (int64_t)v;
}

static bool fits(int64_t value, bool was_signed, uint32_t bits, bool is_signed) {
  if (is_signed) {
    if (!was_signed && value < 0) return false; /* above INT64_MAX */
    return bits >= 64 || (value >= -(1ll << (bits - 1)) && value < 1ll << (bits - 1));
  }
  if (was_signed && value < 0) return false;
  return bits >= 64 || (uint64_t)value >> bits == 0;
}

static void refuse_range(struct transfer *t, const struct place *place, int64_t value,
                         bool was_signed, uint32_t bits, bool is_signed) {
  if (was_signed)
    transfer_refuse(t, place,
                    "is %" PRId64 ", which does not fit %s integer of %u bits; "
                    "keep the width, or convert it in a handler",
                    value, is_signed ? "a signed" : "an unsigned", bits);
  else
    transfer_refuse(t, place,
                    "is %" PRIu64 ", which does not fit %s integer of %u bits; "
                    "keep the width, or convert it in a handler",
                    (uint64_t)value, is_signed ? "a signed" : "an unsigned", bits);
}

/* More than 64 bits: integers that fit 64 keep their value, others only when nothing narrows. */
static void run_wide(struct transfer *t, const struct op *op, const unsigned char *old,
                     unsigned char *new, const struct place *place) {
  unsigned __int128 value = 0;
  memcpy(&value, old, op->old_bytes);
  unsigned up = 128 - op->old_bytes * 8;
  bool negative = op->old_signed && (__int128)(value << up) < 0;
  if (negative) value = (unsigned __int128)((__int128)(value << up) >> up);
  unsigned lost = op->new_signed ? op->new_bits - 1u : op->new_bits;
  bool same_sign = negative && op->new_signed;
  __int128 rest = lost >= 128 ? 0 : (__int128)value >> lost;
  if (lost < 128 && rest != (same_sign ? -1 : 0))
    transfer_refuse(t, place,
                    "is an integer of more than 64 bits, which does not fit one of %u; keep "
                    "the width, or convert it in a handler",
                    op->new_bits);
  else if (lost >= 128 && negative)
    transfer_refuse(t, place,
                    "is negative, which an unsigned integer cannot be; keep it signed, or "
                    "convert it in a handler");
  memcpy(new, &value, op->new_bytes);
}

static void run_number(struct transfer *t, const struct op *op, const unsigned char *old,
                       unsigned char *new, const struct place *place) {
  if (op->old_bytes > 8 || op->new_bytes > 8) {
    run_wide(t, op, old, new, place);
    return;
  }
  int64_t value = load(old, op->old_bytes, op->old_signed);
  if (!fits(value, op->old_signed, op->new_bits, op->new_signed))
    refuse_range(t, place, value, op->old_signed, op->new_bits, op->new_signed);
  else if (op->old_bytes == sizeof(value))
    integers_check(t, old, sizeof(value), place);
  memcpy(new, &value, op->new_bytes);
}

/* The enumerator of the new version that has this one's name. */
static int64_t map_value(struct transfer *t, const struct op *op, int64_t value,
                         const struct place *place) {
  for (uint32_t i = 0; i < op->map->count; i++) {
    const struct enum_value *e = &op->map->values[i];
    if (e->old_value != value) continue;
    if (e->fate == ENUM_GONE)
      transfer_refuse(t, place,
                      "is %" PRId64 ", an enumerator that the new version does not have; "
                      "keep it, or convert it in a handler",
                      value);
    if (e->fate == ENUM_PARTED)
      transfer_refuse(t, place,
                      "is %" PRId64 ", which has several names with different values now; "
                      "keep them equal, or convert it in a handler",
                      value);
    return e->new_value;
  }
  /* Zero is what memory starts as, also where no enumerator has it. */
  if (value != 0 || op->map->names_zero)
    transfer_refuse(t, place,
                    "is %" PRId64 ", which is no enumerator, and the enumerators change%s; "
                    "give the value a name, or convert it in a handler",
                    value, value == 0 ? ": 0 is one now" : "");
  return value;
}

static void run_enum(struct transfer *t, const struct op *op, const unsigned char *old,
                     unsigned char *new, const struct place *place) {
  int64_t value = map_value(t, op, load(old, op->old_bytes, op->old_signed), place);
  memcpy(new, &value, op->new_bytes);
}

static void run_bits(struct transfer *t, const struct op *op, const unsigned char *old,
                     unsigned char *new, const struct place *place) {
  uint64_t mask = op->old_bits < 64 ? (1ull << op->old_bits) - 1 : ~0ull;
  unsigned __int128 raw = 0;
  memcpy(&raw, old, (op->old_bit + op->old_bits + 7u) / 8);
  int64_t value = (int64_t)((uint64_t)(raw >> op->old_bit) & mask);
  if (op->old_signed && op->old_bits < 64)
    value = (int64_t)((uint64_t)value << (64 - op->old_bits)) >> (64 - op->old_bits);
  /* A mapped value is one of the new version's enumerators. */
  bool is_signed = op->map ? op->new_signed : op->old_signed;
  if (op->map) value = map_value(t, op, value, place);
  if (!fits(value, is_signed, op->new_bits, op->new_signed))
    refuse_range(t, place, value, is_signed, op->new_bits, op->new_signed);
  uint32_t new_bytes = (op->new_bit + op->new_bits + 7u) / 8;
  unsigned __int128 target = 0;
  mask = op->new_bits < 64 ? (1ull << op->new_bits) - 1 : ~0ull;
  memcpy(&target, new, new_bytes);
  target &= ~((unsigned __int128)mask << op->new_bit);
  target |= (unsigned __int128)((uint64_t)value & mask) << op->new_bit;
  memcpy(new, &target, new_bytes);
}

static void run_pointer(struct transfer *t, const struct op *op, const unsigned char *old,
                        unsigned char *new, const struct place *place) {
  uint64_t value, followed;
  memcpy(&value, old, sizeof(value));
  followed = pointer_follow(t, value, &op->pointed, place);
  if (old != new || followed != value) memcpy(new, &followed, sizeof(followed));
}

static void run_tagged(struct transfer *t, const struct op *op, const unsigned char *old,
                       unsigned char *new, const struct place *place) {
  uint64_t value, followed;
  memcpy(&value, old, sizeof(value));
  followed = pointer_follow(t, value & ~op->mask, &op->pointed, place);
  if (followed & op->mask)
    transfer_refuse(t, place,
                    "has its object at 0x%" PRIx64 " now, which has bits of the tag 0x%" PRIx64
                    "; let the tag be bits that no address has",
                    followed, op->mask);
  followed |= value & op->mask;
  if (old != new || followed != value) memcpy(new, &followed, sizeof(followed));
}

int64_t live_value(const struct live *live, const unsigned char *united) {
  if (!live->bits) return load(united + live->at, live->bytes, live->is_signed);
  unsigned __int128 raw = 0;
  memcpy(&raw, united + live->at, (live->bit + live->bits + 7u) / 8);
  uint64_t bits = (uint64_t)(raw >> live->bit) << (64 - live->bits);
  return live->is_signed ? (int64_t)bits >> (64 - live->bits)
                         : (int64_t)(bits >> (64 - live->bits));
}

const struct live_choice *live_choice(const struct live *live, const unsigned char *united) {
  int64_t value = live_value(live, united);
  for (uint32_t i = 0; i < live->count; i++)
    if (live->choices[i].value == value) return &live->choices[i];
  return live->otherwise;
}

static void run_live(struct transfer *t, const struct op *op, const unsigned char *old,
                     unsigned char *new, const struct place *place) {
  const struct live_choice *c = live_choice(op->live, old);
  if (!c)
    transfer_refuse(t, place,
                    "has a discriminator of %" PRId64 ", for which its annotation (live_by) has no "
                    "case; add one, or `default = nothing`",
                    live_value(op->live, old));
  else if (c->gone)
    transfer_refuse(t, place,
                    "has `%s` live, which its union does not have in both versions; keep that "
                    "member, or convert it in a handler",
                    c->gone);
  else if (c->program)
    program_run(t, c->program, old, new, c->program->old_bytes, place);
}

static void run_repeat(struct transfer *t, const struct program *element, const unsigned char *old,
                       unsigned char *new, size_t count, const struct place *place) {
  for (size_t i = 0; i < count; i++) {
    struct place at = {.up = place, .text = "", .index = (long)i};
    program_run(t, element, old + i * element->old_bytes, new + i * element->new_bytes,
                element->old_bytes, &at);
  }
}

/* Most members have a size that needs no call of memcpy(). */
static inline void copy(unsigned char *to, const unsigned char *from, size_t bytes) {
  if (bytes == 8)
    memcpy(to, from, 8);
  else if (bytes == 4)
    memcpy(to, from, 4);
  else
    memcpy(to, from, bytes);
}

static inline void run_op(struct transfer *t, const struct program *p, const struct op *op,
                          const unsigned char *old, unsigned char *new, size_t bytes,
                          const struct place *up) {
  struct place place = {.up = up, .text = op->path, .index = -1, .program = p, .op = op};
  old += op->old_at;
  new += op->new_at;
  switch ((enum op_kind)op->kind) {
  case OP_COPY:
    if (old != new) copy(new, old, op->old_bytes);
    return;
  case OP_INTEGER:
    integers_check(t, old, op->old_bytes, &place);
    if (old != new) copy(new, old, op->old_bytes);
    return;
  case OP_NUMBER:
    run_number(t, op, old, new, &place);
    return;
  case OP_ENUM:
    run_enum(t, op, old, new, &place);
    return;
  case OP_REAL:
    real_run(t, op, old, new, &place);
    return;
  case OP_BITS:
    if (old != new) run_bits(t, op, old, new, &place);
    return;
  case OP_POINTER:
    run_pointer(t, op, old, new, &place);
    return;
  case OP_WORDS:
    if (old != new) memcpy(new, old, op->old_bytes);
    union_follow(t, new, op->old_bytes, &place);
    return;
  case OP_REPEAT:
    run_repeat(t, op->element, old, new, op->old_count, &place);
    return;
  case OP_TAGGED:
    run_tagged(t, op, old, new, &place);
    return;
  case OP_HANDLER:
    handler_run(t, op->handler, old, new, &place);
    return;
  case OP_OWN:
    if (old == new) memset(new, 0, op->new_bytes);
    return;
  case OP_LIVE:
    run_live(t, op, old, new, &place);
    return;
  case OP_TAIL:
    if (bytes <= op->old_at || op->element->old_bytes == 0) return;
    if (op->element->changed || op->element->points || program_is_integer(op->element))
      run_repeat(t, op->element, old, new, (bytes - op->old_at) / op->element->old_bytes, &place);
    else if (old != new)
      memcpy(new, old, bytes - op->old_at);
    return;
  }
}

static bool is_zero(const unsigned char *p, size_t bytes) {
  for (size_t i = 0; i < bytes; i++)
    if (p[i]) return false;
  return true;
}

static void check_dropped(struct transfer *t, const struct program *p, const unsigned char *old,
                          const struct place *up) {
  for (unsigned i = 0; i < p->dropped_count; i++) {
    const struct dropped *d = &p->dropped[i];
    if (is_zero(old + d->at, d->bytes)) continue;
    struct place place = {.up = up, .text = d->path, .index = -1};
    char was[160], is[160];
    if (d->old_array)
      transfer_refuse(
          t, &place,
          "and what follows hold data, but the array changes from `%s` to `%s`; keep its length, "
          "or shorten it in a handler",
          type_text(programs_old(t->plan->programs), d->old_array, was, sizeof(was)),
          type_text(programs_target(t->plan->programs), d->new_array, is, sizeof(is)));
    else
      fold_note(t, &place, "held data, which is dropped");
  }
}

static const struct op *tail_of(const struct program *p) {
  const struct op *last = p->op_count > 0 ? &p->ops[p->op_count - 1] : NULL;
  return last && last->kind == OP_TAIL ? last : NULL;
}

size_t program_rest(const struct program *p, size_t bytes) {
  const struct op *tail = tail_of(p);
  size_t size = tail ? tail->element->old_bytes : 0;
  /* A struct's padding before its end is no element either. */
  if (size == 0 || bytes <= p->old_bytes || (bytes - p->old_bytes) % size == 0) return 0;
  return (bytes - tail->old_at) % size;
}

/* What lies behind the elements of a flexible array has no place in the new object. */
static void check_rest(struct transfer *t, const struct program *p, const unsigned char *old,
                       size_t bytes, const struct place *place) {
  size_t rest = program_rest(p, bytes);
  if (!p->changed || is_zero(old + bytes - rest, rest)) return;
  transfer_refuse(t, place,
                  "has %zu bytes behind the last whole element of its flexible array, which hold "
                  "data, and its type changes; allocate whole elements, or convert it in a handler",
                  rest);
}

void program_run(struct transfer *t, const struct program *p, const unsigned char *old,
                 unsigned char *new, size_t bytes, const struct place *place) {
  for (unsigned i = 0; i < p->op_count; i++)
    run_op(t, p, &p->ops[i], old, new, bytes, place);
  if (p->dropped_count) check_dropped(t, p, old, place);
  const struct op *tail = tail_of(p);
  if (tail) check_rest(t, p, old, bytes, place);
  if (p->changed && !tail && bytes > p->old_bytes &&
      !is_zero(old + p->old_bytes, bytes - p->old_bytes))
    transfer_refuse(t, place,
                    "held data in a flexible array, which the new version does not have; keep "
                    "it, or convert it in a handler");
}

size_t program_new_bytes(const struct program *p, size_t bytes) {
  const struct op *tail = tail_of(p);
  if (!tail) return p->new_bytes;
  size_t count = bytes > tail->old_at && tail->element->old_bytes
                     ? (bytes - tail->old_at) / tail->element->old_bytes
                     : 0;
  size_t need = tail->new_at + count * tail->element->new_bytes;
  return need > p->new_bytes ? need : p->new_bytes;
}

size_t program_old_bytes(const struct program *p, size_t bytes) {
  const struct op *tail = tail_of(p);
  if (!tail) return p->old_bytes;
  size_t count = bytes > tail->new_at && tail->element->new_bytes
                     ? (bytes - tail->new_at) / tail->element->new_bytes
                     : 0;
  size_t had = tail->old_at + count * tail->element->old_bytes;
  return had > p->old_bytes ? had : p->old_bytes;
}
