/* Streams: what an application reads and writes by a handle, whichever server the handle is of:
 * a file of storage, an end of a pipe, the console of tty.
 *
 * A handle is a small number from 1 that a server gives to an endpoint; it means nothing to others,
 * who get -EBADF. It refers to an open object (POSIX: an open file description). Duplicates refer
 * to the same object: they share its position and end it with the last of them. Handles live until
 * IO_CLOSE, their owner's death, or the server's restart (SYS_RESTARTED).
 *
 * No operation blocks the server. One that can't be done yet is answered -EAGAIN, or, with IO_WAIT,
 * answered once it can be done: plain programs block in sys_sendrec() that way, event loops use
 * sys_call().
 *
 * Contents may also go through memory that the caller lends: a grant of an area of its own to the
 * server (libsys/if/mem.h), instead of payload. Then one message moves more than
 * SYS_PAYLOAD_MAX, or many pieces (POSIX: lio_listio()). Storage knows this; other servers answer
 * -ENOSYS.
 *
 * Errors in a reply's status: -EBADF (no handle of the caller's, or not open for that), -EINVAL,
 * -EAGAIN, -EINTR (the wait was ended by a signal of the console), -EMFILE (too many handles),
 * -EPIPE, -EIO, -ENOSPC, -EFBIG, -ENOMEM, -ESPIPE (a position where there is none), -ENOSYS, and of
 * grants -ENOENT (none to the server, or revoked), -EACCES (another's, or without the right),
 * -EFAULT (it is shorter). */
#ifndef PROTEOS_IF_IO_H
#define PROTEOS_IF_IO_H

#include "libsys/interface.h"

/** As an offset: the object's own position, which moves on. */
#define IO_POSITION UINT64_MAX

enum io_flag { IO_WAIT = 1 /* answer later instead of -EAGAIN */ };

/** A piece of IO_READ_LIST. */
struct io_piece {
  uint64_t offset; /* in the file, not IO_POSITION */
  uint64_t at;     /* in the grant */
  uint32_t bytes;
  uint32_t unused; /* 0 */
};

/** Pieces of one list, at most. */
#define IO_LIST_MAX 64u

/** Notification bit from server to application: one of the watched handles is ready. */
enum io_bit { IO_READY = 1u << 1 };

enum io_event {
  IO_IN = 1,  /* IO_READ would be answered at once: bytes, or the end of the stream */
  IO_OUT = 2, /* IO_WRITE would take bytes, or fail, at once */
  IO_HUP = 4, /* the other side is gone; reported whether asked for or not */
};

/* IO_READ: the payload is what was read, at most `max` bytes and SYS_PAYLOAD_MAX; none is the end.
 * IO_WRITE: the payload is what to write; `taken` bytes of it were taken, at least one.
 * IO_READ_INTO: the same as IO_READ, into bytes `at` and on of the grant; `taken` says how many.
 * IO_WRITE_FROM: the same as IO_WRITE, of `bytes` bytes of it.
 * IO_READ_LIST: reads all pieces of the payload (struct io_piece, up to IO_LIST_MAX), in any order,
 *   into the grant. Answered when the last one is there: the payload has an int32_t for each, bytes
 *   that were read or a negative errno. Pieces at the end for which there is no room are left out,
 *   and the first may be cut, like IO_READ_INTO: ask again for the rest. -EINVAL: no pieces, a part
 *   of one, too many, an offset beyond INT64_MAX, or `unused` is used.
 * IO_CLOSE: ends a handle. What was written stays in the server's hands; FS_SYNC_FILE makes it
 *   last.
 * IO_DUPLICATE: a further handle of `to` for what `handle` of `from` refers to. The process
 *   manager may name anybody, others only themselves; -EPERM.
 * IO_WATCH: which of `events` (enum io_event) are there; when none is, IO_READY comes once, as soon
 *   as one is: ask again. A later IO_WATCH of the handle replaces it; events 0 ends it. */
#define IO_READ_FIELDS(F)      F(u64, offset) F(u32, handle) F(u32, max) F(x32, flags)
#define IO_WRITE_FIELDS(F)     F(u64, offset) F(u32, handle) F(x32, flags)
#define IO_WRITE_REPLY(F)      F(u32, taken)
#define IO_CLOSE_FIELDS(F)     F(u32, handle)
#define IO_DUPLICATE_FIELDS(F) F(u32, handle) F(i32, from) F(i32, to)
#define IO_DUPLICATE_REPLY(F)  F(u32, handle)
#define IO_WATCH_FIELDS(F)     F(u32, handle) F(x32, events)
#define IO_WATCH_REPLY(F)      F(x32, events)
#define IO_READ_INTO_FIELDS(F)                                                                     \
  F(u64, offset) F(u64, at) F(u32, handle) F(u32, grant) F(u32, bytes) F(x32, flags)
#define IO_READ_INTO_REPLY(F)   F(u32, taken)
#define IO_WRITE_FROM_FIELDS(F) IO_READ_INTO_FIELDS(F)
#define IO_WRITE_FROM_REPLY(F)  F(u32, taken)
#define IO_READ_LIST_FIELDS(F)  F(u32, handle) F(u32, grant)
#define IO_MESSAGES(M)                                                                             \
  M(IO_READ, 0x800, io_read, IO_READ_FIELDS, IPC_NO_FIELDS)                                        \
  M(IO_WRITE, 0x801, io_write, IO_WRITE_FIELDS, IO_WRITE_REPLY)                                    \
  M(IO_CLOSE, 0x802, io_close, IO_CLOSE_FIELDS, IPC_NO_FIELDS)                                     \
  M(IO_DUPLICATE, 0x803, io_duplicate, IO_DUPLICATE_FIELDS, IO_DUPLICATE_REPLY)                    \
  M(IO_WATCH, 0x804, io_watch, IO_WATCH_FIELDS, IO_WATCH_REPLY)                                    \
  M(IO_READ_INTO, 0x805, io_read_into, IO_READ_INTO_FIELDS, IO_READ_INTO_REPLY)                    \
  M(IO_WRITE_FROM, 0x806, io_write_from, IO_WRITE_FROM_FIELDS, IO_WRITE_FROM_REPLY)                \
  M(IO_READ_LIST, 0x807, io_read_list, IO_READ_LIST_FIELDS, IPC_NO_FIELDS)
IPC_INTERFACE(io, IO_MESSAGES)

#endif
