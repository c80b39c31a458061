/* The command line of prctl update, mupdate, mupdate-start and mupdate-cancel. */
#ifndef CLI_UPDATE_OPTIONS_H
#define CLI_UPDATE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum { CHECKS_MAX = 64 };

/* What is to be done; as bits, for the sets of commands that an option goes with. */
enum update_command {
  UPDATE_ONE = 1,      /* update COMPONENT FILE */
  UPDATE_ALL = 2,      /* update --all FOLDER */
  UPDATE_REMEMBER = 4, /* mupdate */
  UPDATE_START = 8,    /* mupdate-start */
  UPDATE_CANCEL = 16,  /* mupdate-cancel */
};

enum update_output { OUTPUT_LINES, OUTPUT_TIMES /* lines, then times */, OUTPUT_JSON };

struct update_options {
  enum update_command command;
  /* Of a member. */
  const char *component, *file;
  const char *filter, *allow; /* "" when there is none */
  const char *checks[CHECKS_MAX];
  unsigned check_count;
  bool validate, relocate, strict;
  /* Of the whole. */
  const char *all;                                    /* folder of versions, or "self" */
  uint32_t load_ms, converge_ms, transfer_ms, max_ms; /* 0: not given */
  uint32_t probation_ms;                              /* 0: none */
  bool dry_run;
  enum update_output output;
};

/** @param argv  ended by NULL; argv[0] is the command
 * @return false, after a message, when the command line is wrong */
bool update_options_parse(char **argv, struct update_options *o);

#endif
