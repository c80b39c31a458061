/* getline() and getdelim(): the C library makes and resizes their buffer itself, so it would not be
 * state. Here the line is read into the library's buffer and copied to one of the caller's. */
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libst/arena.h"
#include "libst/override.h"
#include "libst/site.h"

void __libc_free(void *);

enum { FIRST_BYTES = 128 };

static ssize_t libc_getdelim(char **line, size_t *cap, int end, FILE *from) {
  static ssize_t (*function)(char **, size_t *, int, FILE *);
  if (!function)
    function = (ssize_t(*)(char **, size_t *, int, FILE *))dlsym(RTLD_NEXT, "__getdelim");
  return function(line, cap, end, from);
}

/* Makes room for so many bytes, whose contents do not matter. */
static bool make_room(char **line, size_t *cap, size_t bytes, struct site_cached site) {
  if (*line && arena_has(*line) && *cap >= bytes) return true;
  if (bytes < FIRST_BYTES) bytes = FIRST_BYTES;
  if (*line && bytes < 2 * *cap) bytes = 2 * *cap;
  char *p = arena_alloc(bytes, site.site, site.clear);
  if (!p) return false;
  free(*line);
  *line = p;
  *cap = bytes;
  return true;
}

static ssize_t read_line(char **line, size_t *cap, int end, FILE *from, struct site_cached site) {
  char *text = NULL;
  size_t room = 0;
  if (!line || !cap) {
    errno = EINVAL;
    return -1;
  }
  ssize_t length = libc_getdelim(&text, &room, end, from);
  if (length >= 0 && make_room(line, cap, (size_t)length + 1, site))
    memcpy(*line, text, (size_t)length + 1);
  else
    length = -1;
  __libc_free(text);
  return length;
}

EXPORT ssize_t getdelim(char **line, size_t *cap, int end, FILE *from) {
  if (!site_is_state(CALLER)) return libc_getdelim(line, cap, end, from);
  return read_line(line, cap, end, from, site_of(CALLER, FRAME));
}

/* What the headers make of getline() when the program is optimised. */
EXPORT ssize_t __getdelim(char **line, size_t *cap, int end, FILE *from);
EXPORT ssize_t __getdelim(char **line, size_t *cap, int end, FILE *from) {
  if (!site_is_state(CALLER)) return libc_getdelim(line, cap, end, from);
  return read_line(line, cap, end, from, site_of(CALLER, FRAME));
}

/* Without an attribute: the C library's header has an inline definition of its own. */
ssize_t getline(char **line, size_t *cap, FILE *from) {
  if (!site_is_state(CALLER)) return libc_getdelim(line, cap, '\n', from);
  return read_line(line, cap, '\n', from, site_of(CALLER, FRAME));
}
