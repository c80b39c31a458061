/* The command line of prctl update, mupdate and mupdate-start. */
#ifndef CLI_UPDATE_OPTIONS_H
#define CLI_UPDATE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum { CHECKS_MAX = 64 };

enum update_output { OUTPUT_LINES, OUTPUT_TIMES /* lines, then times */, OUTPUT_JSON };

struct update_options {
  /* Of a member. */
  const char *component, *file;
  const char *filter, *allow; /* "" when there is none */
  const char *checks[CHECKS_MAX];
  unsigned check_count;
  bool validate, relocate, strict;
  /* Of the whole. */
  const char *all; /* folder of versions, or "self"; NULL: one component */
  uint32_t load_ms, converge_ms, transfer_ms, max_ms; /* 0: not given */
  uint32_t probation_ms;                              /* 0: none */
  bool dry_run;
  enum update_output output;
};

/** @return false, after a message, when the command line is wrong */
bool update_options_parse(int argc, char **argv, struct update_options *o);

#endif
