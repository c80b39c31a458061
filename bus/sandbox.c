#include "bus/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bus/filter.h"
#include "bus/spawn.h"

/* The kernel's Landlock may be newer than the headers: ABI versions and what each handles. */
struct ruleset_attr {
  uint64_t fs, net, scoped;
};
#define FS_V1     ((1ull << 13) - 1)
#define FS_V2     (1ull << 13) /* linking and renaming between directories */
#define FS_V3     (1ull << 14) /* truncating */
#define FS_V5     (1ull << 15) /* ioctl on devices */
#define NET_V4    3ull         /* bind and connect of TCP */
#define SCOPED_V6 3ull         /* abstract Unix sockets, signals */

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

static const char *const folders[] = {"/lib", "/lib64", "/usr/lib", "/usr/lib64"};
/* Beside the loader's own folder in the build tree. */
static const char *const own_folders[] = {"libsys", "libst"};

#define FOLDERS_MAX 8
static int folder_fds[FOLDERS_MAX];
static unsigned nfolders;
static int cache_fd = -1;
static int landlock_version;

/* Kept out of the way of the numbers that a component's descriptors get. */
static int open_path(const char *path) {
  int fd = open(path, O_PATH | O_CLOEXEC);
  if (fd < 0) return fd;
  int high = fcntl(fd, F_DUPFD_CLOEXEC, SPAWN_SLOTS_END);
  close(fd);
  return high;
}

static void open_folder(const char *path) {
  int fd = open_path(path);
  if (fd >= 0) folder_fds[nfolders++] = fd;
}

int sandbox_prepare(void) {
  char exe[PATH_MAX] = "", path[PATH_MAX + 32];
  if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0) return -errno;
  const char *tree = dirname(dirname(exe));
  for (unsigned i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
    open_folder(folders[i]);
  for (unsigned i = 0; i < sizeof(own_folders) / sizeof(own_folders[0]); i++) {
    snprintf(path, sizeof(path), "%s/%s", tree, own_folders[i]);
    open_folder(path);
  }
  cache_fd = open_path("/etc/ld.so.cache");
  long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  landlock_version = version > 0 ? (int)version : 0;
  return filter_compile();
}

bool sandbox_has_landlock(void) {
  return landlock_version > 0;
}

static struct ruleset_attr handled(size_t *size) {
  struct ruleset_attr attr = {.fs = FS_V1};
  *size = sizeof(attr.fs);
  if (landlock_version >= 2) attr.fs |= FS_V2;
  if (landlock_version >= 3) attr.fs |= FS_V3;
  if (landlock_version >= 5) attr.fs |= FS_V5;
  if (landlock_version >= 4) attr.net = NET_V4, *size = offsetof(struct ruleset_attr, scoped);
  if (landlock_version >= 6) attr.scoped = SCOPED_V6, *size = sizeof(attr);
  return attr;
}

static int allow(int ruleset, int fd, uint64_t access) {
  struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
  /* EBADFD: the object lies on no file system that Landlock controls (a memfd): nothing to allow.
   */
  if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 &&
      errno != EBADFD)
    return -errno;
  return 0;
}

static int add_rules(int ruleset, int exe_fd) {
  int error = 0;
  for (unsigned i = 0; i < nfolders && !error; i++)
    error = allow(ruleset, folder_fds[i], READ | LANDLOCK_ACCESS_FS_EXECUTE);
  if (!error && cache_fd >= 0) error = allow(ruleset, cache_fd, LANDLOCK_ACCESS_FS_READ_FILE);
  if (!error)
    error = allow(ruleset, exe_fd, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE);
  if (error) return error;
  int proc = open("/proc/self/", O_PATH | O_CLOEXEC);
  if (proc < 0) return -errno;
  error = allow(ruleset, proc, READ);
  close(proc);
  return error;
}

static int enter_landlock(int exe_fd) {
  size_t size;
  struct ruleset_attr attr = handled(&size);
  int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
  if (ruleset < 0) return -errno;
  int error = add_rules(ruleset, exe_fd);
  if (!error && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0) error = -errno;
  close(ruleset);
  return error;
}

static int limit(int resource, rlim_t value) {
  struct rlimit r;
  if (getrlimit(resource, &r) < 0) return -errno;
  if (r.rlim_max > value) r.rlim_max = value;
  if (r.rlim_cur > r.rlim_max) r.rlim_cur = r.rlim_max;
  return setrlimit(resource, &r) < 0 ? -errno : 0;
}

int sandbox_enter(int exe_fd, const char **step) {
  *step = "resource limits";
  int error = limit(RLIMIT_CORE, 0);
  if (!error) error = limit(RLIMIT_NOFILE, 4096);
  if (!error) error = limit(RLIMIT_MSGQUEUE, 0);
  if (error) return error;
  *step = "no_new_privs";
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -errno;
  if (sandbox_has_landlock()) {
    *step = "Landlock";
    error = enter_landlock(exe_fd);
    if (error) return error;
  }
  *step = "the system call filter";
  return filter_apply();
}
