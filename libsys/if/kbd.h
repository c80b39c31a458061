/* Between a console (the tty server) and a keyboard driver: characters as they were typed.
 *
 * The driver keeps up to KBD_BUFFER_BYTES; the rest stays in the keyboard until they are read. When
 * characters come and none was there, it notifies its client with KBD_READY; read until fewer come
 * than asked for. A client is whoever sent KBD_START last. Keys without a character give what VT100
 * terminals send: ESC [ A for the upward arrow. */
#ifndef PROTEOS_IF_KBD_H
#define PROTEOS_IF_KBD_H

#include "libsys/interface.h"

#define KBD_BUFFER_BYTES 1024u

enum kbd_bit { KBD_READY = 1u << 0 };

/* KBD_START: what was kept for the client before is dropped.
 * KBD_READ: the reply has up to `most` bytes of UTF-8 as its payload; -EPERM: not the client.
 * KBD_LAYOUT: the payload is the layout's name, "us" or "de"; -ENOENT: there is none of that name.
 */
#define KBD_START_FIELDS(F)
#define KBD_READ_FIELDS(F) F(u32, most)
#define KBD_LAYOUT_FIELDS(F)
#define KBD_MESSAGES(M)                                                                            \
  M(KBD_START, 0x700, kbd_start, KBD_START_FIELDS, IPC_NO_FIELDS)                                  \
  M(KBD_READ, 0x701, kbd_read, KBD_READ_FIELDS, IPC_NO_FIELDS)                                     \
  M(KBD_LAYOUT, 0x702, kbd_layout, KBD_LAYOUT_FIELDS, IPC_NO_FIELDS)
IPC_INTERFACE(kbd, KBD_MESSAGES)

#endif
