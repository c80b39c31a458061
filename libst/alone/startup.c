/* A version's start: fresh below a supervisor, as the next version of a running program, or alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libst/alone.h"
#include "libst/alone/alone.h"
#include "libst/alone/supervisor.h"
#include "libst/descriptor.h"
#include "libst/meta.h"

static struct attention nobody; /* wants anything of a program that has no supervisor */

struct alone alone = {.page = &nobody, .channel = -1, .wake = -1, .exe = -1};

/* What the supervisor says in the environment. */
struct start {
  int channel, page, wake;
  int old_exe, state; /* of an update; else -1 */
};

/* A variable that a grandchild inherited is not meant for it. */
static bool read_start(struct start *s) {
  const char *text = getenv(ST_START);
  int pid = 0;
  *s = (struct start){-1, -1, -1, -1, -1};
  int count = text ? sscanf(text, "%d:%d:%d:%d:%d:%d", &pid, &s->channel, &s->page, &s->wake,
                            &s->old_exe, &s->state)
                   : 0;
  unsetenv(ST_START);
  return (count == 4 || count == 6) && pid == getpid();
}

static void take(const struct start *s) {
  void *page = mmap(NULL, sizeof(struct attention), PROT_READ | PROT_WRITE, MAP_SHARED, s->page, 0);
  close(s->page);
  if (page == MAP_FAILED) {
    perror("libst: the supervisor's page");
    _exit(EXIT_FAILURE);
  }
  alone.page = page;
  alone.pid = getpid();
  alone.channel = descriptor_hide(s->channel);
  alone.wake = descriptor_hide(s->wake);
}

static void say_hello(int status) {
  Proteos__Alone hello = PROTEOS__ALONE__INIT;
  hello.kind = PROTEOS__ALONE_KIND__ALONE_HELLO;
  hello.status = status;
  hello.component = status ? "" : (char *)st_meta_component(st_self());
  hello.text = status ? "it is not instrumented (see st-instrument)" : "";
  if (message_send(alone.channel, &hello, &alone.exe, 1) < 0) _exit(EXIT_FAILURE);
}

/* A program that cannot be updated runs all the same; st-update says why. */
static void start_fresh(void) {
  int err = st_init(alone.exe, false);
  if (alone.channel < 0) return;
  say_hello(err);
  atomic_store(&alone.page->by_signal, !err);
  if (!err) process_wake_by_signal();
}

void st_startup(int *argc, char ***argv) {
  struct start s;
  (void)argc;
  if (alone.exe >= 0) return;
  bool supervised = read_start(&s);
  if (!supervised && !(getenv(ST_SUPERVISE) && strcmp(getenv(ST_SUPERVISE), "no") == 0))
    supervised = supervise_self(*argv, &s.channel, &s.page, &s.wake);
  alone.exe = descriptor_hide(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  if (supervised) take(&s);
  if (s.state >= 0)
    become(s.old_exe, s.state);
  else
    start_fresh();
}

bool st_restored(void) {
  return alone.restored;
}

int st_update_fd(void) {
  if (alone.update_fd > 0) return alone.update_fd;
  int from = alone.wake >= 0 ? alone.wake : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (from < 0) return -1;
  /* The copy is the program's: state, unlike the hidden one. */
  int fd = fcntl(from, F_DUPFD_CLOEXEC, 3);
  if (alone.wake < 0) close(from);
  if (fd < 0) return -1;
  alone.update_fd = fd;
  atomic_store(&alone.page->by_signal, 0);
  return fd;
}

pid_t st_pid(void) {
  return alone.channel >= 0 ? getppid() : getpid();
}
