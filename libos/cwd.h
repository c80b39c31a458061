/* The working directory: a handle at storage, and its path as text. */
#ifndef PROTEOS_OS_CWD_H
#define PROTEOS_OS_CWD_H

#include <stdbool.h>
#include <stdint.h>

/** Takes over what the process was given; PWD is believed if it leads there. */
void cwd_start(uint32_t handle);
/** Where relative paths begin, for `dir` of libsys/if/fs.h. */
uint32_t cwd_handle(void);
/** Opens it again by its path, after storage has lost the handle. */
bool cwd_reopen(void);
/** Storage has given a handle for something else: if it is that of the working directory, storage
 * was restarted. */
void cwd_given(uint32_t given);
/** Whether storage had lost it; then it is open again. */
bool cwd_was_lost(void);

#endif
