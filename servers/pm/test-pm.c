/* pm in this process, with the rest of the system played: what a running system does too seldom or
 * too fast to be tested there. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "bus/test-run.h"
#include "drivers-sim/test-component.h"
#include "libsys/if/fs.h"
#include "libsys/if/io.h"
#include "servers/pm/process.h"
#include "servers/pm/request.h"
#include "servers/pm/test-system.h"

static void kill_process(endpoint_t by, int32_t pid, int signal) {
  msg_t m = {.type = PROC_KILL};
  *IPC(&m, proc_kill) = (struct proc_kill){{{.pid = pid, .signal = signal}}};
  request(by, m);
}

static void set_limit(endpoint_t by, enum proc_limit which, uint64_t value) {
  msg_t m = {.type = PROC_SET_LIMIT};
  *IPC(&m, proc_set_limit) = (struct proc_set_limit){{{.value = value, .which = which}}};
  request(by, m);
}

static void alarm_fires(void) {
  component_receive((msg_t){.source = SYS_KERNEL, .type = SYS_NOTIFIED, .bits = 1});
}

/* ---- spawn ---- */

/* Whatever it says, nothing outside of it is looked at. */
START_TEST(malformed_requests) {
  static const struct proc_spawn head = {.nfds = 1, .nargs = 2, .nenv = 1};
  static const char strings[] = "tool\0tool\0-x\0A=1";
  enum { BYTES = sizeof(head) + sizeof(struct proc_fd) + sizeof(strings) };
  char good[BYTES] = {0}, bad[BYTES];
  struct spawn_request r;
  memcpy(good, &head, sizeof(head));
  memcpy(good + BYTES - sizeof(strings), strings, sizeof(strings));
  ck_assert_int_eq(request_parse(good, BYTES, &r), 0);
  ck_assert_uint_eq(r.program_bytes, 13);
  ck_assert_uint_eq(r.env_bytes, 4);
  for (size_t n = 0; n < BYTES; n++)
    ck_assert_int_eq(request_parse(good, n, &r), -EINVAL);
  for (unsigned i = 0; i < BYTES * 256; i++) {
    memcpy(bad, good, BYTES);
    bad[i / 256] = (char)i;
    if (request_parse(bad, BYTES, &r)) continue;
    ck_assert(r.strings >= r.fds);
    ck_assert_ptr_eq(r.strings + r.program_bytes, r.env);
    ck_assert_ptr_eq(r.env + r.env_bytes, bad + BYTES);
  }
}
END_TEST

START_TEST(a_handle_after_the_other) {
  uint64_t token = ask_spawn(INIT, 2, TTY);
  ck_assert_uint_eq(ncalls, 1);
  ck_assert_int_eq(calls[0].dst, STORAGE);
  ck_assert_int_eq(IPC(&calls[0].m, fs_credentials)->process, FIRST_PLACE);
  server_answers(0);
  ck_assert_uint_eq(ncalls, 2);
  ck_assert(!places[0].started);
  server_answers(0);
  server_answers(0);
  ck_assert(places[0].started);
  ck_assert_int_eq(IPC(&calls[2].m, io_duplicate)->from, INIT);
  ck_assert_int_eq(IPC(&calls[2].m, io_duplicate)->to, FIRST_PLACE);
  ck_assert_ptr_null(answer_to(token));
  begin(FIRST_PLACE);
  ck_assert_int_eq(answer_to(token)->status, 0);
  struct proc_fd fds[2];
  memcpy(fds, replies[0].payload + sizeof(struct proc_start), sizeof(fds));
  ck_assert_uint_eq(fds[0].handle, 102);
  ck_assert_uint_eq(fds[1].handle, 103);
}
END_TEST

/* What servers say, and what the parent is told. */
START_TEST(servers_refuse) {
  static const struct {
    unsigned good; /* calls that succeed before */
    int says, means;
  } refusals[] = {
      {0, -EPERM, -EPERM},   {0, -ENOSYS, -ENOSYS},         {1, -EBADF, -EBADF},
      {1, -EMFILE, -EMFILE}, {1, -SYS_EDEADSRCDST, -EBADF}, {2, -SYS_ERESTARTED, -EBADF},
  };
  uint64_t token = ask_spawn(INIT, 2, TTY);
  for (unsigned i = 0; i < refusals[_i].good; i++)
    server_answers(0);
  server_answers(refusals[_i].says);
  ck_assert_int_eq(answer_to(token)->status, refusals[_i].means);
  ck_assert(!places[0].taken);
  ck_assert(TAILQ_EMPTY(&processes));
}
END_TEST

/* It is told when it is back. */
START_TEST(the_file_server_is_away) {
  uint64_t token = ask_spawn(INIT, 0, 0);
  server_answers(-SYS_EDEADSRCDST);
  begin(FIRST_PLACE);
  ck_assert_int_eq(answer_to(token)->status, 0);
  component_receive((msg_t){.type = SYS_RESTARTED, .i32 = {TTY}});
  ck_assert_uint_eq(ncalls, 1);
  component_receive((msg_t){.type = SYS_RESTARTED, .i32 = {STORAGE}});
  ck_assert_uint_eq(ncalls, 2);
  ck_assert_int_eq(IPC(&calls[1].m, fs_credentials)->process, FIRST_PLACE);
}
END_TEST

START_TEST(calls_run_out) {
  calls_max = 1;
  uint64_t one = ask_spawn(INIT, 1, TTY), two = ask_spawn(INIT, 1, TTY);
  for (unsigned i = 0; i < 4; i++) {
    ck_assert_uint_eq(ncalls, i + 1);
    server_answers(0);
  }
  begin(FIRST_PLACE);
  begin(FIRST_PLACE + 1);
  ck_assert_int_eq(answer_to(one)->status, 0);
  ck_assert_int_eq(answer_to(two)->status, 0);
  /* All are to be told at once, and can't be. */
  component_receive((msg_t){.type = SYS_RESTARTED, .i32 = {STORAGE}});
  ck_assert_uint_eq(ncalls, 5);
  server_answers(0);
  ck_assert_uint_eq(ncalls, 6);
  ck_assert_int_eq(IPC(&calls[5].m, fs_credentials)->process, FIRST_PLACE + 1);
}
END_TEST

START_TEST(it_cannot_be_started) {
  places[0].start_error = -ENOMEM;
  uint64_t token = ask_spawn(INIT, 0, 0);
  server_answers(0);
  ck_assert_int_eq(answer_to(token)->status, -ENOMEM);
  ck_assert(TAILQ_EMPTY(&processes));
}
END_TEST

/* The place is kept as long as a server may still make something for it. */
START_TEST(killed_while_a_server_is_asked) {
  uint64_t token = ask_spawn(INIT, 1, TTY);
  server_answers(0);
  kill_process(INIT, 2, SIGTERM);
  ck_assert_int_eq(status(), 0);
  ck_assert_int_eq(answer_to(token)->status, -ECHILD);
  ck_assert(places[0].taken && !places[0].started);
  server_answers(0);
  ck_assert(!places[0].taken);
  ck_assert(TAILQ_EMPTY(&processes));
}
END_TEST

/* It stands still only when it has begun: else its parent would wait for that. */
START_TEST(stopped_before_it_starts) {
  uint64_t token = ask_spawn(INIT, 1, TTY);
  server_answers(0);
  kill_process(INIT, 2, SIGSTOP);
  server_answers(0);
  ck_assert(places[0].started);
  ck_assert_int_eq(places[0].signal, 0);
  begin(FIRST_PLACE);
  ck_assert_int_eq(places[0].signal, SIGSTOP);
  ck_assert_int_eq(answer_to(token)->status, 0);
}
END_TEST

START_TEST(stopped_before_it_begins) {
  uint64_t token = ask_spawn(INIT, 0, 0);
  server_answers(0);
  kill_process(INIT, 2, SIGTSTP);
  ck_assert(places[0].started);
  ck_assert_int_eq(places[0].signal, 0);
  kill_process(INIT, 2, SIGCONT);
  begin(FIRST_PLACE);
  ck_assert_int_eq(places[0].signal, 0);
  ck_assert_int_eq(answer_to(token)->status, 0);
}
END_TEST

START_TEST(an_executable_that_is_none) {
  uint64_t token = ask_spawn(INIT, 0, 0);
  server_answers(0);
  msg_t m = {.source = SYS_KERNEL, .type = PROGRAM_ENDED, .payload = 4};
  m.i32[0] = FIRST_PLACE;
  m.u32[1] = 1;
  m.i32[2] = 127 << 8;
  component_receive(m);
  ck_assert_int_eq(answer_to(token)->status, -EACCES);
  ck_assert(!places[0].taken);
}
END_TEST

/* News of an earlier program of the place. */
START_TEST(another_incarnation_ends) {
  start(INIT, FIRST_PLACE);
  msg_t m = {.source = SYS_KERNEL, .type = PROGRAM_ENDED};
  m.i32[0] = FIRST_PLACE;
  m.u32[1] = 99;
  component_receive(m);
  ck_assert_ptr_nonnull(process_by_endpoint(FIRST_PLACE));
}
END_TEST

START_TEST(the_table_is_full) {
  int32_t parent = start(INIT, FIRST_PLACE);
  for (unsigned i = 1; i < PROCESSES_MAX; i++) {
    nreplies = 0;
    ncalls = nanswered = 0;
    start(FIRST_PLACE, FIRST_PLACE + 1);
    ends(FIRST_PLACE + 1, 0);
  }
  ck_assert_uint_eq(process_count_children(parent), PROCESSES_MAX - 1);
  nreplies = 0;
  ask_spawn(FIRST_PLACE, 0, 0);
  ck_assert_int_eq(status(), -EAGAIN);
  ends(FIRST_PLACE, 0);
  ck_assert(TAILQ_EMPTY(&processes));
  ncalls = nanswered = 0;
  start(INIT, FIRST_PLACE);
}
END_TEST

/* ---- CPU time ---- */

#define SECOND 1000000u

START_TEST(cpu_time_is_looked_at_when_it_can_be_up) {
  start(INIT, FIRST_PLACE);
  ck_assert_uint_eq(alarm_us, 0);
  set_limit(FIRST_PLACE, PROC_LIMIT_CPU_S, 5);
  ck_assert_uint_eq(alarm_us, now_us + 5 * SECOND);
  now_us += 5 * SECOND;
  places[0].cpu_us = 2 * SECOND;
  alarm_fires();
  ck_assert_int_eq(places[0].signal, 0);
  ck_assert_uint_eq(alarm_us, now_us + 3 * SECOND);
  places[0].cpu_us = 5 * SECOND - 1;
  alarm_fires();
  ck_assert_uint_ge(alarm_us, now_us + 10000);
  ck_assert_int_eq(places[0].signal, 0);
  places[0].cpu_us = 5 * SECOND;
  alarm_fires();
  ck_assert_int_eq(places[0].signal, SIGKILL);
  ends(FIRST_PLACE, SIGKILL);
  alarm_fires();
  ck_assert_uint_eq(alarm_us, 0);
}
END_TEST

START_TEST(one_that_catches_it_is_told_each_second) {
  start(INIT, FIRST_PLACE);
  msg_t m = {.type = PROC_SIGNALS};
  IPC(&m, proc_signals)->caught = 1ull << (SIGXCPU - 1);
  request(FIRST_PLACE, m);
  set_limit(FIRST_PLACE, PROC_LIMIT_CPU_S, 1);
  for (unsigned i = 0; i < 3; i++) {
    places[0].cpu_us = (i + 1) * SECOND + 100;
    alarm_fires();
    ck_assert_int_eq(last_notified.dst, FIRST_PLACE);
    ck_assert_uint_eq(last_notified.bits, PROC_SIGNALLED);
    ck_assert_uint_eq(alarm_us, now_us + SECOND - 100);
    last_notified.dst = 0;
  }
  ck_assert_int_eq(places[0].signal, 0);
}
END_TEST

START_TEST(the_soonest_of_several_limits) {
  start(INIT, FIRST_PLACE);
  start(INIT, FIRST_PLACE + 1);
  set_limit(FIRST_PLACE, PROC_LIMIT_CPU_S, 100);
  set_limit(FIRST_PLACE + 1, PROC_LIMIT_CPU_S, 10);
  ck_assert_uint_eq(alarm_us, now_us + 10 * SECOND);
  set_limit(FIRST_PLACE, PROC_LIMIT_CPU_S, UINT64_MAX / 2);
  ck_assert_int_eq(status(), -EPERM);
  ends(FIRST_PLACE + 1, 0);
  alarm_fires();
  ck_assert_uint_eq(alarm_us, now_us + 100 * SECOND);
}
END_TEST

/* ---- an older state than the bus's ---- */

static void look_again(void) {
  component_receive((msg_t){.source = SYS_KERNEL, .type = PROGRAM_LOOK_AGAIN});
}

START_TEST(nothing_has_changed) {
  start(INIT, FIRST_PLACE);
  ask_spawn(INIT, 1, TTY);
  look_again();
  ck_assert_int_eq(places[0].signal, 0);
  ck_assert(places[1].taken);
  ck_assert_uint_eq(process_count_members(2), 1);
}
END_TEST

START_TEST(one_that_is_not_there_any_more) {
  int32_t parent = start(INIT, FIRST_PLACE);
  int32_t child = start(FIRST_PLACE, FIRST_PLACE + 1);
  places[1].taken = false;
  look_again();
  ck_assert_int_eq(process_by_pid(child)->phase, PROCESS_ENDED);
  ck_assert_ptr_null(process_by_endpoint(FIRST_PLACE + 1));
  ck_assert_int_eq(process_by_pid(child)->parent, parent);
}
END_TEST

START_TEST(some_that_are_not_known) {
  start(INIT, FIRST_PLACE);
  struct kern_program other, third;
  kern_spawn("", 0, &other);
  kern_spawn("", 0, &third);
  kern_start(third);
  look_again();
  ck_assert(!places[1].taken);
  ck_assert_int_eq(places[2].signal, SIGKILL);
  ends(third.endpoint, SIGKILL);
  ck_assert(!places[2].taken);
}
END_TEST

/* Another version has gone on with what this one was about. */
START_TEST(one_that_was_started_meanwhile) {
  uint64_t token = ask_spawn(INIT, 1, TTY);
  server_answers(0);
  places[0].started = true;
  look_again();
  ck_assert_int_eq(places[0].signal, SIGKILL);
  ck_assert_int_eq(answer_to(token)->status, -ECHILD);
  server_answers(-SYS_ERESTARTED);
  ends(FIRST_PLACE, SIGKILL);
  ck_assert(!places[0].taken);
  ck_assert(TAILQ_EMPTY(&processes));
}
END_TEST

/* The place of the last process: another version has answered its PROC_BEGIN. */
static void begins_elsewhere(void) {
  places[0].started = places[0].answered = true;
}

/* Its parent may have been told or not: a late answer does no harm. */
START_TEST(one_that_has_begun_meanwhile) {
  uint64_t token = ask_spawn(INIT, 0, 0);
  server_answers(0);
  begins_elsewhere();
  look_again();
  ck_assert_int_eq(places[0].signal, 0);
  ck_assert_int_eq(answer_to(token)->status, 0);
  const struct process *p = process_by_endpoint(FIRST_PLACE);
  ck_assert_int_eq(p->phase, PROCESS_RUNNING);
  ck_assert_int_eq(IPC_REPLY(answer_to(token), proc_spawn_program)->pid, p->pid);
  ends(FIRST_PLACE, 0);
  ck_assert(TAILQ_EMPTY(&processes));
}
END_TEST

START_TEST(one_that_has_got_its_handles_and_begun_meanwhile) {
  uint64_t token = ask_spawn(INIT, 1, TTY);
  server_answers(0);
  begins_elsewhere();
  look_again();
  ck_assert_int_eq(places[0].signal, 0);
  ck_assert_int_eq(answer_to(token)->status, 0);
  server_answers(-SYS_ERESTARTED); /* what this version has asked */
  ck_assert_int_eq(process_by_endpoint(FIRST_PLACE)->phase, PROCESS_RUNNING);
}
END_TEST

START_TEST(one_that_has_begun_and_ended_meanwhile) {
  start(INIT, FIRST_PLACE);
  uint64_t token = ask_spawn(FIRST_PLACE, 0, 0);
  server_answers(0);
  places[1].started = places[1].answered = places[1].ended = true;
  places[1].wait_status = 3 << 8;
  look_again();
  ck_assert_int_eq(answer_to(token)->status, 0);
  const struct process *p = process_by_pid(IPC_REPLY(answer_to(token), proc_spawn_program)->pid);
  ck_assert_int_eq(p->phase, PROCESS_ENDED);
  ck_assert_int_eq(p->status, 3 << 8);
}
END_TEST

/* The news of its end come first. */
START_TEST(one_that_has_begun_meanwhile_ends) {
  start(INIT, FIRST_PLACE);
  uint64_t token = ask_spawn(FIRST_PLACE, 1, TTY);
  places[1].answered = true;
  ends(FIRST_PLACE + 1, 3 << 8);
  ck_assert_int_eq(answer_to(token)->status, 0);
  const struct process *p = process_by_pid(IPC_REPLY(answer_to(token), proc_spawn_program)->pid);
  ck_assert_int_eq(p->phase, PROCESS_ENDED);
  ck_assert_int_eq(p->status, 3 << 8);
}
END_TEST

START_TEST(one_that_has_begun_was_stopped_before) {
  uint64_t token = ask_spawn(INIT, 0, 0);
  server_answers(0);
  kill_process(INIT, 2, SIGSTOP);
  begins_elsewhere();
  look_again();
  ck_assert_int_eq(places[0].signal, SIGSTOP);
  ck_assert_int_eq(answer_to(token)->status, 0);
}
END_TEST

/* Its parent has been told that it did not begin, and is told nothing else. */
START_TEST(one_that_has_begun_was_given_up_before) {
  uint64_t token = ask_spawn(INIT, 1, TTY);
  server_answers(0);
  places[0].started = true;
  look_again();
  ck_assert_int_eq(answer_to(token)->status, -ECHILD);
  begins_elsewhere();
  look_again();
  ck_assert_int_eq(process_by_endpoint(FIRST_PLACE)->phase, PROCESS_STARTING);
  server_answers(-SYS_ERESTARTED);
  ends(FIRST_PLACE, SIGKILL);
  ck_assert_int_eq(answer_to(token)->status, -ECHILD);
  ck_assert(TAILQ_EMPTY(&processes));
}
END_TEST

/* It may still ask this version. */
START_TEST(one_that_has_yet_to_begin) {
  uint64_t token = ask_spawn(INIT, 0, 0);
  server_answers(0);
  look_again();
  ck_assert_int_eq(places[0].signal, 0);
  ck_assert_ptr_null(answer_to(token));
  begin(FIRST_PLACE);
  ck_assert_int_eq(answer_to(token)->status, 0);
}
END_TEST

/* This one could not even ask for its handles. */
START_TEST(one_that_was_started_without_our_asking) {
  calls_max = 1;
  ask_spawn(INIT, 1, TTY);
  uint64_t token = ask_spawn(INIT, 1, TTY);
  places[1].started = true;
  look_again();
  ck_assert_int_eq(places[1].signal, SIGKILL);
  ck_assert_int_eq(answer_to(token)->status, -ECHILD);
}
END_TEST

START_TEST(one_that_was_given_up_meanwhile) {
  uint64_t token = ask_spawn(INIT, 1, TTY);
  server_answers(0);
  places[0].taken = false;
  look_again();
  ck_assert_int_eq(answer_to(token)->status, -ECHILD);
  server_answers(-SYS_ERESTARTED);
  ck_assert(TAILQ_EMPTY(&processes));
}
END_TEST

int main(void) {
  Suite *s = suite_create("pm");
  TCase *t = tcase_create("pm");
  tcase_add_checked_fixture(t, test_system_start, NULL);
  tcase_add_test(t, malformed_requests);
  tcase_add_test(t, a_handle_after_the_other);
  tcase_add_loop_test(t, servers_refuse, 0, 6);
  tcase_add_test(t, the_file_server_is_away);
  tcase_add_test(t, calls_run_out);
  tcase_add_test(t, it_cannot_be_started);
  tcase_add_test(t, killed_while_a_server_is_asked);
  tcase_add_test(t, stopped_before_it_starts);
  tcase_add_test(t, stopped_before_it_begins);
  tcase_add_test(t, an_executable_that_is_none);
  tcase_add_test(t, another_incarnation_ends);
  tcase_add_test(t, the_table_is_full);
  tcase_add_test(t, cpu_time_is_looked_at_when_it_can_be_up);
  tcase_add_test(t, one_that_catches_it_is_told_each_second);
  tcase_add_test(t, the_soonest_of_several_limits);
  tcase_add_test(t, nothing_has_changed);
  tcase_add_test(t, one_that_is_not_there_any_more);
  tcase_add_test(t, some_that_are_not_known);
  tcase_add_test(t, one_that_was_started_meanwhile);
  tcase_add_test(t, one_that_has_begun_meanwhile);
  tcase_add_test(t, one_that_has_got_its_handles_and_begun_meanwhile);
  tcase_add_test(t, one_that_has_begun_and_ended_meanwhile);
  tcase_add_test(t, one_that_has_begun_meanwhile_ends);
  tcase_add_test(t, one_that_has_begun_was_stopped_before);
  tcase_add_test(t, one_that_has_begun_was_given_up_before);
  tcase_add_test(t, one_that_has_yet_to_begin);
  tcase_add_test(t, one_that_was_started_without_our_asking);
  tcase_add_test(t, one_that_was_given_up_meanwhile);
  suite_add_tcase(s, t);
  return test_run(s);
}
