/* What a request is answered with.
 *
 *   /         the status page: a figure a line, "name: value"
 *   /bytes/N  N bytes, as bytes.h says
 *
 * With a directory of storage to serve, / is its index.html, every other path a file of it, and the
 * status page is /status. With one for uploads, PUT /upload/NAME makes a file there.
 *
 * Fills in the connection's response: head (with the body when that is short), body_bytes, and
 * whether the connection is kept. */
#ifndef HTTPD_RESPONSE_H
#define HTTPD_RESPONSE_H

#include "apps/httpd/layout.h"

/** Longest request body that is read and dropped to keep a connection; beyond it: 413. */
#define RESPONSE_SKIP_MAX_BYTES 65536u

enum { RESPONSE_DIRECTORY_BYTES = 256 };

/** Directories of storage; "": none. */
extern char response_root[RESPONSE_DIRECTORY_BYTES], response_uploads[RESPONSE_DIRECTORY_BYTES];

void response_make(struct conn *c, const struct request *r);
/** An error after which the connection ends. */
void response_error(struct conn *c, int status);
/** The file that was asked for is open, or could not be. */
void response_file(struct conn *c);
/** The upload is kept, or failed. */
void response_uploaded(struct conn *c);

#endif
