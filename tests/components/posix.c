/* What libos promises, tried by a program: `posix` runs all cases, `posix NAME` one, and prints
 * what does not hold. */
#include <string.h>

#include "libos/os.h"
#include "libsys/area.h"
#include "libsys/if/fs.h"
#include "libsys/sys.h"

static const char *current;
static int failures;

#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      printf("%s: line %d: %s (errno %d)\n", current, __LINE__, #condition, errno);                \
      failures++;                                                                                  \
    }                                                                                              \
  } while (0)
#define FAILS(call, error)                                                                         \
  do {                                                                                             \
    errno = 0;                                                                                     \
    CHECK((call) == -1 && errno == (error));                                                       \
  } while (0)

static void files(void) {
  char data[16];
  struct stat st;
  int fd = os_open("p/file", O_RDWR | O_CREAT | O_EXCL, 0640);
  CHECK(fd >= 3);
  FAILS(os_open("p/file", O_RDWR | O_CREAT | O_EXCL, 0640), EEXIST);
  CHECK(os_write(fd, "0123456789", 10) == 10);
  CHECK(os_lseek(fd, 0, SEEK_CUR) == 10 && os_lseek(fd, -4, SEEK_END) == 6);
  CHECK(os_read(fd, data, sizeof data) == 4 && memcmp(data, "6789", 4) == 0);
  CHECK(os_read(fd, data, sizeof data) == 0);
  CHECK(os_pread(fd, data, 3, 2) == 3 && memcmp(data, "234", 3) == 0);
  CHECK(os_pwrite(fd, "xy", 2, 4) == 2 && os_lseek(fd, 0, SEEK_CUR) == 10);
  CHECK(os_fstat(fd, &st) == 0 && st.st_size == 10 && S_ISREG(st.st_mode));
  CHECK((st.st_mode & 0777) == 0640);
  CHECK(os_ftruncate(fd, 5) == 0 && os_fstat(fd, &st) == 0 && st.st_size == 5);
  CHECK(os_fsync(fd) == 0 && os_close(fd) == 0);
  FAILS(os_close(fd), EBADF);
  FAILS(os_read(fd, data, 1), EBADF);
  fd = os_open("p/file", O_RDONLY);
  FAILS(os_write(fd, "x", 1), EBADF);
  CHECK(os_read(fd, data, sizeof data) == 5 && memcmp(data, "0123x", 5) == 0);
  os_close(fd);
  fd = os_open("p/file", O_WRONLY | O_APPEND);
  CHECK(os_write(fd, "end", 3) == 3 && os_stat("p/file", &st) == 0 && st.st_size == 8);
  os_close(fd);
  FAILS(os_open("p/none", O_RDONLY), ENOENT);
  FAILS(os_open("p", O_WRONLY), EISDIR);
  FAILS(os_open("p/file", O_RDONLY | O_DIRECTORY), ENOTDIR);
  FAILS(os_open("p/file", O_RDONLY | O_SYNC), EINVAL);
  FAILS(os_open("", O_RDONLY), ENOENT);
}

static void names(void) {
  char says[64];
  struct stat st, link;
  CHECK(os_mkdir("p/d", 0777) == 0 && os_stat("p/d", &st) == 0 && S_ISDIR(st.st_mode));
  CHECK((st.st_mode & 0777) == 0755);
  FAILS(os_mkdir("p/d", 0777), EEXIST);
  os_close(os_open("p/d/a", O_WRONLY | O_CREAT, 0666));
  FAILS(os_rmdir("p/d"), ENOTEMPTY);
  FAILS(os_unlink("p/d"), EISDIR);
  CHECK(os_link("p/d/a", "p/b") == 0 && os_stat("p/b", &st) == 0 && st.st_nlink == 2);
  CHECK(os_symlink("d/a", "p/s") == 0 && os_stat("p/s", &link) == 0 && link.st_ino == st.st_ino);
  CHECK(os_lstat("p/s", &link) == 0 && S_ISLNK(link.st_mode) && link.st_size == 3);
  CHECK(os_readlink("p/s", says, sizeof says) == 3 && memcmp(says, "d/a", 3) == 0);
  CHECK(os_readlink("p/s", says, 2) == 2);
  FAILS(os_open("p/s", O_RDONLY | O_NOFOLLOW), ELOOP);
  CHECK(os_chmod("p/b", 04711) == 0 && os_stat("p/b", &st) == 0 && (st.st_mode & 07777) == 04711);
  CHECK(os_chown("p/b", 7, (gid_t)-1) == 0 && os_stat("p/b", &st) == 0 && st.st_uid == 7);
  struct timespec times[2] = {{1000, 5}, {0, UTIME_OMIT}};
  time_t modified = st.st_mtime;
  CHECK(os_utimens("p/b", times) == 0 && os_stat("p/b", &st) == 0);
  CHECK(st.st_atime == 1000 && st.st_mtime == modified);
  CHECK(os_rename("p/b", "p/c") == 0 && os_access("p/c", F_OK) == 0);
  FAILS(os_access("p/b", F_OK), ENOENT);
  CHECK(os_truncate("p/c", 3) == 0 && os_stat("p/c", &st) == 0 && st.st_size == 3);
  CHECK(os_unlink("p/c") == 0 && os_unlink("p/s") == 0 && os_unlink("p/d/a") == 0);
  CHECK(os_rmdir("p/d") == 0);
  char name[300];
  memset(name, 'n', sizeof name - 1);
  name[sizeof name - 1] = 0;
  FAILS(os_stat(name, &st), ENAMETOOLONG);
}

static void directories(void) {
  char path[64], here[256];
  unsigned seen = 0, dots = 0;
  const struct os_dirent *e;
  CHECK(os_mkdir("p/many", 0777) == 0);
  for (int i = 0; i < 500; i++) {
    snprintf(path, sizeof path, "p/many/some-longer-name-%d", i);
    os_close(os_open(path, O_WRONLY | O_CREAT, 0666));
  }
  OS_DIR *dir = os_opendir("p/many");
  CHECK(dir);
  while (dir && (e = os_readdir(dir))) {
    dots += *e->name == '.';
    seen += e->type == DT_REG;
  }
  CHECK(errno == 0 && seen == 500 && dots == 2);
  CHECK(dir && os_closedir(dir) == 0);
  errno = 0;
  CHECK(!os_opendir("p/file-that-is-not"));
  CHECK(os_chdir("p/many") == 0 && os_getcwd(here, sizeof here));
  CHECK(strlen(here) >= 7 && strcmp(here + strlen(here) - 7, "/p/many") == 0);
  CHECK(os_access("some-longer-name-7", F_OK) == 0);
  CHECK(os_rename("../many", "../moved") == 0 && os_getcwd(here, sizeof here));
  CHECK(strlen(here) >= 8 && strcmp(here + strlen(here) - 8, "/p/moved") == 0);
  CHECK(!os_getcwd(here, 5) && errno == ERANGE);
  CHECK(os_chdir("../..") == 0 && strcmp(getenv("PWD"), os_getcwd(here, sizeof here)) == 0);
  FAILS(os_chdir("p/none"), ENOENT);
}

static void duplicates(void) {
  char c;
  int fd = os_open("p/dup", O_RDWR | O_CREAT | O_TRUNC, 0666), other = os_dup(fd);
  CHECK(os_write(fd, "ab", 2) == 2 && os_lseek(other, 0, SEEK_CUR) == 2);
  CHECK(os_close(fd) == 0 && os_lseek(other, 0, SEEK_SET) == 0);
  CHECK(os_read(other, &c, 1) == 1 && c == 'a');
  CHECK(os_dup2(other, 9) == 9 && os_close(other) == 0);
  CHECK(os_read(9, &c, 1) == 1 && c == 'b' && os_dup2(9, 9) == 9);
  os_close(9);
  FAILS(os_dup(9), EBADF);
  FAILS(os_dup2(0, OS_FDS_MAX), EBADF);
  int fds[OS_FDS_MAX], n = 0;
  while ((fds[n] = os_dup(0)) >= 0)
    n++;
  CHECK(errno == EMFILE);
  FAILS(os_open("p/dup", O_RDONLY), EMFILE);
  while (n)
    os_close(fds[--n]);
}

static void null(void) {
  char c;
  int fd = os_open("/dev/null", O_RDWR);
  struct stat st;
  CHECK(os_write(fd, "x", 1) == 1 && os_read(fd, &c, 1) == 0);
  CHECK(os_fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && !os_isatty(fd));
  CHECK(os_close(fd) == 0);
}

static void pipes(void) {
  int ends[2];
  static char big[100000];
  CHECK(os_pipe(ends) == 0 && os_write(ends[1], "abc", 3) == 3);
  CHECK(os_read(ends[0], big, sizeof big) == 3);
  FAILS(os_lseek(ends[0], 0, SEEK_SET), ESPIPE);
  FAILS(os_pread(ends[0], big, 1, 0), ESPIPE);
  CHECK(os_set_nonblock(ends[0], true) == 0 && os_set_nonblock(ends[1], true) == 0);
  FAILS(os_read(ends[0], big, 1), EAGAIN);
  ssize_t n = os_write(ends[1], big, sizeof big);
  CHECK(n > 0 && n < (ssize_t)sizeof big);
  FAILS(os_write(ends[1], big, 1), EAGAIN);
  struct pollfd p[] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}, {-1, POLLIN, 0}};
  CHECK(os_poll(p, 3, -1) == 1 && p[0].revents == POLLIN && !p[1].revents && !p[2].revents);
  CHECK(os_read(ends[0], big, sizeof big) > 0);
  CHECK(os_close(ends[1]) == 0);
  while (os_read(ends[0], big, sizeof big) > 0) {
  }
  CHECK(os_read(ends[0], big, 1) == 0);
  CHECK(os_poll(p, 1, -1) == 1 && p[0].revents & POLLHUP);
  os_close(ends[0]);
}

static unsigned came;

static void count(int signal) {
  (void)signal;
  came++;
}

static void broken_pipe(void) {
  int ends[2];
  CHECK(os_pipe(ends) == 0 && os_close(ends[0]) == 0);
  came = 0;
  CHECK(os_signal(SIGPIPE, count) == SIG_DFL);
  FAILS(os_write(ends[1], "x", 1), EPIPE);
  CHECK(came == 1);
  CHECK(os_signal(SIGPIPE, SIG_IGN) == count);
  FAILS(os_write(ends[1], "x", 1), EPIPE);
  CHECK(came == 1 && os_signal(SIGPIPE, SIG_DFL) == SIG_IGN);
  os_close(ends[1]);
}

static void polls(void) {
  int file = os_open("p/poll", O_RDWR | O_CREAT, 0666), ends[2];
  struct pollfd p[] = {{file, POLLIN | POLLOUT, 0}, {30, POLLIN, 0}};
  CHECK(os_poll(p, 2, -1) == 2 && p[0].revents == (POLLIN | POLLOUT) && p[1].revents == POLLNVAL);
  os_close(file);
  CHECK(os_pipe(ends) == 0);
  p[0] = (struct pollfd){ends[0], POLLIN, 0};
  struct timespec before, after;
  os_clock_gettime(CLOCK_MONOTONIC, &before);
  CHECK(os_poll(p, 1, 30) == 0 && os_poll(p, 1, 0) == 0);
  os_clock_gettime(CLOCK_MONOTONIC, &after);
  CHECK((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec >= 30000000);
  os_close(ends[0]);
  os_close(ends[1]);
}

static pid_t start(const char *what, const char *argument, int group) {
  char *args[] = {(char *)what, (char *)argument, NULL};
  return os_spawn(&(struct os_spawn){.program = what, .args = args, .group = group});
}

static void children(void) {
  int status = 0;
  pid_t pid = start("false", NULL, PROC_SAME_GROUP);
  CHECK(pid > 0 && os_waitpid(pid, &status, 0) == pid);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
  FAILS(os_waitpid(-1, &status, 0), ECHILD);
  FAILS(start("nonesuch", NULL, PROC_SAME_GROUP), ENOENT);
  pid = start("sleep", "1000", 0);
  CHECK(os_waitpid(-1, &status, WNOHANG) == 0);
  CHECK(os_kill(pid, SIGSTOP) == 0 && os_waitpid(pid, &status, WUNTRACED) == pid);
  CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  CHECK(os_kill(-pid, SIGCONT) == 0 && os_waitpid(pid, &status, WCONTINUED) == pid);
  CHECK(WIFCONTINUED(status) && os_kill(pid, SIGTERM) == 0);
  CHECK(os_waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  FAILS(os_kill(pid, 0), ESRCH);
  CHECK(os_getgid() == 0 && os_limit(PROC_LIMIT_CHILDREN, 1) == 0);
  pid = start("sleep", "1000", 0);
  FAILS(start("true", NULL, PROC_SAME_GROUP), EAGAIN);
  CHECK(os_kill(pid, SIGKILL) == 0 && os_waitpid(pid, &status, 0) == pid);
  CHECK(os_getpid() > 1 && os_getppid() > 0 && os_getuid() == 0 && os_kill(os_getpid(), 0) == 0);
}

static void output_of_a_child(void) {
  int ends[2];
  char text[64] = "";
  char *args[] = {"sh", "-c", "read x; echo \"<$x>$V\" >&5", NULL}, *env[] = {"V=v", NULL};
  int in = os_open("p/in", O_RDWR | O_CREAT | O_TRUNC, 0666);
  os_write(in, "line\n", 5);
  os_lseek(in, 0, SEEK_SET);
  CHECK(os_pipe(ends) == 0);
  struct os_spawn_fd fds[] = {{0, in}, {5, ends[1]}, {2, 2}};
  pid_t pid = os_spawn(&(struct os_spawn){
      .program = "sh", .args = args, .env = env, .fds = fds, .nfds = 3, .group = PROC_SAME_GROUP});
  CHECK(pid > 0 && os_close(ends[1]) == 0 && os_close(in) == 0);
  size_t used = 0;
  ssize_t n;
  while ((n = os_read(ends[0], text + used, sizeof text - 1 - used)) > 0)
    used += (size_t)n;
  CHECK(strcmp(text, "<line>v\n") == 0);
  CHECK(os_waitpid(pid, NULL, 0) == pid);
  os_close(ends[0]);
  FAILS(os_spawn(&(struct os_spawn){.program = "true", .args = args, .fds = fds, .nfds = 3}),
        EBADF);
}

/* Sends us SIGUSR1. Its handler has not run when this returns: we call past the library. */
static void have_signal(void) {
  msg_t m = {.type = PROC_KILL};
  IPC(&m, proc_kill)->pid = os_getpid();
  IPC(&m, proc_kill)->signal = SIGUSR1;
  CHECK(sys_sendrec(sys_lookup("pm"), &m) == 0 && m.status == 0);
}

/* The handler may run before the wait proper has begun. */
static void signals_before_waits_end_them(void) {
  int ends[2];
  char c;
  CHECK(os_pipe(ends) == 0);
  struct pollfd p = {ends[0], POLLIN, 0};
  have_signal();
  FAILS(os_poll(&p, 1, 10000), EINTR);
  have_signal();
  FAILS(os_read(ends[0], &c, 1), EINTR);
  os_close(ends[0]);
  os_close(ends[1]);
}

/* Sends us SIGUSR1 again and again: whenever we come to wait, one comes after that. */
static pid_t nuisance(void) {
  char command[80], *args[] = {"sh", "-c", command, NULL};
  snprintf(command, sizeof command, "while kill -USR1 %d; do sleep 0.01; done", os_getpid());
  return os_spawn(&(struct os_spawn){.program = "sh", .args = args, .group = PROC_SAME_GROUP});
}

static void waits_end_with_signals(pid_t other) {
  int ends[2];
  char c;
  struct timespec left;
  struct pollfd p = {0, POLLIN, 0};
  CHECK(os_pipe(ends) == 0);
  FAILS(os_read(ends[0], &c, 1), EINTR);
  p.fd = ends[0];
  FAILS(os_poll(&p, 1, -1), EINTR);
  FAILS(os_nanosleep(&(struct timespec){1000, 0}, &left), EINTR);
  CHECK(left.tv_sec >= 900);
  FAILS(os_waitpid(other, NULL, 0), EINTR);
  os_close(ends[0]);
  os_close(ends[1]);
}

static void signals(void) {
  came = 0;
  FAILS(os_signal(SIGKILL, count) == SIG_ERR ? -1 : 0, EINVAL);
  CHECK(os_signal(SIGUSR1, count) == SIG_DFL);
  CHECK(os_kill(os_getpid(), SIGUSR1) == 0 && came == 1);
  signals_before_waits_end_them();
  pid_t sleeper = start("sleep", "1000", PROC_SAME_GROUP), sender = nuisance();
  waits_end_with_signals(sleeper);
  CHECK(came >= 5 && os_signal(SIGUSR1, SIG_IGN) == count);
  unsigned before = came;
  CHECK(os_kill(os_getpid(), SIGUSR1) == 0 && came == before);
  CHECK(os_kill(sender, SIGKILL) == 0 && os_waitpid(sender, NULL, 0) == sender);
  CHECK(os_signal(SIGCHLD, count) == SIG_DFL && os_kill(sleeper, SIGKILL) == 0);
  while (came == before)
    os_nanosleep(&(struct timespec){0, 1000000}, NULL);
  CHECK(os_waitpid(sleeper, NULL, 0) == sleeper);
  os_signal(SIGCHLD, SIG_DFL);
  os_signal(SIGUSR1, SIG_DFL);
}

static void streams(void) {
  char line[32];
  FILE *f = os_fdopen(os_open("p/stream", O_RDWR | O_CREAT | O_TRUNC, 0666), "r+");
  CHECK(f && fprintf(f, "%d lines\n%s\n", 2, "two") > 0 && fseek(f, 0, SEEK_SET) == 0);
  CHECK(fgets(line, sizeof line, f) && strcmp(line, "2 lines\n") == 0);
  CHECK(fgets(line, sizeof line, f) && strcmp(line, "two\n") == 0 && !fgets(line, sizeof line, f));
  CHECK(fclose(f) == 0);
}

static void console(void) {
  struct termios modes, raw;
  struct winsize size;
  int fd = os_open("/dev/tty", O_RDWR);
  CHECK(os_isatty(fd) && os_tcgetattr(fd, &modes) == 0 && modes.c_lflag & ICANON);
  CHECK(modes.c_cc[VINTR] == 3 && modes.c_cc[VEOF] == 4 && modes.c_oflag & OPOST);
  raw = modes;
  raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
  CHECK(os_tcsetattr(fd, TCSANOW, &raw) == 0 && os_tcgetattr(fd, &raw) == 0);
  CHECK(!(raw.c_lflag & (ICANON | ECHO)) && raw.c_lflag & ISIG);
  CHECK(os_tcsetattr(fd, TCSANOW, &modes) == 0 && os_winsize(fd, &size) == 0);
  CHECK(os_tcgetpgrp(fd) > 0);
  os_close(fd);
  int ends[2];
  CHECK(os_pipe(ends) == 0 && !os_isatty(ends[0]));
  FAILS(os_tcgetattr(ends[0], &modes), ENOTTY);
  FAILS(os_listen(ends[0], 1), ENOTSOCK);
  os_close(ends[0]);
  os_close(ends[1]);
}

/* A server in the old manner: each connection is the input and output of a program of its own. */
static void sockets(void) {
  struct sockaddr_in here;
  char *args[] = {"cat", NULL}, text[8];
  int listener = os_socket(), client = os_socket();
  CHECK(os_resolve("10.0.2.15", 7007, &here) == 0);
  CHECK(listener > 2 && os_bind(listener, &here) == 0 && os_listen(listener, 1) == 0);
  CHECK(client > 2 && os_connect(client, &here) == 0);
  int connection = os_accept(listener, NULL);
  struct os_spawn_fd fds[] = {{0, connection}, {1, connection}, {2, 2}};
  pid_t pid = os_spawn(&(struct os_spawn){
      .program = "cat", .args = args, .fds = fds, .nfds = 3, .group = PROC_SAME_GROUP});
  CHECK(pid > 0 && os_close(connection) == 0);
  struct sockaddr_in own, peer;
  CHECK(os_getpeername(client, &peer) == 0 && peer.sin_port == htons(7007));
  CHECK(peer.sin_addr.s_addr == here.sin_addr.s_addr);
  CHECK(os_getsockname(client, &own) == 0 && own.sin_port != 0 && own.sin_port != peer.sin_port);
  CHECK(os_send(client, "hello", 5) == 5);
  CHECK(os_recv(client, text, sizeof text) == 5 && memcmp(text, "hello", 5) == 0);
  CHECK(os_shutdown(client, SHUT_WR) == 0 && os_read(client, text, sizeof text) == 0);
  CHECK(os_waitpid(pid, NULL, 0) == pid);
  os_close(client);
  os_close(listener);
}

/* @return bytes moved, or a negative error */
static int move(uint32_t type, uint32_t file, uint32_t grant, uint64_t at, uint32_t bytes) {
  msg_t m = {.type = type};
  *IPC(&m, io_read_into) =
      (struct io_read_into){.at = at, .handle = file, .grant = grant, .bytes = bytes};
  int error = sys_sendrec(sys_lookup("storage"), &m);
  return error ? error : m.status ? m.status : (int)IPC_REPLY(&m, io_read_into)->taken;
}

/* A file's contents through memory that this program lends to storage. */
static void lent(void) {
  enum { SEGMENT = 65536, AREA = 4 * SEGMENT, BYTES = 200000 };
  endpoint_t storage = sys_lookup("storage");
  struct sys_area own;
  uint32_t area, both, only_read;
  CHECK(sys_area_create(AREA, SEGMENT, &own, &area) == 0);
  CHECK(sys_area_grant(area, storage, 0, AREA, MEM_READ | MEM_WRITE, &both) == 0);
  CHECK(sys_area_grant(area, storage, 0, SEGMENT, MEM_READ, &only_read) == 0);
  msg_t m = {.type = FS_OPEN};
  *IPC(&m, fs_open) = (struct fs_open){.flags = FS_READ | FS_WRITE | FS_CREATE, .mode = 0600};
  CHECK(sys_sendrec_bulk(storage, &m, "/p/lent", 7, NULL, 0) == 0 && m.status == 0);
  uint32_t file = IPC_REPLY(&m, fs_open)->handle;
  for (int i = 0; i < BYTES; i++)
    own.address[i] = (uint8_t)(i * 7 / 3);
  CHECK(move(IO_WRITE_FROM, file, both, 0, BYTES) == BYTES);
  memset(own.address, 0, AREA);
  CHECK(move(IO_READ_INTO, file, both, 4096, AREA - 4096) == BYTES);
  int same = 0;
  for (int i = 0; i < BYTES; i++)
    same += own.address[4096 + i] == (uint8_t)(i * 7 / 3);
  CHECK(same == BYTES && own.address[0] == 0 && own.address[4096 + BYTES] == 0);
  CHECK(move(IO_READ_INTO, file, both, 4096, AREA) == -EFAULT);
  CHECK(move(IO_READ_INTO, file, both, UINT64_MAX, 1) == -EFAULT);
  CHECK(move(IO_READ_INTO, file, 4711, 0, 1) == -ENOENT);
  CHECK(move(IO_READ_INTO, file, own.grant, 0, 1) == -ENOENT);
  CHECK(move(IO_READ_INTO, file, only_read, 0, 1) == -EACCES);
  CHECK(move(IO_WRITE_FROM, file, only_read, 0, 10) == 10);
  CHECK(move(IO_READ_INTO, 4711, both, 0, 1) == -EBADF);
  m = (msg_t){.type = MEM_REVOKE};
  *IPC(&m, mem_revoke) = (struct mem_revoke){.grant = both, .patience_ms = 60000};
  CHECK(sys_sendrec(sys_lookup("mm"), &m) == 0 && m.status == 0);
  CHECK(IPC_REPLY(&m, mem_revoke)->ended == 0);
  CHECK(move(IO_READ_INTO, file, both, 0, 1) == -ENOENT);
}

static uint8_t byte_at(uint64_t offset) {
  return (uint8_t)(offset * 7 / 3 + offset / 4096);
}

/* @return how many were read, their results in `results`, or a negative error */
static int read_list(uint32_t file, uint32_t grant, const struct io_piece *pieces, size_t bytes,
                     int32_t *results) {
  msg_t m = {.type = IO_READ_LIST};
  *IPC(&m, io_read_list) = (struct io_read_list){.handle = file, .grant = grant};
  int error = sys_sendrec_bulk(sys_lookup("storage"), &m, pieces, bytes, results,
                               IO_LIST_MAX * sizeof *results);
  return error ? error : m.status ? m.status : (int)(m.payload / sizeof *results);
}

static bool piece_is_right(const struct io_piece *p, int32_t result, uint64_t end,
                           const uint8_t *memory) {
  uint64_t there = p->offset < end ? end - p->offset : 0;
  if (result < 0 || (uint64_t)result != (p->bytes < there ? p->bytes : there)) return false;
  for (int32_t i = 0; i < result; i++)
    if (memory[p->at + (uint64_t)i] != byte_at(p->offset + (uint64_t)i)) return false;
  return true;
}

/* Many pieces of a file at once; with a small cache they come from the disk. */
static void lists(void) {
  enum {
    SEGMENT = 65536,
    AREA = 4 * SEGMENT,
    BYTES = 16 * SEGMENT - 100,
    PIECES = 24,
    SLOT = 9216
  };
  endpoint_t storage = sys_lookup("storage");
  struct sys_area own;
  uint32_t area, grant;
  int32_t results[IO_LIST_MAX];
  struct io_piece pieces[IO_LIST_MAX + 1] = {{0}};
  CHECK(sys_area_create(AREA, SEGMENT, &own, &area) == 0);
  CHECK(sys_area_grant(area, storage, 0, AREA, MEM_READ | MEM_WRITE, &grant) == 0);
  msg_t m = {.type = FS_OPEN};
  *IPC(&m, fs_open) = (struct fs_open){.flags = FS_READ | FS_WRITE | FS_CREATE, .mode = 0600};
  CHECK(sys_sendrec_bulk(storage, &m, "/p/lists", 8, NULL, 0) == 0 && m.status == 0);
  uint32_t file = IPC_REPLY(&m, fs_open)->handle;
  for (uint32_t done = 0; done < BYTES;) {
    uint32_t n = BYTES - done < SEGMENT ? BYTES - done : SEGMENT;
    for (uint32_t i = 0; i < n; i++)
      own.address[i] = byte_at(done + i);
    m = (msg_t){.type = IO_WRITE_FROM};
    *IPC(&m, io_write_from) =
        (struct io_write_from){.offset = done, .handle = file, .grant = grant, .bytes = n};
    CHECK(sys_sendrec(storage, &m) == 0 && m.status == 0);
    if (failures) return;
    done += IPC_REPLY(&m, io_write_from)->taken;
  }
  unsigned seed = 1, wrong = 0;
  for (int round = 0; round < 100; round++) {
    for (uint32_t i = 0; i < PIECES; i++)
      pieces[i] = (struct io_piece){.offset = (uint64_t)rand_r(&seed) % (BYTES + SLOT),
                                    .at = i * SLOT,
                                    .bytes = (uint32_t)rand_r(&seed) % SLOT};
    for (int done = 0; done < PIECES;) {
      int n =
          read_list(file, grant, pieces + done, (size_t)(PIECES - done) * sizeof *pieces, results);
      CHECK(n > 0 && n <= PIECES - done);
      if (n <= 0) return;
      for (int i = 0; i < n; i++)
        wrong += !piece_is_right(&pieces[done + i], results[i], BYTES, own.address);
      done += n;
    }
  }
  CHECK(wrong == 0);
  CHECK(read_list(file, grant, pieces, 0, results) == -EINVAL);
  CHECK(read_list(file, grant, pieces, sizeof *pieces - 1, results) == -EINVAL);
  CHECK(read_list(file, grant, pieces, sizeof pieces, results) == -EINVAL);
  CHECK(read_list(file, 4711, pieces, sizeof *pieces, results) == -ENOENT);
  CHECK(read_list(4711, grant, pieces, sizeof *pieces, results) == -EBADF);
  pieces[1] = (struct io_piece){.at = AREA - 9, .bytes = 10};
  CHECK(read_list(file, grant, pieces, 2 * sizeof *pieces, results) == -EFAULT);
  pieces[1] = (struct io_piece){.offset = IO_POSITION, .bytes = 10};
  CHECK(read_list(file, grant, pieces, 2 * sizeof *pieces, results) == -EINVAL);
}

static void system_figures(void) {
  struct statvfs st;
  struct proc_info list[8];
  CHECK(os_statvfs(&st) == 0 && st.f_bsize == 4096 && st.f_bfree > 0 && st.f_bfree < st.f_blocks);
  CHECK(os_processes(0, list, 8) >= 2 && os_sync() == 0 && os_time() > 1700000000);
  CHECK(os_umask(077) == 022 && os_umask(022) == 077);
}

static const struct {
  const char *name;
  void (*run)(void);
} cases[] = {
    {"files", files},
    {"names", names},
    {"directories", directories},
    {"duplicates", duplicates},
    {"null", null},
    {"pipes", pipes},
    {"broken_pipe", broken_pipe},
    {"polls", polls},
    {"children", children},
    {"output_of_a_child", output_of_a_child},
    {"signals", signals},
    {"streams", streams},
    {"console", console},
    {"system_figures", system_figures},
    {"sockets", sockets},
    {"lent", lent},
    {"lists", lists},
};

int main(int argc, char **argv) {
  os_start();
  os_mkdir("p", 0777);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    current = cases[i].name;
    if (argc < 2 || strcmp(argv[1], current) == 0) cases[i].run();
  }
  if (!failures) puts("all hold");
  return failures != 0;
}
