/* The deterministic bytes that /bytes/N answers with, for the server and for its clients.
 *
 * Byte i is ((i mod 65521) * 2654435761 mod 2^32) >> 24. The period is prime, so that a segment
 * that is lost, doubled or misplaced shows; and short, so that scripts can build the body quickly.
 */
#ifndef PROTEOS_HTTPD_BYTES_H
#define PROTEOS_HTTPD_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTPD_BYTES_PERIOD 65521u

static inline uint8_t httpd_byte(uint32_t position) {
  return (uint8_t)(position * 2654435761u >> 24);
}

/** Writes the `n` bytes that begin at `offset` of the body. */
static inline void httpd_bytes_fill(uint64_t offset, void *to, size_t n) {
  uint8_t *out = to;
  uint32_t position = (uint32_t)(offset % HTTPD_BYTES_PERIOD);
  while (n > 0) {
    uint32_t run = HTTPD_BYTES_PERIOD - position;
    if (run > n) run = (uint32_t)n;
    for (uint32_t i = 0; i < run; i++)
      out[i] = httpd_byte(position + i);
    out += run;
    n -= run;
    position = 0;
  }
}

/** Whether these `n` bytes are those that begin at `offset` of the body. */
static inline bool httpd_bytes_match(uint64_t offset, const void *data, size_t n) {
  const uint8_t *in = data;
  uint32_t position = (uint32_t)(offset % HTTPD_BYTES_PERIOD);
  while (n > 0) {
    uint32_t run = HTTPD_BYTES_PERIOD - position;
    if (run > n) run = (uint32_t)n;
    uint8_t difference = 0;
    for (uint32_t i = 0; i < run; i++)
      difference |= (uint8_t)(in[i] ^ httpd_byte(position + i));
    if (difference) return false;
    in += run;
    n -= run;
    position = 0;
  }
  return true;
}

#endif
