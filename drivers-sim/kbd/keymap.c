#include "keymap.h"

#include <stdio.h>
#include <string.h>

#include "drivers-sim/i8042.h"

/* What each key gives, from 02h on: alone, with shift, with the right alt key; "": nothing. */
enum { FIRST = 0x02, LAST = 0x39 };
struct legend {
  const char *plain, *shifted, *alternate;
};

#define K(plain, shifted)                                                                          \
  { plain, shifted, "" }
#define LETTER_KEYS_US                                                                             \
  K("q", "Q"), K("w", "W"), K("e", "E"), K("r", "R"), K("t", "T"), K("y", "Y"), K("u", "U"),       \
      K("i", "I"), K("o", "O"), K("p", "P")

static const struct legend us[LAST - FIRST + 1] = {
    K("1", "!"),       K("2", "@"),       K("3", "#"),    K("4", "$"), K("5", "%"), K("6", "^"),
    K("7", "&"),       K("8", "*"),       K("9", "("),    K("0", ")"), K("-", "_"), K("=", "+"),
    K("\x7f", "\x7f"), K("\t", "\x1b[Z"), LETTER_KEYS_US, K("[", "{"), K("]", "}"), K("\r", "\r"),
    K("", ""),         K("a", "A"),       K("s", "S"),    K("d", "D"), K("f", "F"), K("g", "G"),
    K("h", "H"),       K("j", "J"),       K("k", "K"),    K("l", "L"), K(";", ":"), K("'", "\""),
    K("`", "~"),       K("", ""),         K("\\", "|"),   K("z", "Z"), K("x", "X"), K("c", "C"),
    K("v", "V"),       K("b", "B"),       K("n", "N"),    K("m", "M"), K(",", "<"), K(".", ">"),
    K("/", "?"),       K("", ""),         K("*", "*"),    K("", ""),   K(" ", " "),
};

static const struct legend de[LAST - FIRST + 1] = {
    K("1", "!"),      {"2", "\"", "²"}, {"3", "§", "³"},   K("4", "$"),       K("5", "%"),
    K("6", "&"),      {"7", "/", "{"},  {"8", "(", "["},   {"9", ")", "]"},   {"0", "=", "}"},
    {"ß", "?", "\\"}, K("´", "`"),      K("\x7f", "\x7f"), K("\t", "\x1b[Z"), {"q", "Q", "@"},
    K("w", "W"),      {"e", "E", "€"},  K("r", "R"),       K("t", "T"),       K("z", "Z"),
    K("u", "U"),      K("i", "I"),      K("o", "O"),       K("p", "P"),       K("ü", "Ü"),
    {"+", "*", "~"},  K("\r", "\r"),    K("", ""),         K("a", "A"),       K("s", "S"),
    K("d", "D"),      K("f", "F"),      K("g", "G"),       K("h", "H"),       K("j", "J"),
    K("k", "K"),      K("l", "L"),      K("ö", "Ö"),       K("ä", "Ä"),       K("^", "°"),
    K("", ""),        K("#", "'"),      K("y", "Y"),       K("x", "X"),       K("c", "C"),
    K("v", "V"),      K("b", "B"),      K("n", "N"),       {"m", "M", "µ"},   K(",", ";"),
    K(".", ":"),      K("-", "_"),      K("", ""),         K("*", "*"),       K("", ""),
    K(" ", " "),
};

static const struct {
  const char *name;
  const struct legend *legends, less;
} layouts[LAYOUTS] = {
    [LAYOUT_US] = {"us", us, K("\\", "|")},
    [LAYOUT_DE] = {"de", de, {"<", ">", "|"}},
};

bool keymap_layout(struct keymap *k, const char *name) {
  for (unsigned i = 0; i < LAYOUTS; i++) {
    if (strcmp(layouts[i].name, name) != 0) continue;
    k->layout = (enum layout)i;
    return true;
  }
  return false;
}

/* ---- keys without a character: what a VT100 and xterm send ---- */

static const char *sequence(uint8_t key) {
  static const char *const functions[] = {"\x1bOP",   "\x1bOQ",   "\x1bOR",   "\x1bOS",
                                          "\x1b[15~", "\x1b[17~", "\x1b[18~", "\x1b[19~",
                                          "\x1b[20~", "\x1b[21~"};
  if (key >= KEY_F1 && key < KEY_F1 + 10) return functions[key - KEY_F1];
  switch (key) {
  case KEY_ESCAPE:
    return "\x1b";
  case KEY_F11:
    return "\x1b[23~";
  case KEY_F12:
    return "\x1b[24~";
  case KEY_UP:
    return "\x1b[A";
  case KEY_DOWN:
    return "\x1b[B";
  case KEY_RIGHT:
    return "\x1b[C";
  case KEY_LEFT:
    return "\x1b[D";
  case KEY_HOME:
    return "\x1b[H";
  case KEY_END:
    return "\x1b[F";
  case KEY_INSERT:
    return "\x1b[2~";
  case KEY_DELETE:
    return "\x1b[3~";
  case KEY_PAGE_UP:
    return "\x1b[5~";
  case KEY_PAGE_DOWN:
    return "\x1b[6~";
  }
  return "";
}

/* ---- modifiers ---- */

static bool *modifier(struct keymap *k, uint8_t key) {
  switch (key) {
  case KEY_LEFT_SHIFT:
    return &k->left_shift;
  case KEY_RIGHT_SHIFT:
    return &k->right_shift;
  case KEY_LEFT_CONTROL:
    return &k->left_control;
  case KEY_RIGHT_CONTROL:
    return &k->right_control;
  case KEY_LEFT_ALT:
    return &k->left_alt;
  case KEY_RIGHT_ALT:
    return &k->right_alt;
  case KEY_CAPS_LOCK:
    return &k->caps_is_down;
  }
  return NULL;
}

static bool is_letter(const struct legend *l) {
  bool ascii = l->plain[0] >= 'a' && l->plain[0] <= 'z';
  return ascii || ((uint8_t)l->plain[0] == 0xC3 && (uint8_t)l->plain[1] >= 0xA4 /* ä, ö, ü */);
}

static const char *legend_of(const struct keymap *k, const struct legend *l) {
  bool shift = k->left_shift || k->right_shift;
  if (k->right_alt && l->alternate[0]) return l->alternate;
  return shift != (k->caps_lock && is_letter(l)) ? l->shifted : l->plain;
}

/* With control, characters of one byte give what is 40h below. */
static unsigned give(const struct keymap *k, const char *legend, char *text) {
  bool control = k->left_control || k->right_control;
  const char *escape = k->left_alt && legend[0] ? "\x1b" : "";
  unsigned n = (unsigned)snprintf(text, KEYMAP_TEXT_BYTES, "%s%s", escape, legend);
  char *last = text + n - 1;
  if (control && n && !legend[1] && (*last == ' ' || (*last >= '@' && *last < 0x7F))) *last &= 0x1F;
  return n;
}

/* ---- codes ---- */

static unsigned press(struct keymap *k, uint8_t key, char *text) {
  if (key >= FIRST && key <= LAST && key != KEY_LEFT_ALT) {
    const char *legend = legend_of(k, &layouts[k->layout].legends[key - FIRST]);
    if (legend[0]) return give(k, legend, text);
  }
  if (key == KEY_LESS) return give(k, legend_of(k, &layouts[k->layout].less), text);
  return (unsigned)snprintf(text, KEYMAP_TEXT_BYTES, "%s", sequence(key));
}

unsigned keymap_take(struct keymap *k, uint8_t code, char *text) {
  text[0] = 0;
  if (code == I8042_EXTENDED) {
    k->extended = true;
    return 0;
  }
  bool down = !(code & SET1_RELEASED);
  uint8_t key = (code & (uint8_t)~SET1_RELEASED) | (k->extended ? KEY_EXTENDED : 0);
  k->extended = false;
  bool *m = modifier(k, key);
  /* A key that is held repeats; the lock turns when it goes down. */
  if (key == KEY_CAPS_LOCK && down && !k->caps_is_down) k->caps_lock = !k->caps_lock;
  if (m) *m = down;
  return m || !down ? 0 : press(k, key, text);
}
