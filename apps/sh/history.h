/* The lines that were typed. */
#ifndef SH_HISTORY_H
#define SH_HISTORY_H

enum { HISTORY_MAX = 500 };

/** Keeps a line, unless the last one is the same. The oldest one is forgotten for it. */
void history_add(const char *line);
/** @param back  1: the last one. @return NULL: there is none; valid until the next history_add() */
const char *history_get(unsigned back);

#endif
