#include "apps/httpd/site.h"

#include <string.h>
#include <strings.h>

static int hex(char c) {
  const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;
  return c >= '0' && at ? (int)(at - digits) : -1;
}

/* @return the character at *url, which moves behind it; -1: broken */
static int take(const char **url) {
  const char *at = *url;
  if (*at != '%') return (unsigned char)*(*url)++;
  int high = hex(at[1]), low = high < 0 ? -1 : hex(at[2]);
  *url += 3;
  return low < 0 ? -1 : high * 16 + low;
}

static bool has_dots(const char *path) {
  for (; *path; path += strcspn(path, "/")) {
    path += strspn(path, "/");
    if (strcspn(path, "/") == 2 && strncmp(path, "..", 2) == 0) return true;
  }
  return false;
}

int site_path(const char *root, const char *url, char *path, size_t bytes) {
  size_t used = strlen(root);
  if (used >= bytes) return 404;
  memcpy(path, root, used);
  while (used && path[used - 1] == '/')
    used--;
  size_t begin = used;
  while (*url) {
    bool escaped = *url == '%';
    int c = take(&url);
    if (c < ' ' || c == 0x7f || (escaped && c == '/')) return 400;
    if (used + 1 >= bytes) return 404;
    path[used++] = (char)c;
  }
  path[used] = 0;
  return has_dots(path + begin) ? 400 : 0;
}

const char *site_type(const char *path) {
  static const char *const types[][2] = {
      {"html", "text/html; charset=utf-8"},
      {"htm", "text/html; charset=utf-8"},
      {"txt", "text/plain; charset=utf-8"},
      {"md", "text/plain; charset=utf-8"},
      {"css", "text/css"},
      {"js", "text/javascript"},
      {"json", "application/json"},
      {"xml", "application/xml"},
      {"svg", "image/svg+xml"},
      {"png", "image/png"},
      {"jpg", "image/jpeg"},
      {"jpeg", "image/jpeg"},
      {"gif", "image/gif"},
      {"pdf", "application/pdf"},
  };
  const char *dot = strrchr(path, '.');
  for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
    if (strcasecmp(dot + 1, types[i][0]) == 0) return types[i][1];
  return "application/octet-stream";
}
