#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "libsys/sys.h"

enum { BIT_WIRE = 1, LINE_BYTES = 256, ANSWER_BYTES = 8000 };

static int wire = -1;
static char line[LINE_BYTES];
static size_t used;

int command_open(const char *component) {
  wire = sys_inherited(component);
  return wire < 0 ? wire : sys_watch(wire, SYS_WATCH_READ, BIT_WIRE);
}

void command_answer(int status, const char *rest) {
  char text[ANSWER_BYTES + 32];
  int n = snprintf(text, sizeof(text), "%d%s\n", status, rest);
  send(wire, text, (size_t)n, MSG_NOSIGNAL);
}

void command_numbers(char **word, unsigned words, uint64_t number[COMMAND_WORDS_MAX]) {
  for (unsigned i = 0; i < COMMAND_WORDS_MAX; i++)
    number[i] = i < words ? strtoull(word[i], NULL, 0) : 0;
}

static void run(char *text, command_fn *fn) {
  char *word[COMMAND_WORDS_MAX], out[ANSWER_BYTES] = "", *rest;
  unsigned words = 0;
  for (char *w = strtok_r(text, " ", &rest); w && words < COMMAND_WORDS_MAX;
       w = strtok_r(NULL, " ", &rest))
    word[words++] = w;
  int status = words ? fn(word, words, out, sizeof(out)) : -EINVAL;
  if (status != -EINPROGRESS) command_answer(status, out);
}

void command_read(command_fn *fn) {
  char command[LINE_BYTES], *end;
  ssize_t n = recv(wire, line + used, sizeof(line) - used, MSG_DONTWAIT);
  if (n > 0) used += (size_t)n;
  while ((end = memchr(line, '\n', used))) {
    size_t length = (size_t)(end - line);
    memcpy(command, line, length);
    command[length] = 0;
    used -= length + 1;
    memmove(line, end + 1, used);
    run(command, fn);
  }
}
