/* What the size that is passed to an allocator says about the type. */
#ifndef INSTRUMENT_OPERAND_H
#define INSTRUMENT_OPERAND_H

#include "ctype.h"

#include <clang-c/Index.h>
#include <stdbool.h>

struct operand {
  struct ctype type; /* whose sizeof is taken; without a key when there is none */
  bool several;      /* sizeof of different types, or of one that has no name */
  bool added;        /* something is added to it: sizeof(struct s) + n */
  bool parameter;    /* a parameter of the enclosing function takes part */
};

/** Adds what the expression `size` says to `operand`. */
void operand_read(struct operand *operand, CXTranslationUnit unit, CXCursor size);

#endif
