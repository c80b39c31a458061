/* Tokens: what names one pending request. A token is a plain value, so that a server may keep it in
 * its state; whether it still means anything is decided here, when it comes back. */
#ifndef PROTEOS_TOKEN_H
#define PROTEOS_TOKEN_H

#include <stdint.h>

#include "libsys/msg.h"

struct token {
  endpoint_t caller;    /* who asked; 1 to 63 */
  uint8_t slot;         /* which of its requests */
  uint16_t incarnation; /* the caller's, its low bits: a restarted caller never gets old answers */
  uint32_t sequence;    /* of the request in its slot */
};

/** @return a value that is never 0 */
uint64_t token_pack(struct token t);
struct token token_unpack(uint64_t value);

#endif
