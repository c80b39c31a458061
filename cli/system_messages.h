/* The bus's own messages, described like those of an interface. */
#ifndef CLI_SYSTEM_MESSAGES_H
#define CLI_SYSTEM_MESSAGES_H

#include "libsys/interface.h"

extern const struct ipc_interface ipc_system;

#endif
