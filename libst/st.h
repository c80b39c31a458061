/* libst: state transfer between two versions of an event-driven C program.
 *
 * What the runtime (libsys for components) needs to move a program's state from an old version to a
 * new one. libst knows nothing of the bus: it is given descriptors and reports results.
 *
 * Order of calls, old version (OV) and new version (NV):
 *
 *   both  st_init()                at start, before the sandbox closes
 *   NV    st_plan()                pairs both versions' metadata; refuses what cannot be decided
 *   OV    st_export_prepare()      off the critical path
 *   NV    st_import_prepare()      off the critical path; may be left to st_import()
 *   OV    st_export()              quiescent: state goes into the channel; OV then stays frozen
 *   NV    st_import()              adopts, transforms, checks; memory only
 *   NV    st_check()               evaluates the checks of the update
 *   NV    st_commit()              descriptors unparked, shared mappings writable
 *   NV    st_writeback_slice()     between messages until it returns 0
 *   OV    st_export_cancel()       instead, when the update is rolled back
 *
 * When the old version has died, its state is imported the same way if it had sent it in advance:
 * st_keep(), st_keep_export().
 *
 * Functions return 0 or a negative errno; on failure `struct st_report` holds one violation per
 * line, each naming the datum by path, both types, and what would resolve it. */
#ifndef LIBST_ST_H
#define LIBST_ST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Text for people about a plan or a transfer. */
struct st_report {
  unsigned violations; /* reasons to refuse */
  unsigned notes;      /* decisions worth knowing, and warnings */
  bool strict;         /* warnings count as violations: `strict` of the update's options */
  size_t used;         /* bytes in text, without the NUL */
  char text[16384];    /* lines; cut with a last line that says so */
};

/** Finds this program's own metadata and makes the state heap ready.
 * @param exe_fd  its executable, open for reading; borrowed for the life of the process
 * @param update  true in a new version that will import: its heap then waits for the old one's
 * @return 0; -ENODATA when the executable carries no metadata (not instrumented). */
int st_init(int exe_fd, bool update);

/** What is asked of one update beyond moving the state. */
struct st_options {
  char **checks; /* conditions on the state, see st_check_compile() */
  size_t check_count;
  bool validate; /* transfer back into a copy, and compare it with the old version's state */
  bool relocate; /* move every block that can move: a pointer that is not known shows up */
  bool strict;   /* what is otherwise a warning is a violation */
};

/** Options as bytes (UpdateOptions of proto/options.proto), to bring them to the new version.
 * @return owned by the caller (free()), or NULL without memory */
void *st_options_pack(const struct st_options *options, size_t *bytes);
/** @param bytes  0: no options
 * @return owned by the caller, or NULL: no such record, or no memory */
struct st_options *st_options_unpack(const void *packed, size_t bytes);
void st_options_free(struct st_options *options);

/** Pairs the old version's metadata with this program's and computes the plan.
 * @param old_exe_fd  the old version's executable; borrowed until st_commit()
 * @param options     for the import too; may be NULL; not kept
 * @return 0; -ENODATA when it is not instrumented; -EINVAL when something is refused (in report).
 */
int st_plan(int old_exe_fd, const struct st_options *options, struct st_report *report);

/** Old version: makes and prefaults what st_export() will need.
 * @param channel  SOCK_SEQPACKET socket to the new version; owned by libst from now on */
int st_export_prepare(int channel);
/** Old version, prepared: says for people what the state takes ("3 KB of variables and ..."). */
void st_export_describe(char *text, size_t cap);
/** Old version: sends the state. The caller then must not run program code until
 * st_export_cancel(). Descriptors at or above 3 are exported, except the runtime's own, named by
 * st_exclude_fd(). */
int st_export(void);
/** Old version: the update is off. */
void st_export_cancel(void);
/** Keeps descriptor `fd` out of the state: it is the runtime's own. */
void st_exclude_fd(int fd);

/** New version, planned: waits for what st_export_prepare() sends on `channel`, and does all of the
 * import that does not need the state, so that the old version is frozen for less time.
 * @return 0; -EPIPE when the old version went away, or another negative errno. */
int st_import_prepare(int channel, struct st_report *report);
/** New version: waits for the state on `channel`, adopts the heap copy-on-write, transfers and
 * checks. Descriptors are parked and shared mappings read-only afterwards.
 * @return 0; -EINVAL with violations in report; -EPIPE when the old version went away. */
int st_import(int channel, struct st_report *report);
/** New version, after commit: descriptors and shared mappings come alive. */
int st_commit(void);

/** After st_commit(): writes changed pages back to the shared heap.
 * @param max_us  stop after about this many microseconds
 * @return 1 when there is more to do, 0 when done, or a negative errno. */
int st_writeback_slice(unsigned max_us);

/** Maps `bytes` of descriptor `fd` shared, at an address that the state keeps over updates; libst
 * carries the mapping over. Takes over `fd`. An object that is mapped already, also by the old
 * version, keeps its address and is not mapped again.
 * @return the address, or NULL with errno set. */
void *st_map_shared(int fd, size_t bytes);

/** Maps `n` objects of `bytes` each, one behind the other without gaps, like st_map_shared(), but
 * anew even if one of them is mapped already. `bytes` is a multiple of the page size. Takes over
 * all of `fds`. @return the address, or NULL with errno set: nothing is mapped then. */
void *st_map_run(const int *fds, unsigned n, size_t bytes);

/** Ends the mappings that lie in the `bytes` from `address`, whole ones only.
 * @return 0, or -EINVAL: there is none */
int st_unmap_shared(void *address, size_t bytes);

/* ---- state that outlives its process ---- */

/** Moves the program's variables to memory that outlives the process, as the heap does. After
 * st_init(), before the program runs. @return 0 or a negative errno */
int st_keep(void);
/** Whether what st_keep_export() last sent no longer describes this process. */
bool st_keep_due(void);
/** Sends the state in advance: whoever gets `channel` as a new version's, once this process has
 * ended, imports the state as it then was, all but the descriptors. The heap is checked more
 * closely then, as the process may have ended anywhere; state of which a part was not yet written
 * back after an update is refused.
 * @param channel  SOCK_SEQPACKET; closed
 * @return 0 or a negative errno */
int st_keep_export(int channel);

/* ---- state filters: C-like expressions over the program's own variables ---- */

struct st_filter;
struct st_meta; /* libst/meta.h */

/** True when `bytes` at `p` are memory that the program owns: its image, its state heap, a shared
 * mapping of its state. What a filter follows must be. */
bool st_addressable(const void *p, size_t bytes);

/** Compiles `text` against metadata: variables (globals, file statics; `'file.c'::name` selects
 * among several, `function::name` is a function's static), members by `.` and `->`, indexing, * and
 * &, comparison, logic, `? :`, arithmetic, numbers, characters and enumerators, all as in C.
 * @param error,error_cap  receives one line that names the offending word and its column
 * @return the filter, owned by the caller, or NULL. */
struct st_filter *st_filter_compile(const struct st_meta *meta, const char *text, char *error,
                                    size_t error_cap);
/** Evaluates against this process's memory; the filter must be compiled against st_self().
 * @return 1 true, 0 false, -EFAULT when it would follow an invalid pointer, -EDOM on division by 0
 */
int st_filter_eval(const struct st_filter *filter);
void st_filter_free(struct st_filter *filter);

/* ---- checks: conditions on the state before and after an update ---- */

/** Whether a check can be compiled: an expression as in state filters, over the variables of the
 * new version, in which old(EXPRESSION) is a number that the old version had when it froze.
 * @return 0, or a negative errno with one line in `error` */
int st_check_compile(const struct st_meta *old, const struct st_meta *new, const char *text,
                     char *error, size_t error_cap);
/** New version, after st_import() and what the program itself then changes, before commit:
 * evaluates the checks of the update.
 * @param report  of st_import(), added to
 * @return 0; -EINVAL with violations in report */
int st_check(struct st_report *report);

/** This program's own metadata; valid after st_init(). */
const struct st_meta *st_self(void);
/** Where this program's image is loaded: run-time address minus link-time address. */
uintptr_t st_image_base(void);

#include "libst/alone.h"

#endif
