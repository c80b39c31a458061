#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libst/annotate.h"
#include "task.h"

enum { SETTINGS_MAX = 32, TICK_MS = 20, TICK_MAX_MS = 1000, ADMIN = -1 };

struct setting {
  char name[32];
  int nice; /* or ADMIN */
  enum sched_class class;
};

/* Each version has its own arguments. */
static struct {
  unsigned tick_ms;
  struct setting by_name[SETTINGS_MAX];
  unsigned count;
} settings = {.tick_ms = TICK_MS};
ST_VAR(settings, dont_transfer);

static bool parse(const char *text, unsigned most, unsigned *value) {
  char *end;
  unsigned long n = strtoul(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || n > most) return false;
  *value = (unsigned)n;
  return true;
}

/* What is said last counts. @return NULL when there are too many */
static struct setting *place(const char *name, size_t n, bool admin) {
  for (unsigned i = 0; i < settings.count; i++) {
    struct setting *s = &settings.by_name[i];
    if ((s->nice == ADMIN) == admin && strlen(s->name) == n && memcmp(s->name, name, n) == 0)
      return s;
  }
  return settings.count < SETTINGS_MAX ? &settings.by_name[settings.count++] : NULL;
}

static bool add(const char *name, size_t n, int nice, enum sched_class class) {
  struct setting new = {.nice = nice, .class = class};
  if (n == 0 || n >= sizeof(new.name)) return false;
  memcpy(new.name, name, n);
  struct setting *s = place(name, n, nice == ADMIN);
  if (s) *s = new;
  return s != NULL;
}

bool settings_argument(const char *text) {
  const char *value = strchr(text, '=');
  unsigned number;
  if (!value) return false;
  size_t n = (size_t)(value++ - text);
  if (strncmp(text, "tick=", n + 1) == 0)
    return parse(value, TICK_MAX_MS, &settings.tick_ms) && settings.tick_ms > 0;
  if (strncmp(text, "admin=", n + 1) == 0) return add(value, strlen(value), ADMIN, 0);
  if (strcmp(value, "batch") == 0) return add(text, n, 0, SCHED_CLASS_BATCH);
  if (strcmp(value, "urgent") == 0) return add(text, n, 0, SCHED_CLASS_URGENT);
  return parse(value, SCHED_NICE_MAX, &number) && add(text, n, (int)number, SCHED_CLASS_NORMAL);
}

unsigned settings_tick_ms(void) {
  return settings.tick_ms;
}

bool settings_is_admin(const char *name) {
  for (unsigned i = 0; i < settings.count; i++)
    if (settings.by_name[i].nice == ADMIN && strcmp(settings.by_name[i].name, name) == 0)
      return true;
  return false;
}

void settings_apply(struct task *t) {
  for (unsigned i = 0; i < settings.count; i++) {
    const struct setting *s = &settings.by_name[i];
    if (s->nice == ADMIN || strcmp(s->name, t->name) != 0) continue;
    t->nice = (uint32_t)s->nice;
    t->class = s->class;
  }
}
