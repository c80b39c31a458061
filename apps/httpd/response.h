/* What a request is answered with.
 *
 *   /         the status page: a figure a line, "name: value"
 *   /bytes/N  N bytes, as bytes.h says
 *
 * Fills in the connection's response: head (with the body when that is short), body_bytes, and
 * whether the connection is kept. */
#ifndef HTTPD_RESPONSE_H
#define HTTPD_RESPONSE_H

#include "apps/httpd/layout.h"

/** Longest request body that is read and dropped to keep a connection; beyond it: 413. */
#define RESPONSE_SKIP_MAX_BYTES 65536u

void response_make(struct conn *c, const struct request *r);
/** An error after which the connection ends. */
void response_error(struct conn *c, int status);

#endif
