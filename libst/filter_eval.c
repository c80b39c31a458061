/* The evaluator of state filters. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "libst/filter_tree.h"
#include "libst/st.h"

struct evaluation {
  const struct filter_node *nodes;
  filter_index root;
  const struct filter_memory *memory, *old;
  int status; /* the first failure */
};

/* An integer is kept as its type has it, extended to 64 bits; a pointer and the address of a place
 * as an integer. */
union value {
  int64_t integer;
  uint64_t bits;
  double real;
};

static union value evaluate(struct evaluation *e, filter_index index);

static union value fault(struct evaluation *e, int error) {
  if (!e->status) e->status = error;
  return (union value){0};
}

/* What a computation in 64 bits leaves in the type. */
static union value wrapped(const struct filter_type *type, uint64_t bits) {
  if (type->class == CLASS_INTEGER && type->bytes == 4)
    return (union value){.integer =
                             type->is_unsigned ? (int64_t)(uint32_t)bits : (int64_t)(int32_t)bits};
  return (union value){.bits = bits};
}

static bool is_true(struct evaluation *e, filter_index index) {
  union value v = evaluate(e, index);
  return e->nodes[index].type.class == CLASS_REAL ? v.real != 0 : v.bits != 0;
}

/* ---- memory ---- */

static union value load_real(const void *from, unsigned bytes) {
  float narrow;
  double real;
  long double wide;
  switch (bytes) {
  case sizeof narrow:
    memcpy(&narrow, from, sizeof narrow);
    return (union value){.real = narrow};
  case sizeof real:
    memcpy(&real, from, sizeof real);
    return (union value){.real = real};
  default:
    memcpy(&wide, from, sizeof wide);
    return (union value){.real = wide};
  }
}

static int64_t extended(uint64_t bits, unsigned width, bool is_unsigned) {
  if (width == 64) return bits;
  uint64_t kept = bits & ((UINT64_C(1) << width) - 1);
  bool negative = !is_unsigned && kept >> (width - 1);
  return negative ? (int64_t)(kept | ~UINT64_C(0) << width) : (int64_t)kept;
}

static union value load(struct evaluation *e, const struct filter_node *n) {
  const struct filter_node *place = &e->nodes[n->a];
  uint64_t at = evaluate(e, n->a).bits;
  unsigned shift = n->bits ? place->bit_offset % 8 : 0;
  unsigned bytes = n->bits ? (shift + n->bits + 7) / 8 : n->load_bytes;
  if (e->status) return (union value){0};
  const unsigned char *from = e->memory->at(e->memory->ctx, at, bytes);
  if (!from) return fault(e, -EFAULT);
  if (n->load_real) return load_real(from, bytes);
  uint64_t bits = 0;
  for (unsigned i = 0; i < bytes && i < 8; i++)
    bits |= (uint64_t)from[i] << 8 * i;
  bits >>= shift;
  if (bytes == 9) bits |= (uint64_t)from[8] << (64 - shift);
  unsigned width = n->bits ? n->bits : 8 * bytes;
  return (union value){.integer = extended(bits, width, n->load_unsigned)};
}

static union value element(struct evaluation *e, const struct filter_node *n) {
  uint64_t at = evaluate(e, n->a).bits;
  int64_t index = evaluate(e, n->b).integer;
  if (n->count && (index < 0 || (uint64_t)index >= n->count)) return fault(e, -EFAULT);
  return (union value){.bits = at + (uint64_t)index * n->stride};
}

static union value target(struct evaluation *e, const struct filter_node *n) {
  union value pointer = evaluate(e, n->a);
  if (e->status) return pointer;
  if (!e->memory->at(e->memory->ctx, pointer.bits, n->stride ? n->stride : 1))
    return fault(e, -EFAULT);
  return pointer;
}

/* ---- arithmetic ---- */

static union value divided(struct evaluation *e, const struct filter_node *n, union value a,
                           union value b) {
  bool remainder = n->op == OP_REMAINDER;
  if (b.bits == 0) return fault(e, -EDOM);
  if (n->type.is_unsigned) return wrapped(&n->type, remainder ? a.bits % b.bits : a.bits / b.bits);
  if (b.integer == -1) return wrapped(&n->type, remainder ? 0 : -a.bits); /* would trap */
  return wrapped(&n->type, remainder ? a.integer % b.integer : a.integer / b.integer);
}

/* Shifts by more than the width, which C leaves undefined, shift everything out. */
static union value shifted(const struct filter_node *n, union value a, union value b) {
  unsigned width = 8 * n->type.bytes;
  bool out = b.bits >= width;
  if (n->op == OP_SHIFT_LEFT) return wrapped(&n->type, out ? 0 : a.bits << b.bits);
  if (n->type.is_unsigned) return wrapped(&n->type, out ? 0 : a.bits >> b.bits);
  return wrapped(&n->type, a.integer >> (out ? width - 1 : b.bits));
}

static union value integer_operation(struct evaluation *e, const struct filter_node *n,
                                     union value a, union value b) {
  bool is_unsigned = e->nodes[n->a].type.is_unsigned || e->nodes[n->a].type.class == CLASS_POINTER;
  switch (n->op) {
  case OP_MULTIPLY:
    return wrapped(&n->type, a.bits * b.bits);
  case OP_DIVIDE:
  case OP_REMAINDER:
    return divided(e, n, a, b);
  case OP_ADD:
    return wrapped(&n->type, a.bits + b.bits);
  case OP_SUBTRACT:
    return wrapped(&n->type, a.bits - b.bits);
  case OP_SHIFT_LEFT:
  case OP_SHIFT_RIGHT:
    return shifted(n, a, b);
  case OP_LESS:
    return (union value){.integer = is_unsigned ? a.bits < b.bits : a.integer < b.integer};
  case OP_LESS_EQUAL:
    return (union value){.integer = is_unsigned ? a.bits <= b.bits : a.integer <= b.integer};
  case OP_EQUAL:
    return (union value){.integer = a.bits == b.bits};
  case OP_AND_BITS:
    return wrapped(&n->type, a.bits & b.bits);
  case OP_XOR_BITS:
    return wrapped(&n->type, a.bits ^ b.bits);
  default:
    return wrapped(&n->type, a.bits | b.bits);
  }
}

static union value real_operation(const struct filter_node *n, double a, double b) {
  switch (n->op) {
  case OP_MULTIPLY:
    return (union value){.real = a * b};
  case OP_DIVIDE:
    return (union value){.real = a / b};
  case OP_ADD:
    return (union value){.real = a + b};
  case OP_SUBTRACT:
    return (union value){.real = a - b};
  case OP_LESS:
    return (union value){.integer = a < b};
  case OP_LESS_EQUAL:
    return (union value){.integer = a <= b};
  default:
    return (union value){.integer = a == b};
  }
}

static union value binary(struct evaluation *e, const struct filter_node *n) {
  union value a = evaluate(e, n->a), b = evaluate(e, n->b);
  if (e->status) return (union value){0};
  return e->nodes[n->a].type.class == CLASS_REAL ? real_operation(n, a.real, b.real)
                                                 : integer_operation(e, n, a, b);
}

static union value convert(struct evaluation *e, const struct filter_node *n) {
  const struct filter_type *from = &e->nodes[n->a].type;
  union value v = evaluate(e, n->a);
  if (n->type.class != CLASS_REAL) return wrapped(&n->type, v.bits);
  if (from->class == CLASS_REAL) return v;
  return (union value){.real = from->is_unsigned ? (double)v.bits : (double)v.integer};
}

static union value negate(struct evaluation *e, const struct filter_node *n) {
  union value v = evaluate(e, n->a);
  if (n->type.class == CLASS_REAL) return (union value){.real = -v.real};
  return wrapped(&n->type, -v.bits);
}

static union value distance(struct evaluation *e, const struct filter_node *n) {
  int64_t bytes = (int64_t)(evaluate(e, n->a).bits - evaluate(e, n->b).bits);
  return (union value){.integer = bytes / (int64_t)n->stride};
}

static union value in_old(struct evaluation *e, const struct filter_node *n) {
  const struct filter_memory *memory = e->memory;
  if (!e->old) return fault(e, -EFAULT);
  e->memory = e->old;
  union value v = evaluate(e, n->a);
  e->memory = memory;
  return v;
}

static union value evaluate(struct evaluation *e, filter_index index) {
  const struct filter_node *n = &e->nodes[index];
  if (e->status) return (union value){0};
  switch (n->op) {
  case OP_VARIABLE:
    return (union value){.bits = e->memory->base + n->address};
  case OP_TARGET:
    return target(e, n);
  case OP_MEMBER:
    return (union value){.bits = evaluate(e, n->a).bits + n->bit_offset / 8};
  case OP_ELEMENT:
    return element(e, n);
  case OP_CONSTANT:
    return n->type.class == CLASS_REAL ? (union value){.real = n->real}
                                       : (union value){.integer = n->value};
  case OP_LOAD:
    return load(e, n);
  case OP_ADDRESS:
    return evaluate(e, n->a);
  case OP_CONVERT:
    return convert(e, n);
  case OP_NOT:
    return (union value){.integer = !is_true(e, n->a)};
  case OP_COMPLEMENT:
    return wrapped(&n->type, ~evaluate(e, n->a).bits);
  case OP_NEGATE:
    return negate(e, n);
  case OP_MOVE:
    return (union value){.bits = evaluate(e, n->a).bits + evaluate(e, n->b).bits * n->stride};
  case OP_DISTANCE:
    return distance(e, n);
  case OP_AND:
    return (union value){.integer = is_true(e, n->a) && is_true(e, n->b)};
  case OP_OR:
    return (union value){.integer = is_true(e, n->a) || is_true(e, n->b)};
  case OP_CHOOSE:
    return evaluate(e, is_true(e, n->a) ? n->b : n->c);
  case OP_OLD:
    return in_old(e, n);
  case OP_MULTIPLY:
  case OP_DIVIDE:
  case OP_REMAINDER:
  case OP_ADD:
  case OP_SUBTRACT:
  case OP_SHIFT_LEFT:
  case OP_SHIFT_RIGHT:
  case OP_LESS:
  case OP_LESS_EQUAL:
  case OP_EQUAL:
  case OP_AND_BITS:
  case OP_XOR_BITS:
  case OP_OR_BITS:
    return binary(e, n);
  }
  return (union value){0};
}

/* ---- what it is about ---- */

static const void *own_at(void *ctx, uintptr_t address, size_t bytes) {
  (void)ctx;
  return st_addressable((const void *)address, bytes) ? (const void *)address : NULL;
}

const struct filter_memory *filter_own_memory(void) {
  static struct filter_memory own = {.at = own_at};
  own.base = st_image_base();
  return &own;
}

int filter_evaluate_in(const struct filter_tree *tree, const struct filter_memory *memory,
                       const struct filter_memory *old) {
  struct evaluation e = {.nodes = tree->nodes, .memory = memory, .old = old};
  bool holds = is_true(&e, tree->root);
  return e.status ? e.status : holds;
}

int filter_evaluate(const struct filter_tree *tree) {
  return filter_evaluate_in(tree, filter_own_memory(), NULL);
}

/* ---- why it is false ---- */

static bool truth(struct evaluation *e, filter_index index) {
  e->status = 0;
  return is_true(e, index) && !e->status;
}

/* The part that makes the whole false: of a conjunction the first that is. */
static filter_index decisive(struct evaluation *e) {
  filter_index at = e->root;
  while (e->nodes[at].op == OP_AND)
    at = truth(e, e->nodes[at].a) ? e->nodes[at].b : e->nodes[at].a;
  return e->nodes[at].op == OP_NOT ? e->nodes[at].a : at;
}

/* An operand as it is in the text. */
static filter_index written(const struct evaluation *e, filter_index index) {
  while (e->nodes[index].op == OP_CONVERT)
    index = e->nodes[index].a;
  return index;
}

static size_t print_value(struct evaluation *e, filter_index index, const char *text, char *out,
                          size_t cap) {
  const struct filter_node *n = &e->nodes[index];
  if (n->op == OP_CONSTANT || n->text_bytes == 0) return 0;
  e->status = 0;
  union value v = evaluate(e, index);
  char value[64];
  if (e->status)
    snprintf(value, sizeof(value), "%s", e->status == -EDOM ? "divided by zero" : "out of reach");
  else if (n->type.class == CLASS_REAL)
    snprintf(value, sizeof(value), "%.17g", v.real);
  else if (n->type.class == CLASS_POINTER)
    snprintf(value, sizeof(value), "0x%" PRIx64, v.bits);
  else if (n->type.is_unsigned)
    snprintf(value, sizeof(value), "%" PRIu64, v.bits);
  else
    snprintf(value, sizeof(value), "%" PRId64, v.integer);
  int length = snprintf(out, cap, "%.*s is %s", n->text_bytes, text + n->text_at, value);
  return length < 0 ? 0 : (size_t)length < cap ? (size_t)length : cap - 1;
}

static bool compares(enum filter_op op) {
  return op == OP_LESS || op == OP_LESS_EQUAL || op == OP_EQUAL;
}

const char *filter_explain(const struct filter_tree *tree, const char *text,
                           const struct filter_memory *memory, const struct filter_memory *old,
                           char *out, size_t cap) {
  struct evaluation e = {.nodes = tree->nodes, .root = tree->root, .memory = memory, .old = old};
  filter_index at = decisive(&e);
  const struct filter_node *n = &e.nodes[at];
  *out = 0;
  if (!compares(n->op)) {
    print_value(&e, at, text, out, cap);
    return out;
  }
  filter_index first = written(&e, n->a), second = written(&e, n->b);
  if (e.nodes[first].text_at > e.nodes[second].text_at) {
    filter_index swapped = first;
    first = second;
    second = swapped;
  }
  size_t used = print_value(&e, first, text, out, cap);
  if (cap - used < 3) return out;
  if (used) memcpy(out + used, ", ", 3);
  size_t more = print_value(&e, second, text, out + used + (used ? 2 : 0), cap - used - 2);
  if (!more) out[used] = 0;
  return out;
}
