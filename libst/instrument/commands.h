/* The build's compile_commands.json. */
#ifndef INSTRUMENT_COMMANDS_H
#define INSTRUMENT_COMMANDS_H

#include "array.h"

struct command {
  char *file;              /* absolute */
  char *directory;         /* that the compiler ran in */
  char *output;            /* of -o, as given; "" when absent */
  ARRAY(char *) arguments; /* those that matter to a parse */
};

struct commands {
  ARRAY(struct command) items;
};

/** Reads a compilation database; ends the program when it cannot be read. */
struct commands *commands_read(const char *path);
void commands_free(struct commands *commands);

#endif
