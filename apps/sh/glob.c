#include "apps/sh/glob.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "apps/sh/text.h"

bool glob_special(const char *pattern) {
  for (; *pattern; pattern++) {
    if (*pattern == '\\' && pattern[1])
      pattern++;
    else if (*pattern == '*' || *pattern == '?' || (*pattern == '[' && strchr(pattern, ']')))
      return true;
  }
  return false;
}

bool glob_matches(const char *pattern, const char *text) {
  return fnmatch(pattern, text, 0) == 0;
}

void glob_unescape(char *pattern) {
  char *to = pattern;
  for (; *pattern; pattern++) {
    if (*pattern == '\\' && pattern[1]) pattern++;
    *to++ = *pattern;
  }
  *to = 0;
}

struct search {
  const char *directory; /* with its slash, "" for the working directory */
  char *part;            /* of the pattern: a name */
  const char *rest;      /* the pattern behind it, with its slashes */
  struct fields *fields;
  void (*add)(struct fields *fields, char *path);
};

static void walk(const char *directory, const char *pattern, struct search *above);

static void go_on(struct search *s, const char *name) {
  struct text path = {0};
  text_add_string(&path, s->directory);
  text_add_string(&path, name);
  size_t slashes = strspn(s->rest, "/");
  text_add(&path, s->rest, slashes);
  char *made = text_take(&path);
  if (s->rest[slashes])
    walk(made, s->rest + slashes, s);
  else if (shell_exists(made)) {
    s->add(s->fields, made);
    return;
  }
  free(made);
}

static void found(const char *name, void *arg) {
  struct search *s = arg;
  if (*s->rest && (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) && *s->part != '.') return;
  if (fnmatch(s->part, name, FNM_PERIOD) == 0) go_on(s, name);
}

static void walk(const char *directory, const char *pattern, struct search *above) {
  size_t n = strcspn(pattern, "/");
  struct search s = {.directory = directory,
                     .part = strndup(pattern, n),
                     .rest = pattern + n,
                     .fields = above->fields,
                     .add = above->add};
  if (!s.part) abort();
  if (glob_special(s.part)) {
    shell_list(directory, found, &s);
  } else {
    glob_unescape(s.part);
    go_on(&s, s.part);
  }
  free(s.part);
}

static int by_bytes(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

void glob_expand(const char *pattern, struct fields *fields,
                 void (*add)(struct fields *fields, char *path)) {
  struct search top = {.fields = fields, .add = add};
  size_t slashes = strspn(pattern, "/"), before = fields->count;
  walk(slashes ? "/" : "", pattern + slashes, &top);
  if (fields->count > before)
    qsort(fields->list + before, fields->count - before, sizeof *fields->list, by_bytes);
}
