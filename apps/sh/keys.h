/* Keys from what a terminal sends: control characters, UTF-8, and the escape sequences of a VT100
 * and of xterm. Sequences that mean nothing here are taken whole. */
#ifndef SH_KEYS_H
#define SH_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key {
  KEY_NONE, /* nothing, or nothing yet */
  KEY_TEXT, /* a character */
  KEY_LEFT,
  KEY_RIGHT,
  KEY_UP,
  KEY_DOWN,
  KEY_HOME,
  KEY_END,
  KEY_ERASE,       /* backwards */
  KEY_DELETE,      /* forwards */
  KEY_END_INPUT,   /* ^D */
  KEY_KILL_BEFORE, /* ^U */
  KEY_KILL_AFTER,  /* ^K */
  KEY_KILL_WORD,   /* ^W */
  KEY_CLEAR,       /* ^L */
  KEY_COMPLETE,
  KEY_ENTER,
  KEY_DROP, /* ^C */
};

enum keys_state {
  KEYS_PLAIN,
  KEYS_ESCAPE,  /* after ESC */
  KEYS_CONTROL, /* after ESC [ */
  KEYS_SINGLE,  /* after ESC O: one more byte */
};

struct keys {
  enum keys_state state;
  unsigned number;       /* KEYS_CONTROL: its parameter */
  bool other;            /* KEYS_CONTROL: there is more than one number */
  char text[4];          /* KEY_TEXT: the character */
  unsigned used, needed; /* its bytes, so far and in all */
};

/** Takes a byte. All zero is the beginning. */
enum key keys_type(struct keys *keys, uint8_t byte);
/** Whether a text could have been typed: it is UTF-8 without control characters. */
bool keys_can_type(const char *text, size_t bytes);

#endif
