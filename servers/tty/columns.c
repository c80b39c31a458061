#include "servers/tty/columns.h"

enum { TAB_STOP = 8 };

bool columns_is_control(uint8_t byte) {
  return (byte < 0x20 && byte != '\t' && byte != '\n') || byte == 0x7F;
}

bool columns_continues(uint8_t byte) {
  return (byte & 0xC0) == 0x80;
}

uint32_t columns_after(uint32_t column, const uint8_t *line, uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; i++) {
    if (line[i] == '\t')
      column += TAB_STOP - column % TAB_STOP;
    else if (columns_is_control(line[i]))
      column += 2;
    else
      column += !columns_continues(line[i]);
  }
  return column;
}
