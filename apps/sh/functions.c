#include "apps/sh/functions.h"

#include "apps/sh/shell.h"

struct function {
  char *name, *body;
  struct function *next; /* in the order of names */
};
static struct function *first;

static char *copy(const char *text) {
  char *made = strdup(text);
  if (!made) abort();
  return made;
}

static struct function **place_of(const char *name) {
  struct function **at = &first;
  while (*at && strcmp((*at)->name, name) < 0)
    at = &(*at)->next;
  return at;
}

static struct function *find(const char *name) {
  struct function *f = *place_of(name);
  return f && strcmp(f->name, name) == 0 ? f : NULL;
}

void function_define(const char *name, const char *body) {
  struct function **at = place_of(name), *f = find(name);
  if (!f) {
    f = malloc(sizeof *f);
    if (!f) abort();
    *f = (struct function){.name = copy(name), .next = *at};
    *at = f;
  }
  char *former = f->body;
  f->body = copy(body);
  free(former);
}

void function_unset(const char *name) {
  struct function *f = find(name);
  if (!f) return;
  *place_of(name) = f->next;
  free(f->name);
  free(f->body);
  free(f);
}

bool function_exists(const char *name) {
  return find(name) != NULL;
}

/* What the caller gets back when the function ends. */
static int run_apart(const char *body, char *const *arguments) {
  char **former = shell.arguments;
  unsigned loops = shell.loops;
  shell.arguments = NULL;
  shell.loops = 0; /* `break` does not reach out of it */
  shell_set_arguments(arguments);
  shell.calls++;
  int status = shell_run(body);
  shell.calls--;
  if (shell.flow == FLOW_RETURN) shell.flow = FLOW_ON;
  shell_set_arguments(NULL);
  shell.arguments = former;
  shell.loops = loops;
  return status;
}

int function_call(char *const *argv) {
  char *body = copy(find(argv[0])->body); /* it may define or unset itself */
  int status = run_apart(body, argv + 1);
  free(body);
  return status;
}

void functions_write(struct text *text) {
  for (const struct function *f = first; f; f = f->next) {
    text_add_string(text, f->name);
    text_add_string(text, "() ");
    text_add_string(text, f->body);
    text_add_char(text, '\n');
  }
}

void functions_each(void (*found)(const char *name, void *arg), void *arg) {
  for (const struct function *f = first; f; f = f->next)
    found(f->name, arg);
}
