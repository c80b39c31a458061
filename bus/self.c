#include "bus/self.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/abi.h"
#include "bus/build_id.h"
#include "bus/bus.h"
#include "bus/link.h"
#include "bus/loop.h"
#include "bus/probation.h"
#include "bus/update.h"
#include "libst/annotate.h"
#include "libst/fault.h"
#include "libst/st.h"

/* Descriptors of this process alone lie from here on, out of the way of those that are state. */
#define OWN_FDS 512

/* Of this process, and none of the next. */
static int exe = -1;
static char build_id[41];
ST_VAR(exe, dont_transfer);
ST_VAR(build_id, dont_transfer);

enum self_state {
  SELF_NONE,
  SELF_SPAWNING, /* asked of the loader; no process yet */
  SELF_LOADED,   /* the new version runs, and plans */
  SELF_PREPARED, /* this version can export */
  SELF_HELD,     /* the loader holds: exports when the loop has come to its end */
  SELF_FROZEN,   /* exported; waits for the loader's decision */
};

static struct self {
  enum self_state state;
  uint32_t id; /* of the new version, or the last one */
  int32_t pid;
  int channel;        /* state channel, until st_export_prepare() takes it */
  uint64_t frozen_us; /* when it last froze */
} self = {.channel = -1};

int self_keep(int fd) {
  int high = fcntl(fd, F_DUPFD_CLOEXEC, OWN_FDS);
  close(fd);
  st_exclude_fd(high);
  return high;
}

void self_init(bool update) {
  exe = self_keep(LOADER_EXE_FD);
  st_exclude_fd(LOADER_CHANNEL_FD);
  int error = st_init(exe, update);
  if (error) bus_log("its state cannot be managed (%s): it cannot be updated", strerror(-error));
  build_id_read(exe, build_id, sizeof(build_id));
}

int self_exe(void) {
  return exe;
}

const char *self_build_id(void) {
  return build_id;
}

/* ---- old version ---- */

static void tell_report(int32_t pid, enum update_phase phase, int status, const char *text) {
  msg_t m = {.type = UM_REPORT, .payload = (uint32_t)strlen(text) + 1};
  m.i32[0] = SYS_KERNEL;
  m.u32[1] = phase;
  m.i32[2] = status;
  m.i32[3] = pid;
  update_tell_um(&m, text);
}

static int options_file(const void *options, uint32_t bytes) {
  int error = st_fault("handover.load", EMFILE);
  if (error) return error;
  int fd = memfd_create("options", MFD_CLOEXEC);
  if (fd < 0) return -errno;
  if (pwrite(fd, options, bytes, 0) == (ssize_t)bytes) return fd;
  close(fd);
  return -EIO;
}

static int spawn_next(int new_exe, int options, int state) {
  const struct link_next next = {
      .id = self.id, .exe = new_exe, .old_exe = exe, .state = state, .options = options};
  return link_spawn_next(&next);
}

static int load(int new_exe, const void *options, uint32_t bytes) {
  int pair[2], file = options_file(options, bytes);
  if (file < 0) return file;
  int error = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ? -errno : 0;
  if (!error) {
    self.id = self.id ? self.id + 1 : LOADER_NEXT_IDS;
    self.channel = pair[0];
    error = spawn_next(new_exe, file, pair[1]);
    close(pair[1]);
  }
  close(file);
  return error;
}

static void forget(void) {
  st_export_cancel();
  if (self.channel >= 0) close(self.channel);
  self.channel = -1;
  self.state = SELF_NONE;
}

int self_load(int new_exe, const void *options, uint32_t options_bytes) {
  int error = 0;
  if (!st_self())
    error = -ENODATA;
  else if (bus.state != BUS_RUNNING || self.state != SELF_NONE || probation_longest_ms())
    error = -EBUSY;
  if (!error) error = load(new_exe, options, options_bytes);
  close(new_exe);
  if (error) {
    if (self.channel >= 0) forget();
    return error;
  }
  self.state = SELF_SPAWNING;
  return -EINPROGRESS;
}

static void prepare(void) {
  char text[128];
  int channel = self.channel;
  self.channel = -1;
  st_pass("handover.prepare");
  int error = st_export_prepare(channel);
  st_export_describe(text, sizeof(text));
  if (!error) self.state = SELF_PREPARED;
  tell_report(getpid(), UPDATE_PREPARED, error, error ? strerror(-error) : text);
}

void self_spawned(const struct loader_msg *m) {
  if (m->id != self.id || self.state != SELF_SPAWNING) return;
  msg_t answer = {.i32 = {m->spawned.pid}};
  if (m->spawned.error) {
    bus_log("a new version of busd cannot be started: %s", strerror(-m->spawned.error));
    forget();
  } else {
    self.pid = m->spawned.pid;
    self.state = SELF_LOADED;
  }
  update_answer_load(m->spawned.error, &answer);
  if (!m->spawned.error) prepare();
}

void self_reported(const struct loader_msg *m, const char *text) {
  if (m->id != self.id || self.state == SELF_NONE) return;
  tell_report(self.pid, (enum update_phase)m->report.phase, m->report.status, text);
}

void self_exited(const struct loader_msg *m) {
  if (m->id != self.id || self.state == SELF_NONE) return;
  msg_t exited = {.type = UM_EXITED};
  exited.i32[0] = SYS_KERNEL;
  exited.u32[1] = 1;
  exited.i32[2] = self.pid;
  exited.i32[3] = m->exited.wait_status;
  forget();
  update_tell_um(&exited, NULL);
}

void self_abort(void) {
  if (self.state == SELF_NONE) return;
  link_kill_id(self.id, SIGKILL);
  forget();
}

int32_t self_next(void) {
  return self.state == SELF_PREPARED ? self.pid : -EINVAL;
}

uint32_t self_next_id(void) {
  return self.id;
}

void self_held(void) {
  if (self.state != SELF_PREPARED) return;
  self.state = SELF_HELD;
  loop_end();
}

bool self_is_held(void) {
  return self.state == SELF_HELD;
}

void self_thawed(void) {
  st_pass("handover.thaw");
  if (self.state == SELF_FROZEN || self.state == SELF_HELD) self.state = SELF_PREPARED;
}

void self_hand_over(void) {
  if (self.state != SELF_HELD) return;
  /* um, whichever version goes on, reads it afterwards. */
  tell_report(getpid(), UPDATE_FROZEN, 0, "");
  bus_log("busd hands over to process %d", self.pid);
  self.state = SELF_FROZEN;
  self.frozen_us = bus_now_us();
  st_pass("handover.export");
  int error = st_export();
  st_pass("handover.exported");
  /* When the new version has died, its end is the reason. */
  if (error && error != -EPIPE) {
    tell_report(getpid(), UPDATE_FROZEN, error, strerror(-error));
    link_kill_id(self.id, SIGKILL);
  }
  while (self.state == SELF_FROZEN)
    link_wait();
}

/* ---- new version ---- */

bool self_is_frozen(void) {
  return self.state == SELF_FROZEN;
}

void self_activated(void) {
  st_fault_party("busd");
  st_pass("handover.live");
  self.state = SELF_NONE;
  bus.updates++;
  bus_log("busd updated: build id %s, process %d; nobody was served for %llu us", build_id,
          getpid(), (unsigned long long)(bus_now_us() - self.frozen_us));
  tell_report(getpid(), UPDATE_TRANSFERRED, 0, "");
}
