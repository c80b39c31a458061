/* How wide characters are on the screen. */
#ifndef TTY_COLUMNS_H
#define TTY_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>

enum { COLUMNS_OF_TAB = 8 };

/** Whether a byte is shown as ^ and a letter. */
bool columns_is_control(uint8_t byte);
/** Whether a byte goes on with the UTF-8 character of the one before. */
bool columns_continues(uint8_t byte);
/** The column after a line of UTF-8 that was echoed from `column` on. */
uint32_t columns_after(uint32_t column, const uint8_t *line, uint32_t bytes);

#endif
