/* Versions of a pair as processes, for the programs that drive them. Whatever fails ends the
 * driver. */
#ifndef TESTS_UPDATES_VERSION_H
#define TESTS_UPDATES_VERSION_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/updates/command.h"

struct version {
  pid_t pid;
  int control;
  int exe;
};

/** What the last version that was heard said. */
extern struct reply reply;

/** Ends the driver with a message and the last report. */
__attribute__((noreturn)) void fail(const char *what);
/** An option of the update, as new versions are told them: see pair_main(). */
void choose(char *option);

/** Starts a version. @param update  it will import */
struct version start(const char *path, bool update);
void stop(struct version *v);

/** @return false when the version has ended */
bool told(struct version *v, enum command command, int fd);
/** The same to a version that must not end. */
void tell(struct version *v, enum command command, int fd);
/** Waits for the answer. @return its error; -EPIPE when the version has ended */
int answer_of(struct version *v);
/** The same of a version that must not end. */
int hear(struct version *v);
int ask(struct version *v, enum command command, int fd);
/** Asks what must succeed. */
void must(struct version *v, enum command command, int fd, const char *what);
/** The old version goes on as if nothing had happened. */
void must_go_on(struct version *old);

#endif
