/* Which endpoint has which handle of libsys/if/io.h, of what, and what it waits for there.
 *
 * Each endpoint has a row of its own, so that none can take the places of another. */
#ifndef STREAM_HANDLES_H
#define STREAM_HANDLES_H

#include <stdint.h>

#include "libsys/msg.h"

enum {
  HANDLE_OWNERS = 64, /* endpoints have smaller numbers */
  HANDLES_MAX = 64,   /* of one endpoint */
};

struct handle {
  uint32_t object;  /* what it is of: a number from 1 that the server gives a meaning */
  uint32_t watched; /* enum io_event of which its owner has not been told yet */
};

/** Gives `owner` the lowest free handle. @return its number, or 0: it has too many */
uint32_t handle_give(endpoint_t owner, uint32_t object);
/** @return that owner's handle with this number, or NULL */
struct handle *handle_of(endpoint_t owner, uint32_t number);
/** Iterates over an owner's: the first with a number greater than `after`. @return 0: no more */
uint32_t handle_after(endpoint_t owner, uint32_t after);
/** Ends one that exists. @return the object that it was of */
uint32_t handle_end(endpoint_t owner, uint32_t number);

/** How many handles of an object there are, of all owners. */
uint32_t handle_count(uint32_t object);
/** The largest object that there is a handle of; 0: there are none. */
uint32_t handle_largest_object(void);

/** What IO_WATCH asks for. @param events  enum io_event; 0: nothing any more */
void handle_watch(endpoint_t owner, uint32_t number, uint32_t events);
/** Tells those who watch handles of `object` for any of these events, once. */
void handle_tell(uint32_t object, uint32_t events);

/** Does what IO_DUPLICATE asks for, but for counting the object's handles.
 * @param number  receives the new handle
 * @return 0, -EPERM, -EBADF, -EINVAL or -EMFILE */
int handle_duplicate(const msg_t *m, uint32_t *number);

#endif
