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

/* May a term of the size be elements of the flexible array? Whatever is added to bytes may. */
static bool is_of_tail(const struct addend *a, const struct ctype *type) {
  if (type->tail_bytes == 1) return true;
  if (!a->sized || a->several) return false;
  if (!type->tail || !a->key) return !type->tail && !a->key && a->bytes == type->tail_bytes;
  return key_agrees(a->key, type->tail) || (a->key[0] == '*' && type->tail[0] == '*');
}

/* A struct with a flexible array: alone it is one of an array of them. */
static struct decision flexible(const struct ctype *type, const struct operand *size) {
  bool own = false;
  for (size_t i = 0; i < size->addends.count; i++) {
    const struct addend *a = &size->addends.items[i];
    if (!own && a->sized && !a->several && a->key && strcmp(a->key, type->key) == 0)
      own = true;
    else if (!is_of_tail(a, type))
      return untyped("its size is not that of its type and of elements of the flexible array");
  }
  return typed(type, size->addends.count > 0);
}

static struct decision by_operand(const struct operand *size) {
  if (size->several) return untyped("its size is that of several types, or of one without a name");
  if (!size->type.key) return untyped("neither destination nor size name a type");
  if (size->type.flexible) return flexible(&size->type, size);
  if (size->added)
    return untyped("its size is more than that of its type, which has no flexible array");
  return typed(&size->type, false);
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
  if (!size->type.key || !key_agrees(size->type.key, to->key))
    return untyped("its size is that of another type than its destination's");
  if (to->flexible && (size->addends.count > 0 || !size->several)) return flexible(to, size);
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
