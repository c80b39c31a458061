#include "decide.h"
#include "ctype.h"

#include <string.h>

static struct decision untyped(const char *reason) {
  return (struct decision){.verdict = VERDICT_UNTYPED, .reason = reason};
}

static struct decision typed(const struct ctype *type, bool flexible) {
  return (struct decision){.verdict = VERDICT_TYPED, .type = type, .flexible = flexible};
}

/* A function that returns what it was asked for in bytes: only its caller knows what that is. */
static bool hands_on(const struct source_call *call) {
  if (!call->returned || call->size.type.key || call->size.several) return false;
  if (!call->destination.key) return true;
  return call->size.parameter && (call->function_untyped || !key_is_bytes(call->destination.key));
}

static struct decision by_operand(const struct operand *size) {
  if (size->several) return untyped("its size is that of several types, or of one without a name");
  if (!size->type.key) return untyped("neither destination nor size name a type");
  if (size->added && !size->type.flexible)
    return untyped("its size is more than that of its type, which has no flexible array");
  return typed(&size->type, size->type.flexible);
}

static bool agree(const char *a, const char *b) {
  if (strcmp(a, b) == 0) return true;
  return key_is_number(a) && key_is_number(b) && strcmp(a + 1, b + 1) == 0;
}

static struct decision by_both(const struct source_call *call) {
  const struct operand *size = &call->size;
  const struct ctype *to = &call->destination;
  if (!size->type.key && !size->several) {
    /* A base class's pointer to what is as large as its derived one, a header before its text. */
    struct decision d = typed(to, to->flexible);
    d.unsized = !to->flexible && key_is_composite(to->key);
    return d;
  }
  if (!size->type.key || !agree(size->type.key, to->key))
    return untyped("its size is that of another type than its destination's");
  if (to->flexible) return typed(to, true);
  if (size->several) return untyped("its size is that of several types");
  if (size->added && !key_is_number(to->key))
    return untyped("its size is more than that of its type, which has no flexible array");
  return typed(to, false);
}

struct decision decide(const struct source_call *call, const struct allocator *allocator) {
  static const struct ctype text = {.key = "c1"};
  if (allocator->string) return typed(&text, false);
  if (hands_on(call)) return (struct decision){.verdict = VERDICT_WRAPPED};
  return call->destination.key ? by_both(call) : by_operand(&call->size);
}
