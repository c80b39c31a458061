#include "libsys/update.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libst/fault.h"
#include "libst/st.h"
#include "libsys/kern.h"
#include "libsys/runtime.h"
#include "libsys/sandbox.h"

/* Longest slice of write-back between two messages, in microseconds: what a request may wait for
 * it. */
#define WRITEBACK_SLICE_US 200u

#define NOTES_LOGGED_MAX 12u

/* What an old version is in the middle of. */
static enum stage {
  STAGE_NONE,
  STAGE_PREPARED,
  STAGE_CONVERGING, /* evaluates the filter at each update point */
} stage;

static struct st_filter *filter; /* NULL: always true */
static char filter_text[BUS_FILTER_MAX];
static bool writing_back;

static struct st_report report;

bool update_unwritten(void) {
  return writing_back;
}

/* What the plan or the transfer decided, for whoever reads the log. */
static void log_notes(const char *of) {
  unsigned left = NOTES_LOGGED_MAX;
  for (const char *line = report.text; *line && left; left--) {
    int n = (int)strcspn(line, "\n");
    sys_log("%s: %.*s", of, n, line);
    line += n + (line[n] == '\n');
  }
  if (!left && report.notes > NOTES_LOGGED_MAX)
    sys_log("%s: and %u notes more", of, report.notes - NOTES_LOGGED_MAX);
}

/* A failure is no reason to stop: the state is whole, but the next version cannot adopt it, and
 * st_export_prepare() will say so. */
void update_writeback(void) {
  int left = st_writeback_slice(WRITEBACK_SLICE_US);
  if (left < 0) sys_log("cannot write its state back after the update: %s", sys_strerror(left));
  writing_back = left > 0;
  if (!writing_back) log_notes("transfer");
}

/* ---- new version ---- */

static void give_up(enum update_phase phase, int error) {
  st_pass("sys.refuse");
  /* The answer only says that busd has heard it; there is nobody left to care. */
  kern_report(phase, error, report.text);
  sys_log("update refused: %s", report.used ? report.text : sys_strerror(error));
  _exit(EXIT_FAILURE);
}

static void wait_for_commit(void) {
  const struct bus_op receive = {.code = BUS_OP_RECEIVE};
  struct channel_in in = {0};
  channel_exchange(&receive, NULL, -1, &in);
  if (in.d.kind != BUS_DELIVER_CONTROL || in.d.m.type != BUS_CTL_LIVE)
    runtime_die("the bus sent message 0x%x to a version that is not live", in.d.m.type);
  runtime.calls_in_flight = in.d.m.u32[0];
  writing_back = in.d.m.u32[1] == 0; /* on probation, the old version needs what would be written */
  st_fault_party(runtime.hello.name);
  st_pass("sys.live");
}

void update_become(void) {
  struct st_options *options = st_options_unpack(runtime.options, runtime.hello.options_bytes);
  st_pass("sys.plan");
  int error = options ? st_plan(BUS_FD_OLD_EXE, options, &report) : -EPROTO;
  st_options_free(options);
  if (error) give_up(UPDATE_PLANNED, error);
  log_notes("plan");

  /* Installing the filter takes longer than many an import, and so may the import's preparation: it
   * is done while the old version still serves. */
  sandbox_close(runtime.hello.sandbox, runtime.syscalls, runtime.hello.syscalls_bytes);
  error = st_import_prepare(BUS_FD_STATE, &report);
  if (error) give_up(UPDATE_PLANNED, error);
  st_pass("sys.planned");
  kern_report(UPDATE_PLANNED, 0, "");

  st_pass("sys.import");
  error = st_import(BUS_FD_STATE, &report);
  if (error) give_up(UPDATE_TRANSFERRED, error);
  close(BUS_FD_OLD_EXE);
  runtime_reserve_fds();
  sys_init_t info = runtime_init_info();
  st_pass("sys.imported");
  if (runtime.handlers->live_update && (error = runtime.handlers->live_update(&info)) < 0) {
    memset(&report, 0, sizeof(report));
    report.used = (size_t)snprintf(report.text, sizeof(report.text),
                                   "its live update handler refused (%d)", error);
    give_up(UPDATE_TRANSFERRED, -ECANCELED);
  }
  error = st_check(&report);
  if (error) give_up(UPDATE_TRANSFERRED, error);
  st_pass("sys.transferred");
  kern_report(UPDATE_TRANSFERRED, 0, "");

  wait_for_commit();
  error = st_commit();
  if (error) runtime_die("its state could not be made live: %s", sys_strerror(error));
  runtime.live = true;
  st_pass("sys.committed");
  if (runtime.handlers->committed) runtime.handlers->committed(&info);
}

/* ---- old version ---- */

static void forget(void) {
  st_filter_free(filter);
  filter = NULL;
  stage = STAGE_NONE;
}

/* A filter cut short would mean something else. */
static int take_filter(const struct channel_in *in, char *error, size_t error_cap) {
  if (in->d.m.payload >= sizeof(filter_text)) {
    snprintf(error, error_cap, "the state filter is longer than %u bytes", BUS_FILTER_MAX - 1);
    return -E2BIG;
  }
  memcpy(filter_text, in->buf, in->d.m.payload);
  filter_text[in->d.m.payload] = 0;
  if (!*filter_text) return 0;
  int fault = st_fault("sys.filter", ENOMEM);
  if (fault) return fault;
  filter = st_filter_compile(st_self(), filter_text, error, error_cap);
  return filter ? 0 : -EINVAL;
}

/* @return 0 or a negative errno */
static int make_ready(struct channel_in *in, char *error, size_t error_cap) {
  /* What is left of this version's own import goes first: the next one adopts the shared heap. */
  while (writing_back)
    update_writeback();
  int status = take_filter(in, error, error_cap);
  if (status) return status;
  int channel = in->fds[0];
  in->nfds = 0;
  st_exclude_fd(channel);
  return st_export_prepare(channel);
}

static void prepare(struct channel_in *in) {
  char text[512] = "";
  int status = -ENODATA;
  st_pass("sys.prepare");
  if (runtime.plain) {
    snprintf(text, sizeof(text), "it is a plain program, without handlers: it cannot be updated");
    status = -EOPNOTSUPP;
  } else if (in->nfds == 1 && st_self()) {
    status = make_ready(in, text, sizeof(text));
  }
  if (status)
    forget();
  else
    stage = STAGE_PREPARED;
  if (!status) st_export_describe(text, sizeof(text));
  st_pass("sys.prepared");
  kern_report(UPDATE_PREPARED, status, text);
}

static void thaw(void) {
  if (stage != STAGE_NONE) st_pass("sys.thaw");
  switch (stage) {
  case STAGE_NONE:
    break;
  case STAGE_PREPARED:
  case STAGE_CONVERGING:
    st_export_cancel();
    break;
  }
  forget();
}

void update_control(struct channel_in *in) {
  switch ((enum bus_control)in->d.m.type) {
  case BUS_CTL_PREPARE:
    thaw();
    prepare(in);
    break;
  case BUS_CTL_CONVERGE:
    st_pass("sys.converge");
    if (stage == STAGE_PREPARED) stage = STAGE_CONVERGING;
    break;
  case BUS_CTL_THAW:
    thaw();
    break;
  case BUS_CTL_PASSED:
    st_pass("sys.passed");
    writing_back = true;
    break;
  case BUS_CTL_LIVE:
  case BUS_CTL_SHUTDOWN:
  case BUS_CTL_PING:
    break;
  }
}

/* Exports, and waits until the update is off. If it commits, the process is killed in here. */
static void freeze(void) {
  st_pass("sys.freeze");
  channel_flush();
  int error = st_export();
  st_pass("sys.exported");
  kern_report(UPDATE_FROZEN, error, error ? sys_strerror(error) : "");
  st_pass("sys.frozen");
  const struct bus_op receive = {.code = BUS_OP_RECEIVE};
  struct channel_in in = {0};
  do {
    channel_exchange(&receive, NULL, -1, &in);
    channel_drop_fds(&in);
    if (in.d.kind != BUS_DELIVER_CONTROL)
      runtime_die("the bus sent message 0x%x to a version that is frozen", in.d.m.type);
  } while (in.d.m.type != BUS_CTL_THAW);
  thaw();
}

void update_point(bool top_level) {
  switch (stage) {
  case STAGE_NONE:
  case STAGE_PREPARED:
    break;
  case STAGE_CONVERGING:
    if (!top_level) break;
    int holds = filter ? st_filter_eval(filter) : 1;
    if (holds > 0) freeze();
    if (holds < 0) {
      char text[BUS_FILTER_MAX + 128];
      snprintf(text, sizeof(text), "the state filter '%s' %s", filter_text,
               holds == -EDOM ? "divides by zero" : "follows an invalid pointer");
      stage = STAGE_PREPARED;
      kern_report(UPDATE_FROZEN, holds, text);
    }
    break;
  }
}
