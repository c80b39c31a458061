/* Pipes: a stream of bytes from the handles of its writing end to those of its reading end, which
 * are handles of libsys/if/io.h.
 *
 * A pipe holds PIPE_BYTES. A write of at most PIPE_ATOMIC bytes is never mixed with others. Reading
 * gives the end of the stream (no bytes) once the pipe is empty and no handle of its writing end is
 * left; writing fails with -EPIPE when none of its reading end is. */
#ifndef PROTEOS_IF_PIPE_H
#define PROTEOS_IF_PIPE_H

#include "libsys/if/io.h"
#include "libsys/interface.h"

#define PIPE_BYTES  65536u
#define PIPE_ATOMIC 4096u

/* PIPE_MAKE: a new pipe, with one handle of either end. */
#define PIPE_MAKE_FIELDS(F)
#define PIPE_MAKE_REPLY(F) F(u32, reader) F(u32, writer)
#define PIPE_MESSAGES(M)   M(PIPE_MAKE, 0xb40, pipe_make, PIPE_MAKE_FIELDS, PIPE_MAKE_REPLY)
IPC_INTERFACE(pipe, PIPE_MESSAGES)

#endif
