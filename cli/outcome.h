/* What came of an update (proto/journal.proto), for people, for programs, and as exit status. */
#ifndef CLI_OUTCOME_H
#define CLI_OUTCOME_H

#include "journal.pb-c.h"

/* prctl's exit status after an update, unless it is EXIT_USAGE (2). */
enum exit_status {
  EXIT_DONE = 0,        /* also of a dry run that nothing would refuse */
  EXIT_REFUSED = 1,     /* nothing had started */
  EXIT_ROLLED_BACK = 3, /* the old versions go on */
  EXIT_ABANDONED = 4,   /* a running version died meanwhile */
};

enum exit_status outcome_exit_status(Proteos__Transaction__Outcome outcome);
/** One word, "rolled-back". */
const char *outcome_name(const Proteos__Transaction *t);

/** The times of each phase and of each component. */
void outcome_print_times(const Proteos__Transaction *t);
/** Everything, as one JSON object on one line. */
void outcome_print_json(const Proteos__Transaction *t);

#endif
