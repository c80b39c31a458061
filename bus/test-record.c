/* Tokens, and the commit record with processes that live, are stopped, or are gone. */
#include <check.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus/child.h"
#include "bus/record.h"
#include "bus/test-run.h"
#include "bus/token.h"

START_TEST(tokens) {
  struct token t = {.caller = 63, .slot = 250, .incarnation = 0xffff, .sequence = 0xffffffff};
  struct token u = token_unpack(token_pack(t));
  ck_assert_int_eq(u.caller, t.caller);
  ck_assert_uint_eq(u.slot, t.slot);
  ck_assert_uint_eq(u.incarnation, t.incarnation);
  ck_assert_uint_eq(u.sequence, t.sequence);
  ck_assert_uint_ne(token_pack((struct token){.caller = 1}), 0);
  ck_assert_int_eq(token_unpack(0).caller, 0);
}
END_TEST

static pid_t pids[2];
static struct loader_msg commit;

static void setup(void) {
  for (uint32_t i = 0; i < 2; i++) {
    pids[i] = fork();
    if (pids[i] == 0) {
      pause();
      _exit(0);
    }
    child_add(i + 1, pids[i], -1);
    commit.commit.members[i] = (struct loader_member){(endpoint_t)i + 1, 1, pids[i]};
  }
  commit.type = LOADER_COMMIT;
  commit.commit.txid = 7;
  commit.commit.deadline_us = 1000;
  commit.commit.nmembers = 2;
}

static void teardown(void) {
  child_kill_all(SIGKILL);
  for (int i = 0; i < 2; i++)
    waitpid(pids[i], NULL, 0);
}

START_TEST(commits_once_and_stays_committed) {
  struct record r = {0};
  ck_assert(record_commit(&r, &commit, 1000));
  ck_assert_int_eq(r.state, RECORD_COMMITTED);
  ck_assert_uint_eq(r.activate.type, LOADER_ACTIVATE);
  ck_assert_msg(record_commit(&r, &commit, 5000), "decided: no deadline matters any more");
  struct loader_msg another = commit;
  another.commit.txid = 8;
  ck_assert_msg(!record_commit(&r, &another, 1), "the last one is not acknowledged");
  record_acknowledge(&r, 8);
  ck_assert_int_eq(r.state, RECORD_COMMITTED);
  record_acknowledge(&r, 7);
  ck_assert_int_eq(r.state, RECORD_EMPTY);
  ck_assert(record_commit(&r, &another, 1));
}
END_TEST

START_TEST(refuses_after_the_deadline) {
  struct record r = {0};
  ck_assert(!record_commit(&r, &commit, 1001));
  ck_assert_int_eq(r.state, RECORD_EMPTY);
}
END_TEST

START_TEST(refuses_a_dead_member) {
  struct record r = {0};
  child_remove(child_by_id(2));
  ck_assert(!record_commit(&r, &commit, 1));
  child_add(2, pids[1], -1);
}
END_TEST

START_TEST(refuses_a_stopped_member) {
  struct record r = {0};
  int status;
  kill(pids[1], SIGSTOP);
  waitpid(pids[1], &status, WUNTRACED);
  ck_assert(!record_commit(&r, &commit, 1));
  kill(pids[1], SIGCONT);
  waitpid(pids[1], &status, WCONTINUED);
  ck_assert(record_commit(&r, &commit, 1));
}
END_TEST

START_TEST(refuses_an_empty_transaction) {
  struct record r = {0};
  commit.commit.nmembers = 0;
  ck_assert(!record_commit(&r, &commit, 1));
  commit.commit.nmembers = LOADER_MEMBERS_MAX + 1;
  ck_assert(!record_commit(&r, &commit, 1));
}
END_TEST

int main(void) {
  Suite *s = suite_create("record");
  TCase *t = tcase_create("tokens");
  tcase_add_test(t, tokens);
  suite_add_tcase(s, t);
  t = tcase_create("record");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, commits_once_and_stays_committed);
  tcase_add_test(t, refuses_after_the_deadline);
  tcase_add_test(t, refuses_a_dead_member);
  tcase_add_test(t, refuses_a_stopped_member);
  tcase_add_test(t, refuses_an_empty_transaction);
  suite_add_tcase(s, t);
  return test_run(s);
}
