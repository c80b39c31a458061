#include "libsys/recover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libst/st.h"
#include "libsys/kern.h"
#include "libsys/runtime.h"
#include "libsys/sandbox.h"

/* ---- before a crash ---- */

void recover_prepare(void) {
  if (runtime.plain)
    runtime_die("manifest: recover: state is for components with an event loop, not for a plain "
                "program");
  if (!st_self())
    runtime_die("manifest: recover: state, but its executable has no metadata (st-instrument)");
  int error = st_keep();
  if (error) runtime_die("its state cannot be kept: %s", sys_strerror(error));
}

void recover_offer(void) {
  if (!st_keep_due()) return;
  struct kern_args args = {.m = {.type = KERN_KEEP}, .fd_out = -1};
  int error = kern_call(&args);
  if (!error) error = st_keep_export(args.fd_in);
  if (!error) return;
  sys_log("its state would not be recovered after a crash: %s", sys_strerror(error));
  runtime.hello.keep = 0; /* what failed once is not tried at each message */
}

/* ---- after it ---- */

static struct st_report report;

static void refuse(const char *text) {
  sys_log("its state is not recovered: %s", text);
  kern_report(UPDATE_TRANSFERRED, -ECANCELED, text);
  _exit(EXIT_FAILURE);
}

static void check(int error) {
  if (error) refuse(report.used ? report.text : sys_strerror(error));
}

/* Nobody is served meanwhile anyway, and whole state can be recovered again. */
static void write_back(void) {
  int left;
  do
    left = st_writeback_slice(1000000);
  while (left > 0);
  check(left);
}

static void run_handler(void) {
  sys_init_t info = runtime_init_info();
  int error = runtime.handlers->recover ? runtime.handlers->recover(&info) : 0;
  char text[64];
  snprintf(text, sizeof(text), "its recover handler refused (%d)", error);
  if (error < 0) refuse(text);
}

void recover_become(void) {
  check(st_plan(BUS_FD_OLD_EXE, NULL, &report));
  sandbox_close(runtime.hello.sandbox, runtime.syscalls, runtime.hello.syscalls_bytes);
  check(st_import(BUS_FD_STATE, &report));
  close(BUS_FD_OLD_EXE);
  runtime_reserve_fds();
  check(st_commit());
  write_back();
  runtime.live = true;
  run_handler();
}
