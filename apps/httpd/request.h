/* HTTP/1.x request heads (RFC 9112), parsed strictly: what could be read in two ways is refused. */
#ifndef HTTPD_REQUEST_H
#define HTTPD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_HEAD_MAX_BYTES 8192u /* request line and headers */
#define REQUEST_LINE_MAX_BYTES 2048u
#define REQUEST_PATH_MAX_BYTES 1024u /* longer ones are cut: nothing here has such a name */

enum request_method { REQUEST_GET, REQUEST_HEAD, REQUEST_OTHER, REQUEST_PUT };

struct request {
  enum request_method method;
  char path[REQUEST_PATH_MAX_BYTES]; /* without query, NUL-terminated */
  uint64_t body_bytes;               /* Content-Length, 0 without one */
  bool keep_alive;
  bool has_body; /* it has a Content-Length */
  bool cut;      /* the path is not all of it */
  bool expects;  /* "Expect: 100-continue" */
};

/** Parses the head at the start of `data`.
 * @param r  filled when the head is complete and sound
 * @return its length in bytes (> 0); 0 when more bytes are needed; else a negated HTTP status: -400
 *         malformed, -414 line too long, -431 head too long, -501 transfer coding, -505 version. */
int request_parse(const char *data, size_t length, struct request *r);

#endif
