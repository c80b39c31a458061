/* The data structures of httpd that change between its versions; everything else is shared.
 *
 * Version 2 reorders struct conn, drops `requests` from it, adds two fields, doubles the table of
 * connections, and has a new global. */
#ifndef HTTPD_LAYOUT_H
#define HTTPD_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "apps/httpd/request.h"
#include "apps/httpd/transfer.h"
#include "libst/annotate.h"

#ifndef HTTPD_VERSION
#define HTTPD_VERSION 1
#endif

enum conn_state {
  CONN_READING,   /* waits for a request's head */
  CONN_SKIPPING,  /* drops a request's body before it is answered */
  CONN_SENDING,   /* the response goes out: head, then body */
  CONN_LINGERING, /* ended by us; drops what comes until the client ends it too */
  CONN_OPENING,   /* waits for storage to open the file that it asks for */
  CONN_RECEIVING  /* takes the body of an upload */
};

/* The same in all versions, and in a block of its own: an update then leaves it where it is. */
struct conn_text {
  char in[REQUEST_HEAD_MAX_BYTES];
  char head[1536]; /* response head, and short bodies */
};
ST_FIELD(struct conn_text, in, opaque); /* the client's, or whatever lay there before */
ST_FIELD(struct conn_text, head, opaque);

#if HTTPD_VERSION == 1

#define MAX_CONNS 64

struct conn {
  int socket;
  enum conn_state state;
  uint32_t requests;
  uint32_t room;        /* bytes that are worth sending; 0 until net says so */
  bool hungup, drained; /* the client has ended its stream; nothing left to receive for now */
  bool keep_alive, linger;
  uint64_t deadline_us;
  uint64_t skip_bytes;              /* of the request's body */
  uint64_t body_offset, body_bytes; /* of /bytes/N: sent so far, and in all */
  uint32_t head_used, head_sent;
  uint32_t in_used;
  struct conn_text *text;
  struct transfer *file; /* that is sent or received; NULL: none */
};

static inline void layout_request(struct conn *c) {
  c->requests++;
}
static inline void layout_sent(struct conn *c, uint32_t bytes) {
  (void)c;
  (void)bytes;
}
static inline uint64_t layout_sent_total(void) {
  return 0;
}

#else

#define MAX_CONNS 128

struct conn {
  uint64_t body_offset, body_bytes; /* of /bytes/N: sent so far, and in all */
  uint64_t skip_bytes;              /* of the request's body */
  uint64_t sent_bytes;              /* since this version runs */
  uint64_t deadline_us;
  enum conn_state state;
  int32_t socket;
  uint64_t room; /* bytes that are worth sending; 0 until net says so */
  bool keep_alive, linger;
  bool hungup, drained; /* the client has ended its stream; nothing left to receive for now */
  uint16_t in_used;
  uint16_t head_used, head_sent;
  struct transfer *file; /* that is sent or received; NULL: none */
  struct conn_text *text;
};

extern uint64_t sent_total_bytes;

static inline void layout_request(struct conn *c) {
  (void)c;
}
static inline void layout_sent(struct conn *c, uint32_t bytes) {
  c->sent_bytes += bytes;
  sent_total_bytes += bytes;
}
static inline uint64_t layout_sent_total(void) {
  return sent_total_bytes;
}

#endif
#endif
