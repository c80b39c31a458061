#include <stdlib.h>
#include <string.h>

#include "apps/sh/parse.h"
#include "apps/sh/shell.h"
#include "libos/os.h"

struct variable {
  char *name, *value; /* value NULL: exported, but not set */
  bool exported;
  struct variable *next; /* in the order of names */
};
static struct variable *first;

static struct variable **place_of(const char *name) {
  struct variable **at = &first;
  while (*at && strcmp((*at)->name, name) < 0)
    at = &(*at)->next;
  return at;
}

static struct variable *find(const char *name) {
  struct variable *v = *place_of(name);
  return v && strcmp(v->name, name) == 0 ? v : NULL;
}

static struct variable *make(const char *name) {
  struct variable *v = find(name), **at = place_of(name);
  if (v) return v;
  v = calloc(1, sizeof *v);
  if (!v || !(v->name = strdup(name))) abort();
  v->next = *at;
  return *at = v;
}

void variable_set(const char *name, const char *value) {
  struct variable *v = make(name);
  char *copy = strdup(value);
  if (!copy) abort();
  free(v->value);
  v->value = copy;
  if (v->exported) setenv(name, value, 1); /* HOME and PWD are the library's too */
}

void variable_unset(const char *name) {
  struct variable *v = find(name);
  if (!v) return;
  if (v->exported) unsetenv(name);
  *place_of(name) = v->next;
  free(v->name);
  free(v->value);
  free(v);
}

void variable_export(const char *name) {
  struct variable *v = make(name);
  v->exported = true;
  if (v->value) setenv(name, v->value, 1);
}

const char *variable_get(const char *name) {
  struct variable *v = find(name);
  return v ? v->value : NULL;
}

void variables_start(void) {
  for (char **v = environ; v && *v; v++) {
    size_t n = name_length(*v);
    if (!n || (*v)[n] != '=') continue;
    char *name = strndup(*v, n);
    if (!name) abort();
    struct variable *made = make(name);
    made->exported = true;
    free(made->value);
    made->value = strdup(*v + n + 1);
    free(name);
  }
}

static bool in(char *const *list, const char *name) {
  size_t n = strlen(name);
  for (; list && *list; list++)
    if (strncmp(*list, name, n) == 0 && (*list)[n] == '=') return true;
  return false;
}

static char *joined(const char *name, const char *value) {
  char *text = NULL;
  if (asprintf(&text, "%s=%s", name, value) < 0) abort();
  return text;
}

char **variables_environment(bool all, char *const *more) {
  size_t count = 1, used = 0;
  for (struct variable *v = first; v; v = v->next)
    count++;
  for (char *const *m = more; m && *m; m++)
    count++;
  char **list = calloc(count, sizeof *list);
  if (!list) abort();
  for (char *const *m = more; m && *m; m++)
    if (!(list[used++] = strdup(*m))) abort();
  for (struct variable *v = first; v; v = v->next)
    if (v->value && (all || v->exported) && !in(more, v->name))
      list[used++] = joined(v->name, v->value);
  return list;
}

void variables_free(char **environment) {
  for (char **v = environment; *v; v++)
    free(*v);
  free(environment);
}

void variables_each(void (*each)(const char *name, const char *value, bool exported)) {
  for (struct variable *v = first; v; v = v->next)
    if (v->value) each(v->name, v->value, v->exported);
}
