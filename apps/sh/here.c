#include "apps/sh/here.h"

#include <string.h>

static bool is_delimiter(const char *line, size_t bytes, const char *delimiter) {
  return bytes == strlen(delimiter) && memcmp(line, delimiter, bytes) == 0;
}

/* The line feed is escaped: the next line belongs to this one. */
static bool is_continued(const char *line, size_t bytes) {
  size_t backslashes = 0;
  while (backslashes < bytes && line[bytes - 1 - backslashes] == '\\')
    backslashes++;
  return backslashes % 2 == 1;
}

size_t here_end(const char *text, size_t at, const struct here_form *form, size_t *line) {
  bool continued = false;
  while (text[at]) {
    size_t bytes = strcspn(text + at, "\n");
    size_t tabs = form->strip && !continued ? strspn(text + at, "\t") : 0;
    *line = at;
    at += bytes + (text[at + bytes] == '\n');
    if (!continued && is_delimiter(text + *line + tabs, bytes - tabs, form->delimiter)) return at;
    continued = !form->literal && is_continued(text + *line, bytes);
  }
  return 0;
}

bool here_unquote(char *word) {
  char *to = word, quote = 0;
  bool quoted = false;
  for (; *word; word++) {
    bool opens = !quote && (*word == '\'' || *word == '"');
    bool escapes = *word == '\\' && quote != '\'' && word[1];
    quoted |= opens || escapes;
    if (opens)
      quote = *word;
    else if (*word == quote)
      quote = 0;
    else
      *to++ = escapes ? *++word : *word;
  }
  *to = 0;
  return quoted;
}

void here_strip(char *body) {
  char *to = body;
  bool begins = true;
  for (; *body; body++) {
    if (begins && *body == '\t') continue;
    begins = *body == '\n';
    *to++ = *body;
  }
  *to = 0;
}
