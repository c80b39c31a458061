/* State filters as trees: what the compiler makes and the evaluator walks. */
#ifndef LIBST_FILTER_TREE_H
#define LIBST_FILTER_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum filter_class {
  CLASS_INTEGER,
  CLASS_REAL,
  CLASS_POINTER, /* to an object of BTF type `id` */
  CLASS_OBJECT,  /* a place in memory that holds a BTF type `id`; not yet read */
};

struct filter_type {
  enum filter_class class;
  uint8_t bytes;    /* of an integer: 4 or 8, as computed with */
  bool is_unsigned; /* of an integer */
  uint32_t id;
};

enum filter_op {
  /* places: their value is an address */
  OP_VARIABLE, /* address */
  OP_TARGET,   /* of pointer a */
  OP_MEMBER,   /* of place a: bit_offset, bits */
  OP_ELEMENT,  /* of place a (an array) at index b: stride, count */
  /* values */
  OP_CONSTANT,
  OP_LOAD,    /* what is at place a */
  OP_ADDRESS, /* of place a */
  OP_CONVERT, /* a, to the node's type */
  OP_NOT,
  OP_COMPLEMENT,
  OP_NEGATE,
  OP_MULTIPLY,
  OP_DIVIDE,
  OP_REMAINDER,
  OP_ADD,
  OP_SUBTRACT,
  OP_MOVE,     /* pointer a by b elements of `stride` bytes */
  OP_DISTANCE, /* between pointers a and b, in elements of `stride` bytes */
  OP_SHIFT_LEFT,
  OP_SHIFT_RIGHT,
  OP_LESS,
  OP_LESS_EQUAL,
  OP_EQUAL,
  OP_AND_BITS,
  OP_XOR_BITS,
  OP_OR_BITS,
  OP_AND,
  OP_OR,
  OP_CHOOSE, /* a ? b : c */
  OP_OLD,    /* a, in the memory of the old version */
};

typedef uint16_t filter_index;

struct filter_node {
  enum filter_op op;
  struct filter_type type;
  filter_index a, b, c;
  uint16_t text_at, text_bytes; /* of an operand: where it is in the text; 0 bytes: not known */
  uint32_t bit_offset;          /* of a member, from its struct */
  uint8_t bits;                 /* width of a bit-field; 0: none */
  uint8_t load_bytes;           /* width in memory */
  bool load_unsigned, load_real;
  uint64_t stride; /* bytes of an element or target */
  uint64_t count;  /* elements; 0: unknown */
  union {
    int64_t value;
    double real;
    uint64_t address;
  };
};

struct filter_tree {
  struct filter_node *nodes;
  size_t count, capacity;
  filter_index root;
};

struct st_meta;

/** Compiles `text` into `tree`, whose nodes the caller frees, also on failure.
 * @param old  what old(...) is about; NULL: it is not allowed
 * @return 0, or -EINVAL with one line in `error`; -ENOMEM */
int filter_parse(struct filter_tree *tree, const struct st_meta *meta, const struct st_meta *old,
                 const char *text, char *error, size_t error_cap);

/** Memory that an expression is about. */
struct filter_memory {
  uintptr_t base; /* of the image */
  /* Where `bytes` at an address of the program can be read, or NULL: they are no state. */
  const void *(*at)(void *ctx, uintptr_t address, size_t bytes);
  void *ctx;
};

/** Evaluates in this process. @return 1, 0, -EFAULT or -EDOM */
int filter_evaluate(const struct filter_tree *tree);
/** Evaluates in other memory. @param old  for old(...); may be NULL when there is none */
int filter_evaluate_in(const struct filter_tree *tree, const struct filter_memory *memory,
                       const struct filter_memory *old);
/** The memory of this process. */
const struct filter_memory *filter_own_memory(void);
/** Why the expression is false: the operands of the comparison that decided it, with their values.
 * @return `out`: "n is 3, old(n) is 4" */
const char *filter_explain(const struct filter_tree *tree, const char *text,
                           const struct filter_memory *memory, const struct filter_memory *old,
                           char *out, size_t cap);

#endif
