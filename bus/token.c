#include "bus/token.h"

uint64_t token_pack(struct token t) {
  return (uint64_t)(uint8_t)t.caller << 56 | (uint64_t)t.slot << 48 |
         (uint64_t)t.incarnation << 32 | t.sequence;
}

struct token token_unpack(uint64_t value) {
  return (struct token){.caller = (endpoint_t)(value >> 56),
                        .slot = (uint8_t)(value >> 48),
                        .incarnation = (uint16_t)(value >> 32),
                        .sequence = (uint32_t)value};
}
