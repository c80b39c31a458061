/* State that an executable keeps inside libc, where no update finds it. */
#ifndef INSTRUMENT_HIDDEN_H
#define INSTRUMENT_HIDDEN_H

#include "exe.h"

/** Warns of each function of libc that the executable uses and that keeps state. */
void hidden_warn(const struct exe *exe);

#endif
