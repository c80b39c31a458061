/* Files of storage on their way to or from a connection.
 *
 * Each has at most one call to storage in flight, and one buffer. Nothing waits: an answer comes
 * through transfer_reply(), which tells the connection. When storage is restarted, downloads open
 * their file again and go on where they were, if it is still the same; uploads fail, as nobody
 * knows what of them was kept. */
#ifndef HTTPD_TRANSFER_H
#define HTTPD_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "libst/annotate.h"
#include "libsys/msg.h"

enum { TRANSFER_BYTES = 65536, TRANSFER_PATH_BYTES = 1400 };

enum transfer_state {
  TRANSFER_OPENING,
  TRANSFER_ASKING, /* what the file is */
  TRANSFER_READY,  /* the buffer is its connection's */
  TRANSFER_READING,
  TRANSFER_WRITING,
  TRANSFER_RENAMING,
  TRANSFER_SYNCING,
  TRANSFER_STALLED, /* storage is away; a download goes on when it is back */
  TRANSFER_DONE,    /* an upload is kept */
  TRANSFER_FAILED,  /* status says how */
};

/* In a block of its own: an update leaves it where it is. */
struct transfer_data {
  char bytes[TRANSFER_BYTES];
};
ST_FIELD(struct transfer_data, bytes, opaque); /* a client's or a file's */

struct transfer {
  TAILQ_ENTRY(transfer) link;
  uint64_t id; /* the cookie of its calls */
  enum transfer_state state;
  bool upload;
  bool pending;   /* a call is in flight */
  bool starved;   /* there were too many calls: to be tried again */
  bool opened;    /* it was open before: it is opened again */
  bool abandoned; /* its connection is gone; it ends with its answer */
  bool directory;
  int status;        /* TRANSFER_FAILED: of HTTP */
  uint32_t handle;   /* 0: not open */
  uint64_t offset;   /* up to where the file was read into the buffer, or written from it */
  uint64_t end;      /* its length */
  uint32_t used, at; /* of the buffer: filled, and taken out */
  uint64_t inode;
  int64_t modified_ns;
  char path[TRANSFER_PATH_BYTES];
  char part[TRANSFER_PATH_BYTES]; /* an upload's name until it is complete; "" once it is not */
  struct transfer_data *data;
};

/** Begins to open a file for reading. @return NULL when memory is lacking */
struct transfer *transfer_download(const char *path);
/** Begins to make a file of `bytes` bytes, which takes its name when all of it is there. */
struct transfer *transfer_upload(const char *directory, const char *name, uint64_t bytes);
/** Its connection wants it no more. */
void transfer_end(struct transfer *t);

/** A download, in TRANSFER_READY with an empty buffer: reads on. */
void transfer_read(struct transfer *t);
/** An upload, in TRANSFER_READY: writes the buffer; after the last byte renames and syncs. */
void transfer_write(struct transfer *t);

/** Takes an answer to a sys_call(). @return the transfer whose connection is to look again, NULL */
struct transfer *transfer_reply(const msg_t *m);
/** Storage was restarted: its handles are gone. Connections are to look at uploads. */
void transfers_restarted(void);
/** The component ends: what is not whole goes. */
void transfers_shutdown(void);
/** Asks again what there were too many calls for, and on demand what waits for storage. */
void transfers_retry(bool stalled);

#endif
