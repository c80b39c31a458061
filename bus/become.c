/* The new version's side of busd's own update. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/abi.h"
#include "bus/bus.h"
#include "bus/link.h"
#include "bus/loop.h"
#include "bus/self.h"
#include "bus/selftest.h"
#include "bus/tables.h"
#include "bus/update.h"
#include "libst/annotate.h"
#include "libst/fault.h"
#include "libst/st.h"

/* Longest slice of write-back between two events. */
#define WRITEBACK_SLICE_US 200u

static struct st_report report;
ST_VAR(report, dont_transfer);

__attribute__((noreturn)) static void give_up(enum update_phase phase, int error,
                                              const char *text) {
  link_report(phase, error, *text ? text : strerror(-error));
  exit(EXIT_FAILURE);
}

/* A reason that is not libst's, in its form. */
__attribute__((noreturn)) static void refuse(enum update_phase phase, const char *why) {
  char text[1024];
  snprintf(text, sizeof(text), "violation: %s", why);
  give_up(phase, -EINVAL, text);
}

static struct st_options *read_options(void) {
  struct stat st;
  struct st_options *options = NULL;
  if (fstat(LOADER_OPTIONS_FD, &st) < 0 || st.st_size > BUS_OPTIONS_MAX) return NULL;
  uint8_t *packed = malloc((size_t)st.st_size + 1);
  if (packed && pread(LOADER_OPTIONS_FD, packed, (size_t)st.st_size, 0) == st.st_size)
    options = st_options_unpack(packed, (size_t)st.st_size);
  free(packed);
  close(LOADER_OPTIONS_FD);
  return options;
}

/* Nobody waits yet. */
static void plan(int old_exe) {
  char why[512] = "";
  if (selftest_run(why, sizeof(why)) < 0) refuse(UPDATE_PLANNED, why);
  st_pass("handover.plan");
  struct st_options *options = read_options();
  int error = options ? st_plan(old_exe, options, &report) : -EPROTO;
  st_options_free(options);
  if (error) give_up(UPDATE_PLANNED, error, report.text);
  link_report(UPDATE_PLANNED, 0, "");
}

/* Everything waits. Descriptors come alive before it is decided, so that nothing can fail
 * afterwards; nothing is read from them, or written to them. */
static void take_state(void) {
  char why[512] = "";
  st_pass("handover.import");
  int error = st_import(LOADER_STATE_FD, &report);
  if (!error) error = st_check(&report);
  if (error) give_up(UPDATE_TRANSFERRED, error, report.text);
  error = st_commit();
  if (!error) manifest_fill_timeouts(&bus.manifest->timeouts);
  if (!error) error = st_fault("handover.loop", ENOMEM);
  if (!error) error = loop_start();
  if (error) give_up(UPDATE_TRANSFERRED, error, "");
  if (tables_check(why, sizeof(why)) < 0) refuse(UPDATE_TRANSFERRED, why);
}

static void log_notes(void) {
  for (const char *line = report.text; *line;) {
    int n = (int)strcspn(line, "\n");
    bus_log("transfer: %.*s", n, line);
    line += n + (line[n] == '\n');
  }
}

void self_become(void) {
  int old_exe = self_keep(LOADER_OLD_EXE_FD);
  plan(old_exe);
  take_state();
  prctl(PR_SET_DUMPABLE, 0);
  /* From now on it may be the one to say that the loader has died. */
  prctl(PR_SET_PDEATHSIG, 0);
  st_pass("handover.ask");
  if (update_ask() < 0) give_up(UPDATE_TRANSFERRED, -EPIPE, "the loader cannot be asked to commit");
  st_pass("handover.asked");
  while (self_is_frozen())
    link_wait();
  close(old_exe);
  log_notes();
}

bool self_write_back(void) {
  if (!st_self()) return false;
  int left = st_writeback_slice(WRITEBACK_SLICE_US);
  if (left < 0) bus_log("cannot write its state back after the update: %s", strerror(-left));
  return left > 0;
}
