/* A service whose state is known in each detail: the subject of the fault experiments.
 *
 * Entries are numbers that must come in order. They lie in the heap, and once more in a file
 * without a name that only its descriptor holds. */
#ifndef TESTS_LEDGER_H
#define TESTS_LEDGER_H

#include "libsys/interface.h"

/* LEDGER_APPEND: adds the next entry. LEDGER_SUM: a digest over all entries, -EBADMSG when heap and
 * file differ. LEDGER_WAIT: is answered by the next append. LEDGER_CLOSE: drops all entries. */
#define LEDGER_APPEND_FIELDS(F) F(u64, number)
#define LEDGER_APPEND_REPLY(F)  F(u64, count)
#define LEDGER_SUM_FIELDS(F)
#define LEDGER_SUM_REPLY(F) F(u64, digest) F(u64, count)
#define LEDGER_WAIT_FIELDS(F)
#define LEDGER_WAIT_REPLY(F) F(u64, number)
#define LEDGER_CLOSE_FIELDS(F)
#define LEDGER_MESSAGES(M)                                                                         \
  M(LEDGER_APPEND, 0xf20, ledger_append, LEDGER_APPEND_FIELDS, LEDGER_APPEND_REPLY)                \
  M(LEDGER_SUM, 0xf21, ledger_sum, LEDGER_SUM_FIELDS, LEDGER_SUM_REPLY)                            \
  M(LEDGER_WAIT, 0xf22, ledger_wait, LEDGER_WAIT_FIELDS, LEDGER_WAIT_REPLY)                        \
  M(LEDGER_CLOSE, 0xf23, ledger_close, LEDGER_CLOSE_FIELDS, IPC_NO_FIELDS)
IPC_INTERFACE(ledger, LEDGER_MESSAGES)

static inline uint64_t ledger_digest(uint64_t digest, uint64_t number) {
  return (digest ^ number) * 1099511628211ull; /* FNV-1a */
}
#define LEDGER_EMPTY 14695981039346656037ull

#endif
