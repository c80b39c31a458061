/* System calls that no confined process gets, whatever its manifest says. */
#ifndef PROTEOS_DENIED_H
#define PROTEOS_DENIED_H

/** Their names, ended by NULL. */
extern const char *const denied_calls[];

#endif
