/* The calls in one source file that may allocate, as libclang sees them. */
#ifndef INSTRUMENT_SOURCE_H
#define INSTRUMENT_SOURCE_H

#include "array.h"
#include "operand.h"

#include <stdbool.h>

struct position {
  unsigned line, column;
};

/** A direct call of a function that returns a pointer, or of posix_memalign. */
struct source_call {
  char *file; /* presumed (#line), absolute */
  struct position position;
  /* Of the calls that it is an argument of: gcc gives it the position of one of them. */
  ARRAY(struct position) outer;
  char *callee;
  bool callee_static;
  char *function; /* that the call is in */
  bool function_static;
  struct ctype destination; /* what the result is made to point to; without a key: unknown */
  bool returned;            /* the function returns the result */
  bool function_untyped;    /* the function returns void * */
  /* What its arguments say about the size; those of libc's allocators that give the size only. */
  struct operand size;
};

/** A static of a function that can change. */
struct source_static {
  char *function, *name;
};

struct source {
  ARRAY(struct source_static) statics;
  ARRAY(struct source_call) calls;
};

/** True when a compiler may give a call this position; `file` is absolute. */
bool source_call_at(const struct source_call *call, const char *file, struct position position);

/** Parses a file.
 * @param directory     that the compiler ran in
 * @param arguments     of the compiler, its name excluded
 * @param error         receives the first error, to be freed, when NULL is returned
 * @return NULL when it does not parse without errors. */
struct source *source_read(const char *directory, const char *file, char *const *arguments,
                           unsigned count, char **error);
void source_free(struct source *source);

#endif
