/* The screen: output on its way to whoever shows it, over the console's wire. */
#ifndef TTY_SCREEN_H
#define TTY_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

enum { SCREEN_WIRE_BIT = 0 /* of SYS_KERNEL's */ };

enum screen_event { SCREEN_ATTACHED = 1, SCREEN_RESIZED = 2 };

/** Begins with the wire of this name; without one nobody can ever look. */
void screen_init(const char *wire);

/** After a crash: with the state as it was, and the wire anew. @return whether that can be right */
bool screen_recover(const char *wire);

/** Shows bytes. @return how many were taken: fewer when somebody looks, but slowly */
uint32_t screen_write(const void *bytes, uint32_t n, bool translate);
bool screen_has_room(void);
uint32_t screen_column(void);
uint32_t screen_rows(void);
uint32_t screen_columns(void);
/** @return whether it is another size */
bool screen_resize(uint32_t columns, uint32_t rows);

/** The wire is ready. @return enum screen_event, or-ed: what was told over it */
unsigned screen_ready(void);
/** Sends what waits, as far as the wire takes it; once a turn. */
void screen_flush(void);

#endif
