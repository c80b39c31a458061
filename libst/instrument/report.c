#include "report.h"
#include "libst/meta.h"

#include <stdio.h>
#include <string.h>

/* The head of a list is printed before its first item. */
struct list {
  const char *head;
  size_t count;
};

static void item(struct list *list) {
  if (list->count++ == 0) printf("%s\n", list->head);
  printf("  ");
}

static size_t print_variables(const struct objects *objects) {
  struct list list = {"variables that an update refuses", 0};
  for (size_t i = 0; i < objects->variables.count; i++) {
    const struct object_variable *v = &objects->variables.items[i];
    if (!(v->flags & ST_VAR_REFUSED)) continue;
    item(&list);
    printf("%s%svariable '%s'%s%s: %s\n", v->file, *v->file ? ": " : "", v->name,
           *v->function ? " in " : "", v->function, v->note);
  }
  return list.count;
}

static void print_wrappers(const struct objects *objects) {
  struct list list = {"allocator wrappers: the types are their callers'", 0};
  for (size_t i = 0; i < objects->functions.count; i++) {
    const struct object_function *f = &objects->functions.items[i];
    if (!(f->flags & ST_FUNC_WRAPPER)) continue;
    item(&list);
    printf("%s: '%s'\n", f->file, f->name);
  }
}

static size_t print_sites(const struct sites *sites) {
  struct list list = {"allocations without a type: their blocks are traced word by word", 0};
  for (size_t i = 0; i < sites->items.count; i++) {
    const struct site *s = &sites->items.items[i];
    if (s->type || s->caller) continue;
    item(&list);
    printf("%s:%u:%u in %s: %s\n", s->file, s->line, s->column, s->function, s->reason);
  }
  return list.count;
}

/* Libraries that keep nothing of a program's but what warnings tell of, and libst's own users. */
static bool is_runtime(const char *soname) {
  static const char *const names[] = {"libc.so",       "libm.so",   "libdl.so",
                                      "libpthread.so", "librt.so",  "libgcc_s.so",
                                      "libst.so",      "libsys.so", "ld-linux-x86-64.so"};
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
    if (strncmp(soname, names[i], strlen(names[i])) == 0) return true;
  return false;
}

static bool is_listed(const char *name, const char *const *list) {
  for (; *list; list++)
    if (strcmp(name, *list) == 0) return true;
  return false;
}

static void print_out_of_reach(const struct exe *exe, const char *const *libraries) {
  struct list list = {"state outside the reach of an update", 0};
  size_t count;
  const char *const *lines = warnings(&count);
  for (size_t i = 0; i < count; i++) {
    item(&list);
    printf("%s\n", lines[i]);
  }
  const char *soname;
  for (size_t i = 0; (soname = exe_needed(exe, i)); i++) {
    if (is_runtime(soname) || is_listed(soname, libraries)) continue;
    item(&list);
    printf("%s: its variables; --state-library declares them state\n", soname);
  }
}

void report_print(const struct exe *exe, const struct objects *objects, const struct sites *sites,
                  const char *const *libraries) {
  size_t refused = print_variables(objects), untyped = print_sites(sites);
  print_wrappers(objects);
  print_out_of_reach(exe, libraries);
  printf("%zu variables, %zu refused; %zu functions; %zu allocation sites, %zu without a type\n",
         objects->variables.count, refused, objects->functions.count, sites->items.count, untyped);
}
