/* Growable arrays, and how this tool reports. */
#ifndef INSTRUMENT_ARRAY_H
#define INSTRUMENT_ARRAY_H

#include <stddef.h>
#include <stdlib.h>

#define ARRAY(T)                                                                                   \
  struct {                                                                                         \
    T *items;                                                                                      \
    size_t count, capacity;                                                                        \
  }

/** Adds one zeroed element to an ARRAY and gives its address, valid until the next one is added. */
#define array_add(a)                                                                               \
  ((a)->items = array_grow((a)->items, (a)->count, &(a)->capacity, sizeof *(a)->items),            \
   &(a)->items[(a)->count++])

/** Sorts an ARRAY. */
#define array_sort(a, order)                                                                       \
  do {                                                                                             \
    if ((a)->count) qsort((a)->items, (a)->count, sizeof *(a)->items, order);                      \
  } while (0)

/** Makes room for one element after `count`, zeroed; ends the program when memory is short. */
void *array_grow(void *items, size_t count, size_t *capacity, size_t bytes);

/** Copy of a string; ends the program when memory is short. */
char *text_copy(const char *text);

/** Copy of the part of a string before `end`. */
char *text_copy_part(const char *text, const char *end);

/** Prints "st-instrument: ..." and ends the program with status 1. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/** Prints "st-instrument: warning: ...", unless warnings are off. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** Warnings are not printed from now on. */
void warn_never(void);
/** The warnings so far, printed or not; valid until the next one. */
const char *const *warnings(size_t *count);

#endif
