/* What whoever shows the screen tells it: the control sequences of libsys/if/screen.h. */
#ifndef TTY_TOLD_H
#define TTY_TOLD_H

#include <stdint.h>

#include "libsys/if/screen.h"

enum told_kind { TOLD_NOTHING, TOLD_ATTACH, TOLD_DETACH, TOLD_SIZE };

struct told {
  enum told_kind kind;
  uint32_t number;        /* TOLD_ATTACH */
  uint32_t rows, columns; /* TOLD_SIZE */
};

/* A sequence that has not come as a whole yet. */
struct told_parser {
  uint32_t used;
  char text[SCREEN_SEQUENCE_MAX];
};

/** Takes the next byte. @return what it completes; what is none of the sequences is dropped */
struct told told_take(struct told_parser *p, char byte);

#endif
