#include "proto/printable.h"

#include <stdbool.h>
#include <stddef.h>

static bool continues(unsigned char c) {
  return (c & 0xc0) == 0x80;
}

/* Bytes of the character at `s`, 0 when it is malformed (The Unicode Standard, table 3-7). */
static size_t character(const unsigned char *s) {
  if (s[0] < 0x80) return 1;
  if (s[0] < 0xc2 || s[0] > 0xf4 || !continues(s[1])) return 0;
  if (s[0] < 0xe0) return 2;
  if (s[0] == 0xe0 && s[1] < 0xa0) return 0; /* longer than it need be */
  if (s[0] == 0xed && s[1] > 0x9f) return 0; /* surrogates */
  if (!continues(s[2])) return 0;
  if (s[0] < 0xf0) return 3;
  if (s[0] == 0xf0 && s[1] < 0x90) return 0;
  if (s[0] == 0xf4 && s[1] > 0x8f) return 0; /* beyond U+10FFFF */
  return continues(s[3]) ? 4 : 0;
}

static bool is_control(unsigned char c) {
  return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
}

void printable_make(char *text) {
  unsigned char *s = (unsigned char *)text;
  while (*s) {
    size_t n = character(s);
    if (n == 0 || is_control(*s)) {
      *s++ = '?';
      continue;
    }
    s += n;
  }
}
