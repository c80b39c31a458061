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

/** The number of a message by its name, in which the interface's prefix may be left out ("SEND" for
 * SOCK_SEND) and case does not count. @return false when there is none, or several */
bool message_type(const char *name, uint32_t *type);

/** Prints a message's fields as "{handle=3, flags=0}"; nothing when it has none. */
void message_print_fields(FILE *to, const msg_t *m);

#endif
