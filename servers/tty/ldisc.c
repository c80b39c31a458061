#include "servers/tty/ldisc.h"

#include <ctype.h>
#include <signal.h>

#include "servers/tty/columns.h"
#include "servers/tty/host.h"

enum { BACKSPACE = 0x08, DELETE = 0x7F };

static const struct tty_modes usual = {
    .flags = TTY_CANONICAL | TTY_ECHO | TTY_SIGNALS | TTY_CR_TO_NL | TTY_NL_TO_CRNL,
    .control = {[TTY_INTERRUPT] = 0x03,
                [TTY_QUIT] = 0x1C,
                [TTY_SUSPEND] = 0x1A,
                [TTY_ERASE] = DELETE,
                [TTY_KILL] = 0x15,
                [TTY_WORD] = 0x17,
                [TTY_END] = 0x04,
                [TTY_LITERAL] = 0x16},
};

void ldisc_init(struct ldisc *l) {
  l->modes = usual;
  ldisc_drop(l);
}

void ldisc_drop(struct ldisc *l) {
  input_drop(&l->input, l->input.used);
  l->used = 0;
  l->literal = false;
}

static bool has(const struct ldisc *l, enum tty_flag flag) {
  return l->modes.flags & flag;
}

static bool is(const struct ldisc *l, uint8_t byte, enum tty_control control) {
  return byte && byte == l->modes.control[control];
}

/* ---- echo ---- */

static void echo(const struct ldisc *l, uint8_t byte) {
  const char caret[] = {'^', (char)(byte ^ 0x40)};
  if (!has(l, TTY_ECHO)) return;
  if (columns_is_control(byte))
    host_echo(caret, sizeof(caret));
  else
    host_echo(&byte, 1);
}

static void bell(void) {
  host_echo("\a", 1);
}

/* ---- editing a line ---- */

/* Takes back what lies beyond the first `used` bytes. */
static void shorten(struct ldisc *l, uint32_t used) {
  uint32_t before = columns_after(l->column, l->line, l->used);
  uint32_t after = columns_after(l->column, l->line, used);
  l->used = used;
  for (; has(l, TTY_ECHO) && before > after; before--)
    host_echo("\b \b", 3);
}

static void append(struct ldisc *l, uint8_t byte) {
  if (l->used == LDISC_LINE_BYTES - 1) {
    bell(); /* room for the line feed is left */
    return;
  }
  if (l->used == 0) l->column = host_column();
  l->line[l->used++] = byte;
  echo(l, byte);
}

/* Where the last character begins. */
static uint32_t before_character(const struct ldisc *l) {
  uint32_t at = l->used;
  while (at && columns_continues(l->line[--at])) {
  }
  return at;
}

static bool is_of_word(uint8_t byte) {
  return isalnum(byte) || byte == '_' || byte >= 0x80;
}

/* Where the last word begins, as on Linux. */
static uint32_t before_word(const struct ldisc *l) {
  uint32_t at = l->used;
  while (at && !is_of_word(l->line[at - 1]))
    at--;
  while (at && is_of_word(l->line[at - 1]))
    at--;
  return at;
}

/* The line can be read from now on. @param mark  of its last byte; INPUT_END: it has none */
static void finish(struct ldisc *l, enum input_mark mark) {
  uint32_t needed = l->used + (mark == INPUT_END);
  if (needed > input_room(&l->input)) {
    bell();
    return;
  }
  for (uint32_t i = 0; i < l->used; i++)
    input_put(&l->input, l->line[i], i + 1 == l->used ? mark : INPUT_BYTE);
  if (mark == INPUT_END) input_put(&l->input, 0, INPUT_END);
  l->used = 0;
}

static void finish_with_feed(struct ldisc *l) {
  l->line[l->used++] = '\n';
  finish(l, INPUT_LAST);
  if (l->used) /* there was no room */
    l->used--;
  else
    echo(l, '\n');
}

static void edit(struct ldisc *l, uint8_t byte) {
  if (is(l, byte, TTY_LITERAL)) {
    l->literal = true;
    if (has(l, TTY_ECHO)) host_echo("^\b", 2); /* the next character takes its place */
  } else if (is(l, byte, TTY_ERASE) || byte == BACKSPACE) {
    shorten(l, before_character(l));
  } else if (is(l, byte, TTY_WORD)) {
    shorten(l, before_word(l));
  } else if (is(l, byte, TTY_KILL)) {
    shorten(l, 0);
  } else if (is(l, byte, TTY_END)) {
    finish(l, l->used ? INPUT_LAST : INPUT_END);
  } else if (byte == '\n') {
    finish_with_feed(l);
  } else {
    append(l, byte);
  }
}

/* ---- what was typed ---- */

static int signal_of(const struct ldisc *l, uint8_t byte) {
  if (!has(l, TTY_SIGNALS)) return 0;
  return is(l, byte, TTY_INTERRUPT) ? SIGINT
         : is(l, byte, TTY_QUIT)    ? SIGQUIT
         : is(l, byte, TTY_SUSPEND) ? SIGTSTP
                                    : 0;
}

static void take_as_it_is(struct ldisc *l, uint8_t byte) {
  if (!input_room(&l->input)) return;
  input_put(&l->input, byte, INPUT_BYTE);
  echo(l, byte);
}

void ldisc_type(struct ldisc *l, uint8_t byte) {
  if (l->literal) {
    l->literal = false;
    append(l, byte);
    return;
  }
  int signal = signal_of(l, byte);
  if (byte == '\r' && has(l, TTY_CR_TO_NL)) byte = '\n';
  if (signal) {
    echo(l, byte);
    ldisc_drop(l);
    host_signal(signal);
  } else if (has(l, TTY_CANONICAL)) {
    edit(l, byte);
  } else {
    take_as_it_is(l, byte);
  }
}

void ldisc_set(struct ldisc *l, const struct tty_modes *modes) {
  l->modes = *modes;
  if (has(l, TTY_CANONICAL)) return;
  l->literal = false;
  finish(l, INPUT_BYTE);
  input_forget_marks(&l->input);
}
