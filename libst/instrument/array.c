#include "array.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void *array_grow(void *items, size_t count, size_t *capacity, size_t bytes) {
  if (count == *capacity) {
    *capacity = *capacity ? *capacity * 2 : 16;
    items = realloc(items, *capacity * bytes);
    if (!items) fail("out of memory");
  }
  memset((char *)items + count * bytes, 0, bytes);
  return items;
}

char *text_copy(const char *text) {
  char *copy = strdup(text);
  if (!copy) fail("out of memory");
  return copy;
}

char *text_copy_part(const char *text, const char *end) {
  char *copy = strndup(text, end - text);
  if (!copy) fail("out of memory");
  return copy;
}

void fail(const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("st-instrument: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  exit(1);
}

static bool silent;
static ARRAY(const char *) given;

void warn_never(void) {
  silent = true;
}

void warn(const char *format, ...) {
  va_list args;
  char *text;
  va_start(args, format);
  if (vasprintf(&text, format, args) < 0) fail("out of memory");
  va_end(args);
  *array_add(&given) = text;
  if (!silent) fprintf(stderr, "st-instrument: warning: %s\n", text);
}

const char *const *warnings(size_t *count) {
  *count = given.count;
  return given.items;
}
