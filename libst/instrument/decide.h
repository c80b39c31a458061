/* What an allocation call makes. */
#ifndef INSTRUMENT_DECIDE_H
#define INSTRUMENT_DECIDE_H

#include "allocators.h"
#include "source.h"

enum verdict {
  VERDICT_TYPED,   /* `type` */
  VERDICT_UNTYPED, /* for `reason` */
  VERDICT_WRAPPED, /* the function hands the block to its caller, which decides */
};

struct decision {
  enum verdict verdict;
  const struct ctype *type;
  bool flexible; /* one object that ends in a flexible array */
  bool unsized;  /* only the destination says so: what is larger may be something else */
  const char *reason;
};

/** Decides by the destination's type and the sizeof operand; they must agree.
 * @param allocator  what is called */
struct decision decide(const struct source_call *call, const struct allocator *allocator);

#endif
