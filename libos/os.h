/* libos: what programs use of the system, in the manner of POSIX.
 *
 *   #include "libos/os.h"
 *
 *   int main(int argc, char **argv) {
 *     os_start();
 *     printf("%d arguments\n", argc - 1);
 *     return 0;
 *   }
 *
 * For plain programs: a call may block until a server answers, so a program is not updated itself
 * but goes on through every update of the servers. Event loops use libsys/if/ instead.
 *
 * Functions are those of POSIX.1-2017 with os_ before their name, and take its types and constants;
 * only what differs is described here. They return -1 and set errno where POSIX says so. A server
 * that died or was restarted during a call is EIO; its descriptors are lost, and EBADF or EIO from
 * then on. A server that the manifest gives no edge to is ENOSYS.
 *
 * From the C library programs use what does not need the kernel: memory, strings, time
 * conversions, getenv() and setenv(), exit(), and stdio on stdin, stdout and stderr, which stand
 * for descriptors 0, 1 and 2, and on streams of os_fdopen(). Its open(), fork() and signal() fail
 * or mean nothing here.
 *
 * Outside of the process manager, as a component of the manifest, a program has no process number
 * and no descriptors: stdout and stderr go to its log, process functions fail with ENOSYS. */
#ifndef PROTEOS_OS_H
#define PROTEOS_OS_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "libsys/if/proc.h"

/** Descriptors that a process may have: 0 to OS_FDS_MAX - 1. */
#define OS_FDS_MAX PROC_FDS_MAX

/** Connects to the system: descriptors, variables, working directory. Call it first in main().
 * Ends the program with a line of its log if it can't be one. */
void os_start(void);

/** Text of an errno value; also those of the bus. Valid until the next call. */
const char *os_strerror(int error);
/** Prints "PROGRAM: WHAT: error" to stderr, from errno. `what` may be NULL. */
void os_perror(const char *what);
/** The same with a text for WHAT, and exits with `status`. */
void os_die(int status, const char *what, ...) __attribute__((noreturn, format(printf, 2, 3)));
/** The name that the program was called by, without directories; "?" before os_start(). */
const char *os_program(void);

/* ---- descriptors ---- */

/** Flags: O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW,
 * O_NONBLOCK; others are EINVAL. The names /dev/console, /dev/tty (both the console) and /dev/null
 * are this library's, whatever storage has. */
int os_open(const char *path, int flags, ...);
int os_close(int fd);
ssize_t os_read(int fd, void *data, size_t bytes);
/** Writes all of it, unless it fails or the descriptor is O_NONBLOCK. EPIPE comes with SIGPIPE:
 * unless that is caught or ignored, the program ends. */
ssize_t os_write(int fd, const void *data, size_t bytes);
ssize_t os_pread(int fd, void *data, size_t bytes, off_t offset);
ssize_t os_pwrite(int fd, const void *data, size_t bytes, off_t offset);
off_t os_lseek(int fd, off_t offset, int whence);
int os_dup(int fd);
int os_dup2(int fd, int to);
/** fcntl()'s F_DUPFD: the lowest free number from `from` on. */
int os_dup_from(int fd, int from);
/** @param fds  receives the reading end and the writing end */
int os_pipe(int fds[2]);
/** Turns O_NONBLOCK on or off. Belongs to the descriptor, and to those made from it later. */
int os_set_nonblock(int fd, bool on);
/** Waits for POLLIN and POLLOUT; reports POLLHUP, POLLERR and POLLNVAL. Regular files are always
 * ready. timeout_ms < 0: without end. Negative descriptors are left out. */
int os_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
/** Formatted output straight to a descriptor, in one write of at most 4095 bytes. */
int os_printf(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** A stdio stream over a descriptor; fclose() closes that too. mode: "r", "w" or "r+". */
FILE *os_fdopen(int fd, const char *mode);

/* ---- files and directories ---- */

int os_stat(const char *path, struct stat *st);
int os_lstat(const char *path, struct stat *st);
int os_fstat(int fd, struct stat *st);
/** @param how  F_OK, or R_OK, W_OK and X_OK or-ed */
int os_access(const char *path, int how);
int os_mkdir(const char *path, mode_t mode);
int os_rmdir(const char *path);
int os_unlink(const char *path);
int os_rename(const char *from, const char *to);
int os_link(const char *from, const char *to);
int os_symlink(const char *says, const char *path);
ssize_t os_readlink(const char *path, char *says, size_t bytes);
int os_chmod(const char *path, mode_t mode);
/** (uid_t)-1 and (gid_t)-1 leave it. */
int os_chown(const char *path, uid_t user, gid_t group);
/** times: last access and last modification, with UTIME_NOW and UTIME_OMIT; NULL: both now. */
int os_utimens(const char *path, const struct timespec times[2]);
int os_truncate(const char *path, off_t bytes);
int os_ftruncate(int fd, off_t bytes);
/** All that was written is kept when it returns. */
int os_fsync(int fd);
int os_sync(void);
int os_statvfs(struct statvfs *st);
/** Carried to children in the variable UMASK. */
mode_t os_umask(mode_t mask);

/** Also sets the variable PWD. A directory that may be searched but not read is EACCES. */
int os_chdir(const char *path);
/** @return path, or NULL with errno ERANGE when `bytes` are not enough */
char *os_getcwd(char *path, size_t bytes);

struct os_dirent {
  ino_t inode;
  unsigned char type; /* DT_REG, DT_DIR, DT_LNK, ... */
  char name[256];
};
typedef struct os_dir OS_DIR;
OS_DIR *os_opendir(const char *path);
/** @return the next entry, valid until the next call, "." and ".." too; NULL at the end, with errno
 * 0, or when it fails. */
const struct os_dirent *os_readdir(OS_DIR *dir);
int os_closedir(OS_DIR *dir);

/* ---- processes ---- */

/** A descriptor of a child: its number there, and here. */
struct os_spawn_fd {
  int there, here;
};

/** What to start, and how. */
struct os_spawn {
  const char *program;           /* a name below root/bin, or a path below root, of the manifest */
  char *const *args;             /* ended by NULL; the first is its name to itself */
  char *const *env;              /* ended by NULL; NULL: this program's */
  const struct os_spawn_fd *fds; /* NULL: 0, 1 and 2 as they are here, where they are open */
  unsigned nfds;
  int group;       /* PROC_SAME_GROUP, 0: one of its own, or a group's number */
  bool foreground; /* its group gets the console */
};

/** Starts a program in a process of its own.
 * @return its process number; -1: ENOENT, EACCES, EAGAIN (too many processes), E2BIG, EBADF, ... */
pid_t os_spawn(const struct os_spawn *how);
pid_t os_waitpid(pid_t pid, int *status, int options);
int os_kill(pid_t pid, int signal);
pid_t os_getpid(void);
pid_t os_getppid(void);
pid_t os_getpgrp(void);
uid_t os_getuid(void);
gid_t os_getgid(void);
int os_setpgid(pid_t pid, pid_t group);
/** Processes with numbers beyond `after`, at most `max`. @return how many; 0: no more */
int os_processes(pid_t after, struct proc_info *list, unsigned max);
/** @param which  enum proc_limit */
int os_limit(int which, uint64_t value);

/** What a signal does: SIG_DFL, SIG_IGN, or a handler.
 *
 * A handler runs inside of library calls only, so it may do anything; a program that computes
 * without calling is not interrupted. os_read(), os_write(), os_poll(), os_waitpid() and
 * os_nanosleep() that wait end with EINTR after it; other calls finish first.
 * @return what it did before, or SIG_ERR */
typedef void (*os_handler_t)(int signal);
os_handler_t os_signal(int signal, os_handler_t handler);

/* ---- the console ---- */

int os_isatty(int fd);
/** Of the flags ICANON, ECHO, ISIG, ICRNL and OPOST (with ONLCR), of the characters VINTR, VQUIT,
 * VSUSP, VERASE, VKILL, VWERASE, VEOF and VLNEXT have a meaning; the others read as 0. */
int os_tcgetattr(int fd, struct termios *modes);
/** @param when  TCSANOW, TCSADRAIN, or TCSAFLUSH, which drops what was typed */
int os_tcsetattr(int fd, int when, const struct termios *modes);
int os_winsize(int fd, struct winsize *size);
pid_t os_tcgetpgrp(int fd);
int os_tcsetpgrp(int fd, pid_t group);

/* ---- sockets: TCP over IPv4 ---- */

int os_socket(void);
int os_bind(int fd, const struct sockaddr_in *address);
int os_listen(int fd, int backlog);
/** @param peer  may be NULL */
int os_accept(int fd, struct sockaddr_in *peer);
/** Waits, unless the socket is O_NONBLOCK: then EINPROGRESS, and POLLOUT or POLLERR follows. */
int os_connect(int fd, const struct sockaddr_in *address);
ssize_t os_send(int fd, const void *data, size_t bytes);
ssize_t os_recv(int fd, void *data, size_t bytes);
/** @param how  SHUT_RD, SHUT_WR or SHUT_RDWR */
int os_shutdown(int fd, int how);
int os_getsockname(int fd, struct sockaddr_in *address);
int os_getpeername(int fd, struct sockaddr_in *address);
/** Makes an address of "a.b.c.d" and a port. There are no host names: the system has no DNS.
 * @return 0, or -1 with EINVAL */
int os_resolve(const char *host, uint16_t port, struct sockaddr_in *address);

/* ---- time ---- */

/** Seconds since 1970. */
time_t os_time(void);
/** @param clock  CLOCK_REALTIME or CLOCK_MONOTONIC */
int os_clock_gettime(clockid_t clock, struct timespec *now);
/** @param left  if not NULL, and it was interrupted, receives what was left */
int os_nanosleep(const struct timespec *how_long, struct timespec *left);

#endif
