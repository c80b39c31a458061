#include "libos/pathname.h"

#include <string.h>

struct made {
  char *to;
  size_t used, bytes;
};

static void back(struct made *m) {
  while (m->used && m->to[m->used - 1] != '/')
    m->used--;
  if (m->used) m->used--;
}

static bool append(struct made *m, const char *path) {
  while (*path) {
    size_t n = strcspn(path, "/");
    if (n == 2 && memcmp(path, "..", 2) == 0) {
      back(m);
    } else if (n && !(n == 1 && *path == '.')) {
      if (m->bytes - m->used < n + 2) return false;
      m->to[m->used++] = '/';
      memcpy(m->to + m->used, path, n);
      m->used += n;
    }
    path += n + (path[n] == '/');
  }
  return true;
}

bool pathname_join(const char *base, const char *path, char *to, size_t bytes) {
  struct made m = {to, 0, bytes};
  if (bytes < 2) return false;
  if (*path != '/' && !append(&m, base)) return false;
  if (!append(&m, path)) return false;
  if (!m.used) to[m.used++] = '/';
  to[m.used] = 0;
  return true;
}

const char *pathname_last(const char *path, size_t *length) {
  size_t end = strlen(path);
  while (end > 1 && path[end - 1] == '/')
    end--;
  size_t begin = end;
  while (begin && path[begin - 1] != '/')
    begin--;
  if (begin == end && end) begin--; /* "/" */
  *length = end - begin;
  return path + begin;
}
