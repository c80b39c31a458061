/* Floating point. A long double of x86-64 holds every float, double and integer of 64 bits exactly,
 * so that it is what all of them are compared as. */
#include "libst/real.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long double load_real(const unsigned char *from, uint32_t bytes) {
  float f;
  double d;
  long double l = 0;
  if (bytes == sizeof(f)) return memcpy(&f, from, sizeof(f)), f;
  if (bytes == sizeof(d)) return memcpy(&d, from, sizeof(d)), d;
  memcpy(&l, from, sizeof(l));
  return l;
}

/* @return what is read back */
static long double store_real(unsigned char *to, uint32_t bytes, long double value) {
  float f = (float)value;
  double d = (double)value;
  if (bytes == sizeof(f))
    memcpy(to, &f, sizeof(f));
  else if (bytes == sizeof(d))
    memcpy(to, &d, sizeof(d));
  else
    memcpy(to, &value, sizeof(value));
  return load_real(to, bytes);
}

/* With as many digits as tell it from others of its type. */
static const char *real_text(long double value, uint32_t bytes, char *out, size_t cap) {
  for (int digits = 6; digits <= 21; digits++) {
    snprintf(out, cap, "%.*Lg", digits, value);
    long double same = bytes == sizeof(float)    ? strtof(out, NULL)
                       : bytes == sizeof(double) ? strtod(out, NULL)
                                                 : strtold(out, NULL);
    if (same == value) break;
  }
  return out;
}

static void to_real(struct transfer *t, const struct op *op, long double value, unsigned char *new,
                    const struct place *place) {
  static const char *const names[] = {"float", "double", "long double"};
  char text[64];
  long double now = store_real(new, op->new_bytes, value);
  if (now == value || (now != now && value != value)) return;
  transfer_refuse(t, place,
                  "is %s, which a `%s` cannot be; keep the type, or convert it in a handler",
                  real_text(value, op->old_real ? op->old_bytes : 16, text, sizeof(text)),
                  names[op->new_bytes / 8]);
}

static void to_integer(struct transfer *t, const struct op *op, long double value,
                       unsigned char *new, const struct place *place) {
  char text[64];
  unsigned bits = op->new_bits > 64 ? 64 : op->new_bits;
  long double limit = 1;
  for (unsigned i = op->new_signed; i < bits; i++)
    limit *= 2;
  bool inside = value < limit && value >= (op->new_signed ? -limit : 0);
  uint64_t integer = !inside ? 0 : value < 0 ? (uint64_t)(int64_t)value : (uint64_t)value;
  long double back = op->new_signed ? (long double)(int64_t)integer : (long double)integer;
  unsigned char sign = op->new_signed && (int64_t)integer < 0 ? 0xff : 0;
  memset(new, sign, op->new_bytes);
  memcpy(new, &integer, op->new_bytes < 8 ? op->new_bytes : 8);
  if (!inside || back != value)
    transfer_refuse(t, place,
                    "is %s, which does not fit %s integer of %u bits; keep the type, or convert it "
                    "in a handler",
                    real_text(value, op->old_real ? op->old_bytes : 16, text, sizeof(text)),
                    op->new_signed ? "a signed" : "an unsigned", op->new_bits);
}

void real_run(struct transfer *t, const struct op *op, const unsigned char *old, unsigned char *new,
              const struct place *place) {
  if (op->old_real) {
    long double value = load_real(old, op->old_bytes);
    if (op->new_real)
      to_real(t, op, value, new, place);
    else
      to_integer(t, op, value, new, place);
    return;
  }
  if (op->old_bytes > 8) {
    transfer_refuse(
        t, place,
        "is an integer of more than 64 bits that becomes floating point; keep the type, "
        "or convert it in a handler");
    return;
  }
  uint64_t integer = 0;
  unsigned up = 64 - op->old_bytes * 8;
  memcpy(&integer, old, op->old_bytes);
  long double value =
      op->old_signed ? (long double)((int64_t)(integer << up) >> up) : (long double)integer;
  to_real(t, op, value, new, place);
}
