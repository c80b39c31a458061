/* The transaction's state machine on a bus of fakes: what it asks for, in which order, and what it
 * undoes at each possible failure. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/kern.h"
#include "updmgr/deadlock.h"
#include "updmgr/record.h"
#include "updmgr/transaction.h"

/* Endpoints as in the default manifest: httpd calls net, net calls e1000. */
enum { UM = 1, E1000 = 3, NET = 4, HTTPD = 5 };

static char done[4096]; /* what was asked of the bus, "load 4;converge 4;" */
static char said[4096]; /* what the client was told, a line each */
static int ended;       /* the status at the end; 1: not yet */
static enum outcome ended_as;
static uint64_t alarm_at, maxtime_at;
static int commit_error, converge_error;
static uint64_t commit_id;

static void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *fmt, ...) {
  size_t used = strlen(done);
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(done + used, sizeof(done) - used, fmt, ap);
  va_end(ap);
}

int kern_load(endpoint_t ep, uint64_t txid, const struct kern_load *how) {
  (void)txid, (void)how;
  note("load %d;", ep);
  return 1000 + ep;
}

int kern_converge(endpoint_t ep, const void *allow, size_t allow_bytes) {
  (void)allow, (void)allow_bytes;
  note("converge %d;", ep);
  return converge_error;
}

int kern_abort(endpoint_t ep) {
  note("abort %d;", ep);
  return 0;
}

int kern_commit(uint64_t txid, const endpoint_t *members, unsigned n,
                const struct kern_commit_limits *limits) {
  (void)limits;
  commit_id = txid;
  note("commit");
  for (unsigned i = 0; i < n; i++)
    note(" %d", members[i]);
  note(";");
  return commit_error;
}

int sys_alarm(unsigned bit, uint64_t at_us) {
  if (bit == TRANSACTION_ALARM) alarm_at = at_us;
  if (bit == TRANSACTION_MAXTIME) maxtime_at = at_us;
  return 0;
}

endpoint_t sys_self(void) {
  return UM;
}

const char *sys_strerror(int error) {
  return strerror(-error);
}

static uint64_t now_us = 1000000;

uint64_t sys_time_us(void) {
  return now_us;
}

void sys_log(const char *fmt, ...) {
  (void)fmt;
}

void client_say(client_t client, const char *fmt, ...) {
  (void)client;
  size_t used = strlen(said);
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(said + used, sizeof(said) - used, fmt, ap);
  va_end(ap);
  strcat(said, "\n");
}

void record_begin(struct transaction *t) {
  (void)t;
}

static uint64_t transfer_began_us;
static struct member_times last_times; /* of the member that froze last */

void record_end(const struct transaction *t, enum outcome outcome, int status, const char *reason) {
  ck_assert(t->phase == PHASE_IDLE);
  (void)reason;
  ended = status;
  ended_as = outcome;
  transfer_began_us = t->times[PHASE_TRANSFERRING].began_us;
  last_times = TAILQ_LAST(&t->members, member_list)->times;
}

static bool in_deadlock;

bool deadlock_look(struct member *m, char *why, size_t cap) {
  snprintf(why, cap, "%s waits for a ghost", m->name);
  return in_deadlock;
}

static void add(struct member_list *list, const char *name, endpoint_t ep, endpoint_t callee) {
  char path[64];
  snprintf(path, sizeof(path), "/bin/%s.new", name);
  struct member *m = member_new(name, path, ep == NET ? "n == 0" : "", -1);
  m->endpoint = ep;
  m->ncalls = callee ? 1 : 0;
  m->calls[0] = callee;
  TAILQ_INSERT_TAIL(list, m, link);
}

static const struct limits manifest = {.load_ms = 5000, .converge_ms = 3000, .transfer_ms = 2000};

/* Starts an update of e1000, net and httpd, in the wrong order for freezing. */
static void begin(void) {
  static const struct transaction_options options;
  struct member_list members = TAILQ_HEAD_INITIALIZER(members);
  add(&members, "e1000", E1000, 0);
  add(&members, "net", NET, E1000);
  add(&members, "httpd", HTTPD, NET);
  done[0] = said[0] = 0;
  ended = 1;
  commit_error = 0;
  transaction_begin(9, &members, &options, &manifest);
}

static void reported(endpoint_t ep, enum update_phase phase, int status, const char *text) {
  bool new = phase == UPDATE_PLANNED || phase == UPDATE_TRANSFERRED;
  transaction_reported(ep, new ? 1000 + ep : 70 + ep, phase, status, text);
}

static void report_all(enum update_phase phase) {
  for (endpoint_t ep = E1000; ep <= HTTPD; ep++)
    reported(ep, phase, 0, "");
}

static void loaded(void) {
  begin();
  report_all(UPDATE_PLANNED);
  report_all(UPDATE_PREPARED);
}

static void frozen(void) {
  loaded();
  reported(HTTPD, UPDATE_FROZEN, 0, "");
  reported(NET, UPDATE_FROZEN, 0, "");
  reported(E1000, UPDATE_FROZEN, 0, "");
}

#define ALL_ABORTED "abort 5;abort 4;abort 3;"

static void expect_failure(const char *line) {
  ck_assert_msg(strstr(said, line), "'%s' not in: %s", line, said);
  ck_assert_msg(strstr(done, ALL_ABORTED) || strstr(done, "abort 3;abort 4;abort 5;"), "%s", done);
  ck_assert_ptr_null(strstr(done, "commit"));
  ck_assert_int_lt(ended, 0);
  ck_assert(!transaction_running());
  ck_assert_uint_eq(alarm_at, 0);
}

START_TEST(whole_update) {
  frozen();
  report_all(UPDATE_TRANSFERRED);
  ck_assert_str_eq(done, "load 3;load 4;load 5;converge 5;converge 4;converge 3;commit 5 4 3;");
  ck_assert_int_eq(ended, 1); /* ordered is not decided */
  ck_assert_uint_eq(alarm_at, 0);
  transaction_committed(commit_id - 1, -ECANCELED);
  transaction_committed(commit_id, 0);
  ck_assert_str_eq(said, "Live update requested for e1000, net, httpd.\n"
                         "Loading /bin/e1000.new into memory...\n"
                         "Loading /bin/net.new into memory...\n"
                         "Loading /bin/httpd.new into memory...\n"
                         "Applying changes...\n"
                         "Cleaning up old version...\n"
                         "Live update done.\n");
  ck_assert_int_eq(ended, 0);
  ck_assert(!transaction_running());
}
END_TEST

START_TEST(callee_waits_for_its_caller) {
  loaded();
  ck_assert_str_eq(done, "load 3;load 4;load 5;converge 5;");
  reported(HTTPD, UPDATE_FROZEN, 0, "");
  ck_assert_ptr_nonnull(strstr(done, "converge 4;"));
  ck_assert_ptr_null(strstr(done, "converge 3;"));
}
END_TEST

START_TEST(transferred_may_come_before_frozen) {
  loaded();
  now_us += 650;
  reported(HTTPD, UPDATE_TRANSFERRED, 0, "");
  reported(HTTPD, UPDATE_FROZEN, 0, "");
  reported(NET, UPDATE_TRANSFERRED, 0, "");
  reported(NET, UPDATE_FROZEN, 0, "");
  reported(E1000, UPDATE_TRANSFERRED, 0, "");
  ck_assert_ptr_null(strstr(done, "commit"));
  now_us += 50;
  reported(E1000, UPDATE_FROZEN, 0, "");
  ck_assert_ptr_nonnull(strstr(done, "commit 5 4 3;"));
  transaction_committed(commit_id, 0);
  ck_assert_uint_eq(transfer_began_us, 700); /* it is told of like any other phase */
  ck_assert_uint_eq(last_times.transferred, 650);
  ck_assert_uint_eq(last_times.frozen, 650);
}
END_TEST

START_TEST(reports_of_an_abandoned_update_do_not_count) {
  begin();
  reported(HTTPD, UPDATE_FROZEN, 0, "");
  transaction_reported(HTTPD, 999, UPDATE_TRANSFERRED, 0, "");
  transaction_reported(HTTPD, 999, UPDATE_PLANNED, -EINVAL, "");
  ck_assert(transaction_running());
  report_all(UPDATE_PLANNED);
  report_all(UPDATE_PREPARED);
  ck_assert_str_eq(done, "load 3;load 4;load 5;converge 5;");
  reported(HTTPD, UPDATE_FROZEN, 0, "");
  reported(NET, UPDATE_FROZEN, 0, "");
  reported(E1000, UPDATE_FROZEN, 0, "");
  reported(NET, UPDATE_TRANSFERRED, 0, "");
  reported(E1000, UPDATE_TRANSFERRED, 0, "");
  ck_assert_int_eq(ended, 1);
}
END_TEST

START_TEST(ids_are_never_reused) {
  frozen();
  report_all(UPDATE_TRANSFERRED);
  uint64_t first = commit_id;
  transaction_committed(commit_id, 0);
  frozen();
  report_all(UPDATE_TRANSFERRED);
  ck_assert_uint_gt(commit_id, first);
  transaction_committed(commit_id, 0);
}
END_TEST

START_TEST(new_version_dies) {
  begin();
  transaction_exited(NET, true, 1000 + NET, 7 << 8);
  expect_failure(
      "Live update failed: net's new version exited with status 7 while loading. The old "
      "versions go on.");
  loaded();
  transaction_exited(NET, true, 1000 + NET, SIGKILL);
  expect_failure("net's new version was killed while converging (signal 9). Rolled back");
  loaded(); /* httpd converges; that it froze is not yet known when the news of the crash comes */
  transaction_exited(HTTPD, true, 1000 + HTTPD, SIGSEGV);
  expect_failure("Live update failed: httpd's new version crashed during state transfer (signal "
                 "11). Rolled back to the old versions.");
  loaded();
  transaction_exited(HTTPD, true, 1000 + HTTPD, SIGKILL);
  expect_failure("httpd's new version was killed while converging (signal 9). Rolled back");
  frozen();
  transaction_exited(NET, true, 1000 + NET, SIGSEGV);
  expect_failure("Live update failed: net's new version crashed during state transfer (signal 11). "
                 "Rolled back to "
                 "the old versions.");
}
END_TEST

START_TEST(new_version_dies_before_it_converges) {
  begin();
  converge_error = -ECHILD; /* the bus has heard of it first */
  report_all(UPDATE_PLANNED);
  report_all(UPDATE_PREPARED);
  ck_assert(transaction_running());
  transaction_exited(HTTPD, true, 1000 + HTTPD, SIGKILL);
  expect_failure("httpd's new version was killed while converging (signal 9). Rolled back");
  converge_error = 0;
}
END_TEST

START_TEST(old_version_dies) {
  frozen();
  transaction_exited(NET, false, 77, SIGKILL);
  expect_failure("the running version of net was killed during state transfer (signal 9). The "
                 "update is abandoned; the other components go on with their old versions.");
  ck_assert_int_eq(ended_as, OUTCOME_ABANDONED);
  loaded();
  reported(HTTPD, UPDATE_FROZEN, -EPIPE,
           ""); /* the old version hears first that the new one died */
  ck_assert(transaction_running());
  transaction_exited(HTTPD, true, 1000 + HTTPD, SIGKILL);
  expect_failure("httpd's new version was killed while converging (signal 9). Rolled back");
  loaded(); /* what it leaves behind may be heard of first */
  reported(HTTPD, UPDATE_TRANSFERRED, -EPIPE, "");
  transaction_exited(HTTPD, true, 1000 + HTTPD, 1 << 8);
  ck_assert(transaction_running());
  transaction_exited(HTTPD, false, 77, SIGKILL);
  expect_failure("the running version of httpd was killed while converging (signal 9)");
}
END_TEST

START_TEST(client_is_lost) {
  loaded();
  transaction_client_gone(8); /* another one */
  ck_assert(transaction_running());
  transaction_client_gone(9);
  expect_failure("the client that requested it was lost");
}
END_TEST

/* The alarm of the running phase goes off. */
static void be_late(void) {
  uint64_t before = now_us;
  now_us = alarm_at;
  transaction_time_out();
  now_us = before;
}

START_TEST(time_outs) {
  begin();
  ck_assert_uint_eq(alarm_at, 1000000 + 5000 * 1000);
  be_late(); /* the new version waits for it, too */
  expect_failure("the running version of httpd did not answer within 5000 ms while loading");
  begin();
  report_all(UPDATE_PREPARED);
  be_late();
  expect_failure("httpd's new version did not answer within 5000 ms while loading");
  loaded();
  ck_assert_uint_eq(alarm_at, 1000000 + 3000 * 1000);
  transaction_time_out(); /* an alarm of the phase before, heard of late */
  ck_assert(transaction_running());
  reported(HTTPD, UPDATE_FROZEN, 0, "");
  be_late();
  expect_failure("net did not reach state quiescence ('n == 0') within 3000 ms");
  frozen();
  ck_assert_uint_eq(alarm_at, 1000000 + 2000 * 1000);
  be_late();
  expect_failure("httpd's new version did not answer within 2000 ms during state transfer");
}
END_TEST

START_TEST(longest_time_to_converge_counts) {
  static const struct transaction_options options;
  struct member_list members = TAILQ_HEAD_INITIALIZER(members);
  add(&members, "net", NET, 0);
  TAILQ_FIRST(&members)->limits.converge_ms = 100;
  transaction_begin(9, &members, &options, &manifest);
  reported(NET, UPDATE_PLANNED, 0, "");
  reported(NET, UPDATE_PREPARED, 0, "");
  ck_assert_uint_eq(alarm_at, 1000000 + 100 * 1000);
  transaction_client_gone(9);
  add(&members, "net", NET, 0);
  add(&members, "httpd", HTTPD, NET);
  TAILQ_FIRST(&members)->limits.converge_ms = 100;
  transaction_begin(9, &members, &options, &manifest);
  for (endpoint_t ep = NET; ep <= HTTPD; ep++) {
    reported(ep, UPDATE_PLANNED, 0, "");
    reported(ep, UPDATE_PREPARED, 0, "");
  }
  ck_assert_uint_eq(alarm_at, 1000000 + 3000 * 1000);
}
END_TEST

START_TEST(what_is_said_of_the_whole_counts_before_the_members) {
  static const struct transaction_options options = {
      .limits = {.load_ms = 70, .converge_ms = 80, .max_ms = 1000}};
  struct member_list members = TAILQ_HEAD_INITIALIZER(members);
  now_us = 1000000;
  add(&members, "net", NET, 0);
  TAILQ_FIRST(&members)->limits.converge_ms = 100;
  done[0] = said[0] = 0;
  transaction_begin(9, &members, &options, &manifest);
  ck_assert_uint_eq(alarm_at, now_us + 70 * 1000);
  ck_assert_uint_eq(maxtime_at, now_us + 1000 * 1000);
  reported(NET, UPDATE_PLANNED, 0, "");
  reported(NET, UPDATE_PREPARED, 0, "");
  ck_assert_uint_eq(alarm_at, now_us + 80 * 1000);
  transaction_maxtime(); /* the alarm of an update before, heard of late */
  ck_assert(transaction_running());
  now_us = maxtime_at;
  transaction_maxtime();
  now_us = 1000000;
  ck_assert_msg(strstr(said, "did not come to its commit within 1000 ms (-maxtime); net was "
                             "converging. Rolled back"),
                "%s", said);
  ck_assert_int_eq(ended, -ETIMEDOUT);
  ck_assert_int_eq(ended_as, OUTCOME_ROLLED_BACK);
  ck_assert_uint_eq(maxtime_at, 0);
}
END_TEST

START_TEST(dry_run_changes_nothing) {
  static const struct transaction_options options = {.dry_run = true};
  struct member_list members = TAILQ_HEAD_INITIALIZER(members);
  add(&members, "net", NET, 0);
  done[0] = said[0] = 0;
  ended = 1;
  transaction_begin(9, &members, &options, &manifest);
  reported(NET, UPDATE_PREPARED, 0, "3 blocks in 99 bytes of heap");
  reported(NET, UPDATE_PLANNED, 0, "");
  ck_assert_str_eq(done, "load 4;abort 4;");
  ck_assert_ptr_nonnull(strstr(said, "net: the old version has 3 blocks in 99 bytes of heap."));
  ck_assert_int_eq(ended, 0);
  ck_assert_int_eq(ended_as, OUTCOME_TRIED);
}
END_TEST

START_TEST(deadlock_is_not_waited_out) {
  loaded();
  in_deadlock = false;
  transaction_look();
  ck_assert(transaction_running());
  reported(HTTPD, UPDATE_FROZEN, 0, "");
  in_deadlock = true;
  transaction_look();
  in_deadlock = false;
  expect_failure("net did not reach state quiescence ('n == 0') and never can: net waits for a "
                 "ghost. Rolled back to the old versions.");
  ck_assert_int_eq(ended, -EDEADLK);
  begin();
  in_deadlock = true; /* nobody converges yet */
  transaction_look();
  in_deadlock = false;
  ck_assert(transaction_running());
}
END_TEST

START_TEST(refusals) {
  begin();
  reported(NET, UPDATE_PLANNED, -EINVAL, "conns[3]: no.\nconns[4]: no.\n");
  expect_failure("net: conns[3]: no (and 1 more: prctl log um). The old versions go on.");
  frozen();
  reported(E1000, UPDATE_TRANSFERRED, -EINVAL, "");
  expect_failure("e1000's new version gave up during state transfer");
  frozen();
  commit_error = -ETIMEDOUT;
  for (endpoint_t ep = E1000; ep <= HTTPD; ep++)
    reported(ep, UPDATE_TRANSFERRED, 0, "");
  ck_assert_ptr_nonnull(strstr(done, "commit 5 4 3;" ALL_ABORTED));
  ck_assert_int_eq(ended, -ETIMEDOUT);
}
END_TEST

START_TEST(late_events_are_ignored) {
  frozen();
  report_all(UPDATE_TRANSFERRED);
  transaction_committed(commit_id, 0);
  done[0] = 0;
  transaction_exited(NET, false, 77, SIGKILL);
  transaction_time_out();
  transaction_client_gone(9);
  reported(NET, UPDATE_FROZEN, -EIO, "");
  transaction_committed(commit_id, -ECANCELED);
  ck_assert_str_eq(done, "");
}
END_TEST

/* From the order to commit on, what fails is only a reason: the bus decides. */
START_TEST(commit_is_refused) {
  frozen();
  report_all(UPDATE_TRANSFERRED);
  transaction_exited(NET, true, 1000 + NET, SIGSEGV);
  transaction_client_gone(9);
  ck_assert_ptr_null(strstr(done, "abort"));
  transaction_committed(commit_id, -ECANCELED);
  ck_assert_ptr_nonnull(strstr(done, "commit 5 4 3;" ALL_ABORTED));
  ck_assert_ptr_nonnull(strstr(said, "Live update failed: net's new version crashed during state "
                                     "transfer (signal 11). Rolled back to the old versions."));
  ck_assert_int_eq(ended, -ECHILD);
  frozen();
  report_all(UPDATE_TRANSFERRED);
  transaction_exited(NET, true, 1000 + NET, SIGSEGV); /* just after the decision */
  transaction_committed(commit_id, 0);
  ck_assert_int_eq(ended, 0);
  frozen();
  report_all(UPDATE_TRANSFERRED);
  transaction_committed(commit_id, -ECANCELED);
  ck_assert_ptr_nonnull(strstr(said, "failed: the commit was refused"));
}
END_TEST

/* um and net; um is where the order of freezing would have it first. */
static void begin_with_um(void) {
  static const struct transaction_options options;
  struct member_list members = TAILQ_HEAD_INITIALIZER(members);
  add(&members, "um", UM, 0);
  add(&members, "net", NET, 0);
  done[0] = said[0] = 0;
  ended = 1;
  transaction_begin(9, &members, &options, &manifest);
  for (endpoint_t ep = UM; ep <= NET; ep += NET - UM) {
    reported(ep, UPDATE_PLANNED, 0, "");
    reported(ep, UPDATE_PREPARED, 0, "");
  }
  reported(NET, UPDATE_FROZEN, 0, "");
  reported(NET, UPDATE_TRANSFERRED, 0, "");
}

START_TEST(um_converges_by_the_order_to_commit) {
  begin_with_um();
  ck_assert_str_eq(done, "load 1;load 4;converge 4;commit 1 4;");
  reported(UM, UPDATE_FROZEN, 0, ""); /* read by the new um */
  reported(UM, UPDATE_TRANSFERRED, 0, "");
  ck_assert_int_eq(ended, 1);
  transaction_committed(commit_id, 0);
  ck_assert_int_eq(ended, 0);
}
END_TEST

START_TEST(um_cannot_be_replaced) {
  begin_with_um();
  reported(UM, UPDATE_FROZEN, 0, "");
  reported(UM, UPDATE_TRANSFERRED, -EINVAL, "violation: tx.id: no.");
  transaction_committed(commit_id, -EINVAL);
  ck_assert_str_eq(done, "load 1;load 4;converge 4;commit 1 4;abort 1;abort 4;");
  ck_assert_ptr_nonnull(strstr(said, "Live update failed: um: violation: tx.id: no. Rolled back"));
  begin_with_um();
  transaction_committed(commit_id, -ETIMEDOUT);
  ck_assert_ptr_nonnull(strstr(said, "um did not reach state quiescence within 3000 ms"));
  begin_with_um();
  reported(UM, UPDATE_FROZEN, 0, "");
  transaction_committed(commit_id, -ETIMEDOUT);
  ck_assert_ptr_nonnull(strstr(said, "um's new version did not answer within 2000 ms during state "
                                     "transfer"));
}
END_TEST

int main(void) {
  Suite *s = suite_create("transaction");
  TCase *t = tcase_create("all");
  tcase_add_test(t, whole_update);
  tcase_add_test(t, callee_waits_for_its_caller);
  tcase_add_test(t, transferred_may_come_before_frozen);
  tcase_add_test(t, reports_of_an_abandoned_update_do_not_count);
  tcase_add_test(t, ids_are_never_reused);
  tcase_add_test(t, new_version_dies);
  tcase_add_test(t, new_version_dies_before_it_converges);
  tcase_add_test(t, old_version_dies);
  tcase_add_test(t, client_is_lost);
  tcase_add_test(t, time_outs);
  tcase_add_test(t, longest_time_to_converge_counts);
  tcase_add_test(t, what_is_said_of_the_whole_counts_before_the_members);
  tcase_add_test(t, dry_run_changes_nothing);
  tcase_add_test(t, deadlock_is_not_waited_out);
  tcase_add_test(t, refusals);
  tcase_add_test(t, late_events_are_ignored);
  tcase_add_test(t, commit_is_refused);
  tcase_add_test(t, um_converges_by_the_order_to_commit);
  tcase_add_test(t, um_cannot_be_replaced);
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
