#include "path.h"
#include "array.h"

#include <stdio.h>
#include <string.h>

char *path_normal(const char *directory, const char *file) {
  char *joined;
  int r =
      *file == '/' ? asprintf(&joined, "%s", file) : asprintf(&joined, "%s/%s", directory, file);
  if (r < 0) fail("out of memory");
  char *out = joined;
  for (char *in = joined; *in;) {
    while (*in == '/')
      in++;
    size_t bytes = strcspn(in, "/");
    if (bytes == 2 && memcmp(in, "..", 2) == 0) {
      while (out > joined && *--out != '/')
        ;
    } else if (bytes > 0 && !(bytes == 1 && *in == '.')) {
      *out++ = '/';
      memmove(out, in, bytes);
      out += bytes;
    }
    in += bytes;
  }
  *out = '\0';
  char *real = realpath(joined, NULL);
  if (!real) return joined;
  free(joined);
  return real;
}
