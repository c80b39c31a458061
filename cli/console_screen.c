#include "cli/console_screen.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "cli/console_terminal.h"
#include "libsys/if/screen.h"

/* The answer that is waited for, and how much of it has come; "": none is. */
static char answer[SCREEN_SEQUENCE_MAX];
static size_t matched;

static void tell(int wire, const char *sequence) {
  send(wire, sequence, strlen(sequence), MSG_NOSIGNAL);
}

void screen_tell_size(int wire) {
  char sequence[SCREEN_SEQUENCE_MAX];
  unsigned rows, columns;
  if (!terminal_size(&rows, &columns)) return;
  snprintf(sequence, sizeof(sequence), SCREEN_SIZE, rows, columns);
  tell(wire, sequence);
}

void screen_attach(int wire) {
  uint32_t number = 0;
  while (!number)
    if (getrandom(&number, sizeof(number), 0) < 0) number = 1;
  snprintf(answer, sizeof(answer), SCREEN_ATTACH, number);
  matched = 0;
  screen_tell_size(wire);
  tell(wire, answer);
}

/* Its first character comes nowhere else in it, so that no match begins within another. */
size_t screen_skip(const char *bytes, size_t n) {
  size_t i = 0;
  while (answer[0] && i < n) {
    if (bytes[i] != answer[matched]) matched = 0;
    if (bytes[i] == answer[matched]) matched++;
    i++;
    if (!answer[matched]) answer[0] = 0;
  }
  return i;
}
