#include "apps/sh/complete.h"

#include <stdlib.h>
#include <string.h>

#include "apps/sh/expand.h"
#include "apps/sh/glob.h"
#include "apps/sh/keys.h"
#include "apps/sh/lex.h"
#include "apps/sh/text.h"
#include "servers/tty/columns.h"

struct search {
  const char *typed; /* what names begin with */
  struct completion *made;
};

static void found(const char *name, void *arg) {
  struct search *s = arg;
  struct completion *made = s->made;
  if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return;
  if (*name == '.' && !*s->typed) return;
  if (strncmp(name, s->typed, strlen(s->typed)) != 0 || !keys_can_type(name, strlen(name))) return;
  made->names = realloc(made->names, (made->count + 1) * sizeof *made->names);
  if (!made->names || !(made->names[made->count++] = strdup(name))) abort();
}

static int by_bytes(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(struct completion *made) {
  size_t kept = 0;
  if (made->count) qsort(made->names, made->count, sizeof *made->names, by_bytes);
  for (size_t i = 0; i < made->count; i++) {
    if (kept && strcmp(made->names[kept - 1], made->names[i]) == 0)
      free(made->names[i]);
    else
      made->names[kept++] = made->names[i];
  }
  made->count = kept;
}

/* How many bytes all names begin with, whole characters. They are sorted. */
static size_t in_common(const struct completion *made) {
  const char *first = made->names[0], *last = made->names[made->count - 1];
  size_t n = 0;
  while (first[n] && first[n] == last[n])
    n++;
  while (n && columns_continues((uint8_t)first[n]))
    n--;
  return n;
}

static void add_quoted(struct text *to, const char *text, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) {
    if (strchr(" '\"\\`$&|;()<>*?[]{}#~!", text[i])) text_add_char(to, '\\');
    text_add_char(to, text[i]);
  }
}

static bool is_directory(const char *directory, const char *name) {
  struct text path = {0};
  text_add_string(&path, directory);
  text_add_string(&path, name);
  bool is = shell_is_directory(path.data);
  free(path.data);
  return is;
}

/* ---- which word ---- */

static bool is_one_of(const char *text, size_t bytes, const char *const *words) {
  for (; *words; words++)
    if (strlen(*words) == bytes && strncmp(*words, text, bytes) == 0) return true;
  return false;
}

/* Whether a command can begin behind a token. */
static bool command_follows(const struct lexer *l, bool was_command) {
  static const char *const openers[] = {"!",    "{",  "if",    "then",  "else",
                                        "elif", "do", "while", "until", NULL};
  switch (l->token) {
  case TOKEN_NEWLINE:
  case TOKEN_SEMICOLON:
  case TOKEN_AMPERSAND:
  case TOKEN_AND:
  case TOKEN_OR:
  case TOKEN_PIPE:
  case TOKEN_OPEN:
    return true;
  case TOKEN_WORD:
    return was_command && is_one_of(l->text + l->from, l->to - l->from, openers);
  default:
    return false;
  }
}

/* @return where the last word begins, which is the end when there is none; NULL: inside of quotes
 */
static const char *last_word(const char *text, bool *is_command) {
  struct lexer l = {.text = text};
  *is_command = true;
  while (1) {
    lex_next(&l);
    bool word = l.token == TOKEN_WORD || l.token == TOKEN_NUMBER;
    if (l.token == TOKEN_UNFINISHED) return NULL;
    if (l.token == TOKEN_END || (word && !text[l.to])) return text + l.from;
    *is_command = command_follows(&l, *is_command);
  }
}

/* @param word  without backslashes */
static void complete_word(char *word, bool is_command, struct completion *made) {
  struct text added = {0};
  char *slash = strrchr(word, '/'), *name = slash ? slash + 1 : word;
  char *directory = strndup(word, (size_t)(name - word));
  struct search search = {name, made};
  if (!directory) abort();
  if (is_command && !slash)
    shell_commands(found, &search);
  else
    shell_list(directory, found, &search);
  sort(made);
  if (made->count) {
    size_t typed = strlen(name);
    add_quoted(&added, made->names[0] + typed, in_common(made) - typed);
  }
  if (made->count == 1)
    text_add_char(&added,
                  (slash || !is_command) && is_directory(directory, made->names[0]) ? '/' : ' ');
  made->added = text_take(&added);
  free(directory);
}

void complete(const char *text, struct completion *made) {
  bool is_command;
  const char *written = last_word(text, &is_command);
  *made = (struct completion){0};
  if (!written || strpbrk(written, "'\"`$")) {
    made->added = strdup("");
    if (!made->added) abort();
    return;
  }
  char *word = strdup(written);
  if (!word) abort();
  glob_unescape(word);
  complete_word(word, is_command, made);
  free(word);
}

void completion_free(struct completion *made) {
  for (size_t i = 0; i < made->count; i++)
    free(made->names[i]);
  free(made->names);
  free(made->added);
}
