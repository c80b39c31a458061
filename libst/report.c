#include "libst/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libst/st.h"

static const char more[] = "... more lines were cut\n";

static void (*observer)(void *data, bool violation, const char *text);
static void *observer_data;

void report_observe(void (*each)(void *data, bool violation, const char *text), void *data) {
  observer = each;
  observer_data = data;
}

static void add(struct st_report *r, const char *kind, const char *format, va_list args) {
  char line[1024];
  int head = snprintf(line, sizeof(line), "%s: ", kind);
  bool violation = strcmp(kind, "violation") == 0;
  vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, args);
  if (observer) observer(observer_data, violation, line + head);
  size_t length = strlen(line);
  line[length++] = '\n';
  size_t tail = sizeof(more) - 1;
  if (r->used >= tail && memcmp(r->text + r->used - tail, more, tail) == 0) return;
  if (length > sizeof(r->text) - sizeof(more) - r->used) {
    memcpy(r->text + r->used, more, sizeof(more));
    r->used += tail;
    return;
  }
  memcpy(r->text + r->used, line, length);
  r->used += length;
  r->text[r->used] = 0;
}

void report_violation(struct st_report *r, const char *format, ...) {
  if (!r) return;
  r->violations++;
  va_list args;
  va_start(args, format);
  add(r, "violation", format, args);
  va_end(args);
}

void report_note(struct st_report *r, const char *format, ...) {
  if (!r) return;
  r->notes++;
  va_list args;
  va_start(args, format);
  add(r, "note", format, args);
  va_end(args);
}

void report_warning(struct st_report *r, const char *format, ...) {
  if (!r) return;
  if (r->strict)
    r->violations++;
  else
    r->notes++;
  va_list args;
  va_start(args, format);
  add(r, r->strict ? "violation" : "warning", format, args);
  va_end(args);
}
