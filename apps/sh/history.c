#include "apps/sh/history.h"

#include <stdlib.h>
#include <string.h>

static char *lines[HISTORY_MAX]; /* a ring */
static unsigned count;           /* of all that were added */

void history_add(const char *line) {
  const char *last = history_get(1);
  if (last && strcmp(last, line) == 0) return;
  char **place = &lines[count++ % HISTORY_MAX];
  free(*place);
  *place = strdup(line);
  if (!*place) abort();
}

const char *history_get(unsigned back) {
  if (!back || back > count || back > HISTORY_MAX) return NULL;
  return lines[(count - back) % HISTORY_MAX];
}
