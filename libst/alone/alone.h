/* What the parts of a version that stands alone share. */
#ifndef LIBST_ALONE_ALONE_H
#define LIBST_ALONE_ALONE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libst/alone/message.h"
#include "libst/st.h"

/* A page that the supervisor shares with the program's versions. */
struct attention {
  _Atomic uint32_t wanted;    /* there may be a message on the channel */
  _Atomic uint32_t by_signal; /* nothing but SIGURG wakes the program */
};

struct alone {
  struct attention *page; /* never NULL */
  int channel;            /* to the supervisor; -1: there is none */
  int wake;               /* the eventfd that the supervisor writes to, hidden */
  int update_fd;          /* the program's descriptor of it, state; 0 = none */
  int exe;
  pid_t pid;
  bool restored;
  bool makes_signalfds; /* this version or one before it */
  struct st_report report;
};
extern struct alone alone;

/** In a new version: plans, imports, and returns when the update has committed. Ends the process
 * otherwise. */
void become(int old_exe, int state);
/** After it has: the update point writes the imported pages back. */
void point_write_back(void);

/** Names what in this process an update cannot carry over: threads, children, timers, locks.
 * @param thorough  also look where it takes long; not while the program stands still
 * @return false when there is nothing */
bool obstacle_find(bool thorough, char *text, size_t cap);
/** The same for the buffers of the standard streams, which libc keeps; empties them if it can. */
bool stream_find(char *text, size_t cap);
/** The same for the stack: functions of libraries that wait for the update point's return. */
bool frames_find(char *text, size_t cap);

/** Holds signals back, or lets them come again. */
void process_hold_signals(bool hold);
/** Forgets the signals that wait for this process. */
void process_drop_signals(void);
/** What the process is besides its memory; while signals are held back, with the mask from before.
 * @param fds,count  receives descriptors: standard ones are borrowed, the last, if there is a
 *                   `directory`, is the caller's
 * @return to be freed by process_free() */
Proteos__Process *process_capture(int *fds, size_t *count);
void process_free(Proteos__Process *p);
/** New version, before commit: signal handlers and the like become this version's.
 * @return 0, or -EINVAL with violations in the report of the import */
int process_follow(Proteos__Process *p);
/** New version, after commit. Takes the message's descriptors. */
void process_become(struct message *in);
/** New version, after commit: epoll descriptors hear of this process's signals. */
void epoll_renew(void);
/** Installs the handler by which a program without st_update_fd() is woken. */
void process_wake_by_signal(void);

#endif
