#include "apps/sh/edit.h"

#include <stdio.h>

#include "apps/sh/complete.h"
#include "apps/sh/history.h"
#include "servers/tty/columns.h"

enum { ROOM_MIN = 8 };

static char *copy(const char *text, size_t bytes) {
  char *made = strndup(text, bytes);
  if (!made) abort();
  return made;
}

/* ---- characters ---- */

static unsigned width(const char *text, size_t bytes) {
  return columns_after(0, (const uint8_t *)text, (uint32_t)bytes);
}

static unsigned columns(const struct edit *e, size_t from, size_t to) {
  return width(e->line.data + from, to - from);
}

static bool continues(const struct edit *e, size_t at) {
  return columns_continues((uint8_t)e->line.data[at]);
}

/* Characters without a width belong to the one before them. */
static size_t before(const struct edit *e, size_t at) {
  size_t from = at;
  while (from && (continues(e, --from) || !columns(e, from, at))) {
  }
  return from;
}

static size_t character_end(const struct edit *e, size_t at) {
  do
    at++;
  while (at < e->line.used && continues(e, at));
  return at;
}

static size_t after(const struct edit *e, size_t at) {
  size_t end = at < e->line.used ? character_end(e, at) : at;
  while (end < e->line.used && !columns(e, end, character_end(e, end)))
    end = character_end(e, end);
  return end;
}

static bool is_blank_before(const struct edit *e, size_t at) {
  return at && e->line.data[before(e, at)] == ' ';
}

static size_t word_before(const struct edit *e, size_t at) {
  while (is_blank_before(e, at))
    at = before(e, at);
  while (at && !is_blank_before(e, at))
    at = before(e, at);
  return at;
}

/* ---- the screen ---- */

static void put(struct edit *e, const char *text) {
  text_add_string(&e->output, text);
}

static void bell(struct edit *e) {
  put(e, "\a");
}

static void move(struct edit *e, unsigned to) {
  char sequence[24];
  if (to == e->at) return;
  bool left = to < e->at;
  snprintf(sequence, sizeof sequence, "\x1b[%u%c", left ? e->at - to : to - e->at,
           left ? 'D' : 'C');
  put(e, sequence);
  e->at = to;
}

/* Has the cursor in the row, with something before it. @return whether that took scrolling */
static bool scroll(struct edit *e) {
  bool too_far_left = e->first && e->cursor <= e->first;
  if (!too_far_left && columns(e, e->first, e->cursor) < e->room) return false;
  e->first = e->cursor;
  while (e->first && columns(e, before(e, e->first), e->cursor) <= e->room / 2)
    e->first = before(e, e->first);
  return true;
}

/* Where the row ends. Its last column stays free: terminals differ in what happens behind it. */
static size_t row_end(const struct edit *e) {
  size_t at = e->first, next;
  unsigned wide = 0;
  while (at < e->line.used) {
    next = after(e, at);
    wide += columns(e, at, next);
    if (wide >= e->room) break;
    at = next;
  }
  return at;
}

/* @param from  what is before it is on the screen already */
static void show(struct edit *e, size_t from) {
  if (scroll(e)) from = e->first;
  size_t end = row_end(e);
  unsigned wide = columns(e, e->first, end);
  if (from > end) from = end;
  if (from < end || wide != e->wide) {
    move(e, columns(e, e->first, from));
    text_add(&e->output, e->line.data + from, end - from);
    if (wide < e->wide) put(e, "\x1b[K");
    e->at = e->wide = wide;
  }
  move(e, columns(e, e->first, e->cursor));
}

static void go(struct edit *e, size_t to) {
  e->cursor = to;
  show(e, e->line.used);
}

/* Columns of its last line. Escape sequences, for colours it may be, have none. */
static unsigned prompt_columns(const char *prompt) {
  struct keys keys = {0};
  unsigned wide = 0;
  for (; *prompt; prompt++) {
    enum key key = keys_type(&keys, (uint8_t)*prompt);
    if (key == KEY_TEXT) wide += width(keys.text, keys.used);
    if (key == KEY_ENTER) wide = 0;
  }
  return wide;
}

static void show_all(struct edit *e) {
  unsigned wide = prompt_columns(e->prompt), start = wide % e->columns;
  put(e, e->prompt);
  if (wide && (!start || start > e->columns / 4 * 3)) {
    put(e, "\n");
    start = 0;
  }
  e->room = e->columns - start;
  e->first = e->at = e->wide = 0;
  show(e, 0);
}

/* ---- keys ---- */

/* Has other text in place of a part of the line, and the cursor behind it. */
static void replace(struct edit *e, size_t from, size_t to, const char *text, size_t bytes) {
  if (e->line.used - (to - from) + bytes > EDIT_BYTES_MAX) {
    bell(e);
    return;
  }
  text_replace(&e->line, from, to - from, text, bytes);
  e->cursor = from + bytes;
  if (from < e->first) e->first = from = 0; /* what is shown is gone */
  show(e, from);
}

/* An accent at the beginning would be the prompt's. */
static void insert(struct edit *e, const char *text, size_t bytes) {
  if (!e->cursor && !width(text, bytes))
    bell(e);
  else
    replace(e, e->cursor, e->cursor, text, bytes);
}

static void erase(struct edit *e, size_t from, size_t to) {
  if (from == to)
    bell(e);
  else
    replace(e, from, to, "", 0);
}

static void recall(struct edit *e, unsigned back) {
  const char *line = back ? history_get(back) : e->draft;
  if (!line) {
    bell(e);
    return;
  }
  if (!e->back) {
    free(e->draft);
    e->draft = copy(e->line.data, e->line.used);
  }
  e->back = back;
  replace(e, 0, e->line.used, line, strlen(line));
}

static void list(struct edit *e, const struct completion *c) {
  unsigned widest = 0;
  for (size_t i = 0; i < c->count; i++) {
    unsigned wide = width(c->names[i], strlen(c->names[i]));
    if (wide > widest) widest = wide;
  }
  unsigned field = widest + 2, per_row = field < e->columns ? e->columns / field : 1;
  for (size_t i = 0; i < c->count; i++) {
    put(e, i % per_row ? "" : "\n");
    put(e, c->names[i]);
    if ((i + 1) % per_row == 0) continue;
    for (unsigned at = width(c->names[i], strlen(c->names[i])); at < field; at++)
      put(e, " ");
  }
  put(e, "\n");
  show_all(e);
}

static void complete_here(struct edit *e) {
  struct completion c;
  char *text = copy(e->line.data, e->cursor);
  complete(text, &c);
  if (*c.added)
    insert(e, c.added, strlen(c.added));
  else if (c.count > 1 && e->last == KEY_COMPLETE)
    list(e, &c);
  else
    bell(e);
  completion_free(&c);
  free(text);
}

static void edit_by(struct edit *e, enum key key) {
  switch (key) {
  case KEY_TEXT:
    insert(e, e->keys.text, e->keys.used);
    break;
  case KEY_LEFT:
    go(e, before(e, e->cursor));
    break;
  case KEY_RIGHT:
    go(e, after(e, e->cursor));
    break;
  case KEY_HOME:
    go(e, 0);
    break;
  case KEY_END:
    go(e, e->line.used);
    break;
  case KEY_UP:
    recall(e, e->back + 1);
    break;
  case KEY_DOWN:
    if (e->back)
      recall(e, e->back - 1);
    else
      bell(e);
    break;
  case KEY_ERASE:
    erase(e, before(e, e->cursor), e->cursor);
    break;
  case KEY_DELETE:
  case KEY_END_INPUT:
    erase(e, e->cursor, after(e, e->cursor));
    break;
  case KEY_KILL_BEFORE:
    erase(e, 0, e->cursor);
    break;
  case KEY_KILL_AFTER:
    erase(e, e->cursor, e->line.used);
    break;
  case KEY_KILL_WORD:
    erase(e, word_before(e, e->cursor), e->cursor);
    break;
  case KEY_CLEAR:
    put(e, "\x1b[H\x1b[2J");
    show_all(e);
    break;
  case KEY_COMPLETE:
    complete_here(e);
    break;
  default:
    break;
  }
}

static enum edit_state finish(struct edit *e) {
  if (e->line.data[strspn(e->line.data, " ")]) history_add(e->line.data);
  put(e, "\n");
  return EDIT_DONE;
}

static enum edit_state drop(struct edit *e) {
  go(e, e->line.used);
  put(e, "^C");
  return EDIT_DROPPED;
}

void edit_begin(struct edit *e, const char *prompt, unsigned columns) {
  *e = (struct edit){.prompt = copy(prompt, strlen(prompt))};
  text_add_string(&e->line, "");
  e->columns = columns < ROOM_MIN ? ROOM_MIN : columns;
  show_all(e);
}

enum edit_state edit_type(struct edit *e, uint8_t byte) {
  enum key key = keys_type(&e->keys, byte);
  if (key == KEY_ENTER) return finish(e);
  if (key == KEY_DROP) return drop(e);
  if (key == KEY_END_INPUT && !e->line.used) return EDIT_ENDED;
  edit_by(e, key);
  if (key != KEY_NONE) e->last = key;
  return EDIT_GOES_ON;
}

void edit_show_again(struct edit *e, unsigned columns) {
  e->columns = columns < ROOM_MIN ? ROOM_MIN : columns;
  put(e, "\r\x1b[J");
  show_all(e);
}

void edit_end(struct edit *e) {
  free(e->line.data);
  free(e->output.data);
  free(e->draft);
  free(e->prompt);
}
