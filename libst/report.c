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

static void append(struct st_report *r, const char *line, size_t length) {
  memcpy(r->text + r->used, line, length);
  r->used += length;
  r->text[r->used] = 0;
}

/* Takes the mark of a cut report off. @return whether it was there */
static bool uncut(struct st_report *r) {
  size_t mark = sizeof(more) - 1;
  if (r->used < mark || memcmp(r->text + r->used - mark, more, mark) != 0) return false;
  r->used -= mark;
  r->text[r->used] = 0;
  return true;
}

static bool fits(const struct st_report *r, size_t length) {
  return length + sizeof(more) <= sizeof(r->text) - r->used;
}

/* Removes the last line that is no violation. @return false when all are */
static bool drop_line(struct st_report *r) {
  char *last = NULL, *end = NULL;
  for (char *line = r->text, *next; *line; line = next) {
    next = strchr(line, '\n') + 1;
    if (strncmp(line, "violation: ", 11) == 0) continue;
    last = line;
    end = next;
  }
  if (!last) return false;
  memmove(last, end, strlen(end) + 1);
  r->used -= (size_t)(end - last);
  return true;
}

/* A violation takes the place of notes when there is no other. */
static void add(struct st_report *r, const char *kind, const char *format, va_list args) {
  char line[1024];
  int head = snprintf(line, sizeof(line), "%s: ", kind);
  bool violation = strcmp(kind, "violation") == 0;
  vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, args);
  if (observer) observer(observer_data, violation, line + head);
  size_t length = strlen(line);
  line[length++] = '\n';
  bool cut = uncut(r);
  while (violation && !fits(r, length) && drop_line(r))
    cut = true;
  if (fits(r, length) && (violation || !cut))
    append(r, line, length);
  else
    cut = true;
  if (cut) append(r, more, sizeof(more) - 1);
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
