/* Processes of applications, between them and the process manager.
 *
 * A process is a plain program that the process manager has started in one of the places that the
 * manifest keeps for programs; its endpoint is its own while it lives. Process numbers are counted
 * up from 1 and used once.
 *
 * Signals have Linux's numbers. A process says which it catches and which it ignores. A caught one
 * is made known by the notification PROC_SIGNALLED, and taken with PROC_TAKE; a wait in PROC_WAIT
 * ends with -EINTR. All others have their default action, which the process manager carries out:
 * nothing, stopping, going on, or ending. SIGKILL and SIGSTOP can be neither caught nor ignored.
 *
 * When a process ends, its children have process 1 as their parent, which is the process manager
 * itself; their ends are noted by nobody. A wait status is encoded as Linux does.
 *
 * Errors in a reply's status: -ENOENT (no such program), -EACCES (not executable), -EAGAIN (too
 * many processes), -E2BIG (more than fits), -ESRCH, -EPERM, -ECHILD, -EINVAL, -EINTR, -EBADF (an
 * inherited handle that the caller does not have), -ENOMEM. */
#ifndef PROTEOS_IF_PROC_H
#define PROTEOS_IF_PROC_H

#include "libsys/interface.h"

#define PROC_FDS_MAX  32u /* descriptors that a process may inherit, and have */
#define PROC_NAME_MAX 31u

/** Notification bit from the process manager: caught signals wait, take them with PROC_TAKE. */
enum proc_bit { PROC_SIGNALLED = 1u << 2 };

enum proc_wait_flag {
  PROC_NO_HANG = 1,   /* answer 0 as pid instead of waiting */
  PROC_STOPPED = 2,   /* children that were stopped, too */
  PROC_CONTINUED = 4, /* and those that go on */
};

/* A descriptor of a process: its number there, and what it stands for. */
struct proc_fd {
  uint32_t fd;
  int32_t server; /* endpoint of the server whose handle it is */
  uint32_t handle;
  uint32_t flags; /* the application library's own; carried along */
};

/* PROC_SPAWN's payload: this, then `nfds` struct proc_fd (handles of the caller, which keep
 * existing), then NUL-terminated strings: the program, `nargs` arguments (the first is its name to
 * itself), `nenv` variables NAME=VALUE. A program is a name below root/bin, or a path below
 * root. */
struct proc_spawn {
  uint32_t nfds, nargs, nenv;
  int32_t group;       /* PROC_SAME_GROUP: the caller's; 0: one of its own; or a group's number */
  uint32_t cwd;        /* the caller's handle at storage for the working directory; 0: the root */
  uint32_t user, gid;  /* PROC_SAME_USER: the caller's; only root may give others */
  uint32_t foreground; /* 1: its group becomes that of the console before it runs */
};

#define PROC_SAME_GROUP (-1)
#define PROC_SAME_USER  UINT32_MAX

/* PROC_BEGIN's reply payload: this, then `nfds` struct proc_fd, the process's own now, then `nenv`
 * NUL-terminated variables. */
struct proc_start {
  int32_t pid, parent, group;
  uint32_t user, gid;
  uint32_t cwd; /* handle at storage; 0: the root */
  uint32_t nfds, nenv;
};

enum proc_state { PROC_STARTING, PROC_RUNNING, PROC_IS_STOPPED, PROC_ZOMBIE };

/* One process as PROC_LIST tells it. */
struct proc_info {
  int32_t pid, parent, group;
  int32_t endpoint; /* 0 when it has ended */
  uint32_t user, gid;
  uint32_t state;      /* enum proc_state */
  int32_t status;      /* PROC_ZOMBIE: its wait status */
  uint64_t started_us; /* sys_time_us() at its start */
  uint64_t cpu_us;     /* that it has used */
  char name[PROC_NAME_MAX + 1];
};

enum proc_limit {
  PROC_LIMIT_CHILDREN, /* processes that it may have at a time, its descendants' not counted */
  PROC_LIMIT_CPU_S,    /* seconds of CPU time; then it gets SIGXCPU, by default its end */
};

/* PROC_BEGIN: a process's first call: what it is and has. Answered once its handles are there.
 * PROC_SPAWN: starts a program. Answered once it runs or could not.
 * PROC_WAIT: pid is a child's, -1: any, 0: any of the caller's group, < -1: any of group -pid.
 * PROC_KILL: pid as in POSIX's kill(): < 0 a group. signal 0 only asks.
 * PROC_SIGNALS: bit N-1 is signal N. What is in neither has its default action.
 * PROC_TAKE: caught signals that have come; they are gone then.
 * PROC_SET_GROUP: pid 0: the caller; group 0: one of its own. Of itself or a child.
 * PROC_GET: the process of an endpoint, or (endpoint 0) the one with that pid.
 * PROC_LIST: payload of the reply: struct proc_info of processes with numbers beyond `after`, as
 *   many as fit; none: that is all.
 * PROC_SET_LIMIT: of the caller and of processes that it starts later; limits only get lower.
 * PROC_MEMBERS: how many processes there are in `group`. */
#define PROC_BEGIN_FIELDS(F)
#define PROC_SPAWN_FIELDS(F)
#define PROC_SPAWN_REPLY(F)    F(i32, pid)
#define PROC_WAIT_FIELDS(F)    F(i32, pid) F(x32, flags)
#define PROC_WAIT_REPLY(F)     F(i32, pid) F(x32, status)
#define PROC_KILL_FIELDS(F)    F(i32, pid) F(i32, signal)
#define PROC_SIGNALS_FIELDS(F) F(u64, caught) F(u64, ignored)
#define PROC_TAKE_FIELDS(F)
#define PROC_TAKE_REPLY(F)       F(u64, signals)
#define PROC_SET_GROUP_FIELDS(F) F(i32, pid) F(i32, group)
#define PROC_GET_FIELDS(F)       F(i32, endpoint) F(i32, pid)
#define PROC_GET_REPLY(F)        F(i32, pid) F(i32, parent) F(i32, group) F(u32, user) F(u32, gid)
#define PROC_LIST_FIELDS(F)      F(i32, after)
#define PROC_SET_LIMIT_FIELDS(F) F(u64, value) F(u32, which)
#define PROC_MEMBERS_FIELDS(F)   F(i32, group)
#define PROC_MEMBERS_REPLY(F)    F(u32, count)
#define PROC_MESSAGES(M)                                                                           \
  M(PROC_BEGIN, 0xb00, proc_begin, PROC_BEGIN_FIELDS, IPC_NO_FIELDS)                               \
  M(PROC_SPAWN, 0xb01, proc_spawn_program, PROC_SPAWN_FIELDS, PROC_SPAWN_REPLY)                    \
  M(PROC_WAIT, 0xb02, proc_wait, PROC_WAIT_FIELDS, PROC_WAIT_REPLY)                                \
  M(PROC_KILL, 0xb03, proc_kill, PROC_KILL_FIELDS, IPC_NO_FIELDS)                                  \
  M(PROC_SIGNALS, 0xb04, proc_signals, PROC_SIGNALS_FIELDS, IPC_NO_FIELDS)                         \
  M(PROC_TAKE, 0xb05, proc_take, PROC_TAKE_FIELDS, PROC_TAKE_REPLY)                                \
  M(PROC_SET_GROUP, 0xb06, proc_set_group, PROC_SET_GROUP_FIELDS, IPC_NO_FIELDS)                   \
  M(PROC_GET, 0xb07, proc_get, PROC_GET_FIELDS, PROC_GET_REPLY)                                    \
  M(PROC_LIST, 0xb08, proc_list, PROC_LIST_FIELDS, IPC_NO_FIELDS)                                  \
  M(PROC_SET_LIMIT, 0xb09, proc_set_limit, PROC_SET_LIMIT_FIELDS, IPC_NO_FIELDS)                   \
  M(PROC_MEMBERS, 0xb0a, proc_members, PROC_MEMBERS_FIELDS, PROC_MEMBERS_REPLY)
IPC_INTERFACE(proc, PROC_MESSAGES)

#endif
