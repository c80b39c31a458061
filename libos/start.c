#include "libos/start.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libos/ask.h"
#include "libos/cwd.h"
#include "libos/descriptor.h"
#include "libos/os.h"
#include "libsys/if/proc.h"
#include "libsys/sys.h"

struct process_self self;

static enum descriptor_kind kind_of(endpoint_t server) {
  switch (server_of(server)) {
  case SERVER_STORAGE:
    return DESCRIPTOR_FILE;
  case SERVER_PIPE:
    return DESCRIPTOR_PIPE;
  case SERVER_TTY:
    return DESCRIPTOR_CONSOLE;
  case SERVER_NET:
    return DESCRIPTOR_SOCKET;
  default:
    return DESCRIPTOR_LOST;
  }
}

static void take_descriptors(const char *at, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    struct proc_fd fd;
    memcpy(&fd, at + i * sizeof fd, sizeof fd);
    if (fd.fd >= OS_FDS_MAX) continue;
    descriptor_put((int)fd.fd, (struct descriptor){.kind = kind_of(fd.server),
                                                   .server = fd.server,
                                                   .handle = fd.handle,
                                                   .flags = fd.flags});
  }
}

static void take_variables(const char *at, const char *end, uint32_t count) {
  clearenv();
  for (uint32_t i = 0; i < count && at < end; i++) {
    const char *nul = memchr(at, 0, (size_t)(end - at));
    if (!nul) return;
    char *copy = strdup(at); /* putenv() keeps it */
    if (!copy || putenv(copy) != 0) return;
    at = nul + 1;
  }
}

static void take_own_variables(void) {
  const char *mask = getenv(VARIABLE_UMASK), *null = getenv(VARIABLE_NULL);
  os_umask(mask ? (mode_t)strtoul(mask, NULL, 8) & 0777 : 022);
  uint64_t bits = null ? strtoull(null, NULL, 16) : 0;
  for (unsigned fd = 0; fd < OS_FDS_MAX; fd++)
    if (bits >> fd & 1) descriptor_put((int)fd, (struct descriptor){.kind = DESCRIPTOR_NULL});
  unsetenv(VARIABLE_NULL);
}

/* @return 0, or a negative error */
static int begin(void) {
  static char payload[SYS_PAYLOAD_MAX];
  msg_t m = {.type = PROC_BEGIN};
  int error = sys_sendrec_bulk(server_endpoint(SERVER_PM), &m, NULL, 0, payload, sizeof payload);
  if (!error) error = m.status;
  if (error) return error;
  struct proc_start start;
  if (m.payload < sizeof start) return -EINVAL;
  memcpy(&start, payload, sizeof start);
  if ((m.payload - sizeof start) / sizeof(struct proc_fd) < start.nfds) return -EINVAL;
  self = (struct process_self){true, start.pid, start.parent, start.user, start.gid};
  take_descriptors(payload + sizeof start, start.nfds);
  take_variables(payload + sizeof start + start.nfds * sizeof(struct proc_fd), payload + m.payload,
                 start.nenv);
  take_own_variables();
  cwd_start(start.cwd);
  return 0;
}

static FILE *stream(int fd, const char *mode, FILE *without) {
  int before = errno;
  FILE *f = os_fdopen(fd, mode);
  if (f) setvbuf(f, NULL, fd == 2 ? _IONBF : os_isatty(fd) ? _IOLBF : _IOFBF, BUFSIZ);
  errno = before;
  return f ? f : without;
}

/* The C library's streams stand for our descriptors from now on, also those that are closed. */
static void take_streams(void) {
  stdin = stream(0, "r", stdin);
  stdout = stream(1, "w", stdout);
  stderr = stream(2, "w", stderr);
}

void os_start(void) {
  sys_startup(NULL);
  if (!server_endpoint(SERVER_PM)) return;
  int error = begin();
  if (error == -ESRCH || error == -EPERM) return; /* a component of the manifest */
  if (error) {
    sys_log("cannot become a process: %s", sys_strerror(error));
    exit(EXIT_FAILURE);
  }
  take_streams();
}
