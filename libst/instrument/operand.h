/* What the size that is passed to an allocator says about the type. */
#ifndef INSTRUMENT_OPERAND_H
#define INSTRUMENT_OPERAND_H

#include "array.h"
#include "ctype.h"

#include <clang-c/Index.h>
#include <stdbool.h>

/** One term of a sum. */
struct addend {
  bool sized;      /* it has a sizeof */
  bool several;    /* of different types */
  char *key;       /* of the type, as in struct ctype */
  long long bytes; /* of the type */
};

struct operand {
  struct ctype type;            /* whose sizeof is taken; without a key when there is none */
  bool several;                 /* sizeof of different types, or of one that has no name */
  bool added;                   /* something is added to it: sizeof(struct s) + n */
  bool parameter;               /* a parameter of the enclosing function takes part */
  ARRAY(struct addend) addends; /* of a sum in which there is a sizeof */
};

/** Adds what the expression `size` says to `operand`. */
void operand_read(struct operand *operand, CXTranslationUnit unit, CXCursor size);
void operand_clear(struct operand *operand);

#endif
