/* Random heads for the request parser, under sanitizers: what is accepted is accepted the same way
 * when nothing follows it, and needs every one of its bytes.
 *
 * Runs by itself for a fixed number of inputs; LLVMFuzzerTestOneInput is libFuzzer's entry:
 *   clang -DLIBFUZZER -fsanitize=fuzzer,address -I. apps/httpd/fuzz-request.c apps/httpd/request.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "apps/httpd/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct request whole, head;
  int n = request_parse((const char *)data, size, &whole);
  if (n <= 0) return 0;
  if ((size_t)n > size || request_parse((const char *)data, (size_t)n, &head) != n) abort();
  if (memcmp(&whole, &head, sizeof whole) != 0) abort();
  if (request_parse((const char *)data, (size_t)n - 1, &head) > 0) abort();
  return 0;
}

#ifndef LIBFUZZER

#define INPUTS 200000

static const char *const pieces[] = {
    "GET ",       "HEAD ",
    "POST ",      "/",
    "/bytes/123", "http://a",
    " HTTP/1.1",  " HTTP/1.0",
    "\r\n",       "\n",
    "\r\n\r\n",   "Host: a",
    ":",          " ",
    "\t",         "close",
    "keep-alive", "Connection: ",
    "\r\n",       "Content-Length:",
    "99",         "18446744073709551616",
    "?",          "Transfer-Encoding: chunked",
    "\x01",       "x-header: value",
    ",",
};

static uint64_t state = 1;

static unsigned pick(unsigned below) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (unsigned)(state % below);
}

static size_t append(char *to, size_t used, const char *piece) {
  size_t n = strlen(piece);
  memcpy(to + used, piece, n);
  return used + n;
}

int main(void) {
  for (unsigned i = 0; i < INPUTS; i++) {
    char text[2048];
    size_t used = 0;
    if (pick(2)) used = append(text, used, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (unsigned n = pick(20); n; n--)
      used = append(text, used, pieces[pick(sizeof pieces / sizeof *pieces)]);
    for (unsigned n = pick(4); n && used; n--)
      text[pick((unsigned)used)] = (char)pick(256);
    uint8_t *exact = malloc(used ? used : 1); /* so that a read past its end shows */
    memcpy(exact, text, used);
    LLVMFuzzerTestOneInput(exact, used);
    free(exact);
  }
  return 0;
}

#endif
