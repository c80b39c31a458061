/* Programs: processes that a component starts while the instance runs, in the places that the
 * manifest keeps for them (`programs:`). bus/abi_programs.h has the calls. */
#ifndef PROTEOS_PROGRAMS_H
#define PROTEOS_PROGRAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/abi_programs.h"
#include "bus/endpoint.h"

/** The component that starts programs, or NULL. */
struct endpoint *programs_spawner(void);

/** Serves one of the spawner's calls.
 * @param reply          its fields, with a payload's length
 * @param reply_payload  valid until the next call
 * @return 0 or a negative errno; -EINPROGRESS: answered later */
int programs_call(struct version *v, const msg_t *m, const char *payload, msg_t *reply,
                  const void **reply_payload);
bool programs_is_call(uint32_t type);

/** Arguments of the program that is being started, NUL-terminated, one after the other. */
const char *programs_arguments(const struct endpoint *e, unsigned *n);

/** The loader has forked it, or could not. */
void programs_spawned(struct version *v, int error);
/** A reply went from one to the other. If it is the spawner's to a program, that is noted. */
void programs_answered(const struct endpoint *by, const struct endpoint *to, int status);
/** It has ended; its version is the caller's. @param never_ran  why it could not be run; "": it was
 */
void programs_ended(struct endpoint *e, int wait_status, const char *never_ran);
/** A component goes on with an older state than it had: if it is the spawner it is told. */
void programs_look_again(struct endpoint *e);
/** The spawner has died: it does not wait for what it had asked. */
void programs_spawner_died(void);

/** @return what is wrong with a place's entry in the table, or NULL */
const char *programs_check(const struct endpoint *e);

#endif
