#include "libos/cwd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libos/ask.h"
#include "libos/descriptor.h"
#include "libos/os.h"
#include "libos/path.h"
#include "libos/pathname.h"
#include "libsys/if/fs.h"
#include "libsys/if/io.h"

static uint32_t handle; /* 0: the root */
static unsigned reopened;
static char text[FS_PATH_MAX + 1] = "/";

uint32_t cwd_handle(void) {
  return handle;
}

static int open_directory(const char *path, uint32_t *opened) {
  msg_t m = {.type = FS_OPEN};
  IPC(&m, fs_open)->flags = FS_READ | FS_DIRECTORY;
  if (path_ask(&m, &IPC(&m, fs_open)->dir, path, NULL, 0) < 0) return -1;
  *opened = IPC_REPLY(&m, fs_open)->handle;
  descriptor_given(server_endpoint(SERVER_STORAGE), *opened);
  return 0;
}

static void close_directory(uint32_t old) {
  msg_t m = {.type = IO_CLOSE};
  IPC(&m, io_close)->handle = old;
  if (old) ask(server_endpoint(SERVER_STORAGE), &m);
}

static bool same(const struct stat *a, const struct stat *b) {
  return a->st_ino == b->st_ino;
}

/* Whether the absolute `path` leads to where we are. */
static bool leads_here(const char *path) {
  struct stat there, here;
  return *path == '/' && os_stat(path, &there) == 0 && os_stat(".", &here) == 0 &&
         same(&there, &here);
}

/* The name of `child` in its parent `path`. */
static bool name_in(const char *path, const struct stat *child, char *name, size_t bytes) {
  OS_DIR *dir = os_opendir(path);
  const struct os_dirent *e;
  bool found = false;
  while (dir && !found && (e = os_readdir(dir))) {
    found = e->inode == child->st_ino && strcmp(e->name, ".") != 0 && strcmp(e->name, "..") != 0;
    if (found) snprintf(name, bytes, "%s", e->name);
  }
  if (dir) os_closedir(dir);
  return found;
}

/* Upwards to the root, name by name. @return false when that fails; then errno is set */
static bool find_text(char *to, size_t bytes) {
  char up[FS_PATH_MAX + 1] = ".", name[FS_NAME_MAX + 1];
  char *at = to + bytes - 1;
  struct stat here, parent;
  *at = 0;
  if (os_stat(up, &here) < 0) return false;
  while (strlen(up) + 4 < sizeof up) {
    strcat(up, "/..");
    if (os_stat(up, &parent) < 0) return false;
    if (same(&here, &parent)) { /* the root is its own parent */
      if (!*at) *--at = '/';
      memmove(to, at, strlen(at) + 1);
      return true;
    }
    if (!name_in(up, &here, name, sizeof name)) break;
    size_t n = strlen(name);
    if ((size_t)(at - to) < n + 1) break;
    at -= n;
    memcpy(at, name, n);
    *--at = '/';
    here = parent;
  }
  errno = ENOENT;
  return false;
}

void cwd_start(uint32_t given) {
  const char *pwd = getenv("PWD");
  char found[sizeof text];
  handle = given;
  if (!handle)
    strcpy(text, "/");
  else if (pwd && strlen(pwd) < sizeof text && leads_here(pwd))
    strcpy(text, pwd);
  else if (find_text(found, sizeof found))
    strcpy(text, found);
  setenv("PWD", text, 1);
}

bool cwd_reopen(void) {
  uint32_t opened;
  if (*text != '/' || open_directory(text, &opened) < 0) return false;
  handle = opened;
  reopened++;
  return true;
}

void cwd_given(uint32_t given) {
  if (handle && given == handle) cwd_reopen();
}

bool cwd_was_lost(void) {
  unsigned before = reopened;
  struct stat st;
  os_stat(".", &st); /* opens it again, if so */
  return reopened != before;
}

int os_chdir(const char *path) {
  char joined[sizeof text];
  uint32_t opened, old = handle;
  if (open_directory(path, &opened) < 0) return -1;
  if (os_access(path, X_OK) < 0) {
    int error = errno;
    close_directory(opened);
    errno = error;
    return -1;
  }
  handle = opened;
  if (old != opened) close_directory(old);
  if (pathname_join(text, path, joined, sizeof joined) && leads_here(joined))
    strcpy(text, joined);
  else if (find_text(joined, sizeof joined))
    strcpy(text, joined);
  return setenv("PWD", text, 1);
}

char *os_getcwd(char *path, size_t bytes) {
  char found[sizeof text];
  const char *is = text;
  if (!leads_here(text)) { /* it was renamed, or removed */
    if (!find_text(found, sizeof found)) return NULL;
    is = found;
  }
  if (strlen(is) >= bytes) {
    errno = ERANGE;
    return NULL;
  }
  return strcpy(path, is);
}
