/* Names of messages and fields, from the interface headers. */
#ifndef CLI_MESSAGES_H
#define CLI_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "libsys/msg.h"

/** Name of a message type, with or without SYS_REPLY_FLAG; a number in hexadecimal when no
 * interface has it. @return static storage, valid until the next call */
const char *message_name(uint32_t type);

/** Whether `text` may stand for a message's name: the interface's prefix may be left out ("SEND" is
 * SOCK_SEND), and case does not count. */
bool message_is_called(const char *name, const char *text);

/** The number of a message by its name as above.
 * @return false when there is none, or there are several and none has just this name */
bool message_type(const char *name, uint32_t *type);

/** Prints a message's fields as "{handle=3, flags=0}"; nothing when it has none. */
void message_print_fields(FILE *to, const msg_t *m);

#endif
