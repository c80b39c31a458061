#include "servers/tty/columns.h"

#include <utf8proc.h>

bool columns_is_control(uint8_t byte) {
  return (byte < 0x20 && byte != '\t' && byte != '\n') || byte == 0x7F;
}

bool columns_continues(uint8_t byte) {
  return (byte & 0xC0) == 0x80;
}

/* @return how many bytes the character at `text` has; what is no UTF-8 is shown byte by byte */
static uint32_t width_of(const uint8_t *text, uint32_t bytes, uint32_t *width) {
  utf8proc_int32_t character;
  utf8proc_ssize_t n = utf8proc_iterate(text, (utf8proc_ssize_t)bytes, &character);
  *width = n > 0 ? (uint32_t)utf8proc_charwidth(character) : 1;
  return n > 0 ? (uint32_t)n : 1;
}

uint32_t columns_after(uint32_t column, const uint8_t *line, uint32_t bytes) {
  for (uint32_t i = 0, n, width; i < bytes; i += n) {
    n = width_of(line + i, bytes - i, &width);
    if (line[i] == '\t')
      width = COLUMNS_OF_TAB - column % COLUMNS_OF_TAB;
    else if (columns_is_control(line[i]))
      width = 2;
    column += width;
  }
  return column;
}
