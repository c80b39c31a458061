#include "servers/tty/told.h"

#include <stdio.h>
#include <string.h>

enum { ESCAPE = 0x1B, FINAL_FROM = 0x40 };

static struct told read_sequence(const char *text) {
  struct told t = {TOLD_NOTHING, 0, 0, 0};
  char end = 0;
  if (text[strspn(text, "[>;0123456789")] != text[strlen(text) - 1]) return t;
  if (sscanf(text, "[8;%5u;%5u%c", &t.rows, &t.columns, &end) == 3 && end == 't')
    t.kind = TOLD_SIZE;
  else if (sscanf(text, "[>%10u%c", &t.number, &end) == 2 && end == 'p')
    t.kind = t.number ? TOLD_ATTACH : TOLD_DETACH;
  return t;
}

struct told told_take(struct told_parser *p, char byte) {
  const struct told nothing = {TOLD_NOTHING, 0, 0, 0};
  if (byte == ESCAPE) p->used = 0;
  if ((byte != ESCAPE && !p->used) || p->used + 1 == sizeof(p->text)) {
    p->used = 0;
    return nothing;
  }
  p->text[p->used++] = byte;
  if (p->used <= 2 || byte < FINAL_FROM) return nothing;
  p->text[p->used] = 0;
  p->used = 0;
  return read_sequence(p->text + 1);
}
