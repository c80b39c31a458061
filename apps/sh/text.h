/* Text that grows. */
#ifndef SH_TEXT_H
#define SH_TEXT_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct text {
  char *data; /* NUL-terminated once something was added */
  size_t used, room;
};

static inline void text_reserve(struct text *t, size_t bytes) {
  if (t->used + bytes + 1 <= t->room) return;
  t->room = (t->used + bytes + 1) * 2;
  t->data = realloc(t->data, t->room);
  if (!t->data) abort();
}

static inline void text_add(struct text *t, const char *data, size_t bytes) {
  text_reserve(t, bytes);
  memcpy(t->data + t->used, data, bytes);
  t->used += bytes;
  t->data[t->used] = 0;
}

static inline void text_add_char(struct text *t, char c) {
  text_add(t, &c, 1);
}

static inline void text_add_string(struct text *t, const char *s) {
  text_add(t, s, strlen(s));
}

/** Puts other data in place of `removed` bytes at `at`. */
static inline void text_replace(struct text *t, size_t at, size_t removed, const char *data,
                                size_t bytes) {
  text_reserve(t, bytes);
  memmove(t->data + at + bytes, t->data + at + removed, t->used - at - removed);
  memcpy(t->data + at, data, bytes);
  t->used += bytes - removed;
  t->data[t->used] = 0;
}

/** @return its data, of malloc() and never NULL; it is empty then */
static inline char *text_take(struct text *t) {
  text_add(t, "", 0);
  char *data = t->data;
  *t = (struct text){0};
  return data;
}

#endif
