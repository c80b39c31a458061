/* What this very program says that it needs, compared with what manifests give. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus/grants.h"
#include "bus/test-run.h"
#include "libsys/sys.h"

SYS_NEEDS(call, "storage");
SYS_NEEDS(send, "tty");
SYS_NEEDS(send, "storage");
SYS_NEEDS(region, "${1:-nic0}.frames");
SYS_NEEDS(region, "${2}.bar");
SYS_NEEDS(syscall, "flock");
SYS_NEEDS(kernel, "update");

static struct manifest_call calls[] = {{"storage", 0}};
static char *sends[] = {"tty"}, *syscalls[] = {"flock"}, *args[] = {"nic1", "nic2"};
static char *share[] = {"other", "me"};
static struct manifest_region regions[] = {
    {.name = "nic1.frames", .share = share, .share_count = 2},
    {.name = "nic2.bar", .share = share, .share_count = 2},
    {.name = "nic0.frames", .share = share, .share_count = 1}};
static struct manifest manifest;
static struct manifest_component me;
static char why[1024];

static void setup(void) {
  manifest = (struct manifest){.regions = regions, .regions_count = 3};
  me = (struct manifest_component){.name = "me",
                                   .args = args,
                                   .args_count = 2,
                                   .calls = calls,
                                   .calls_count = 1,
                                   .sends = sends,
                                   .sends_count = 1,
                                   .kernel = MANIFEST_KERNEL_UPDATE,
                                   .syscalls = syscalls,
                                   .syscalls_count = 1,
                                   .executable = "/proc/self/exe"};
}

static void lacks(const char *what) {
  char expected[512];
  snprintf(expected, sizeof(expected), "me needs %s, which the manifest does not give it", what);
  ck_assert(!grants_suffice(&manifest, &me, why, sizeof(why)));
  ck_assert_str_eq(why, expected);
}

START_TEST(all_is_given) {
  ck_assert_msg(grants_suffice(&manifest, &me, why, sizeof(why)), "%s", why);
}
END_TEST

START_TEST(a_call) {
  me.calls_count = 0;
  lacks("`calls: [{to: storage}]`, `sends: [storage]`");
}
END_TEST

START_TEST(a_send) {
  me.sends_count = 0;
  lacks("`sends: [tty]`");
}
END_TEST

START_TEST(a_system_call) {
  me.syscalls_count = 0;
  lacks("`syscalls: [flock]`");
}
END_TEST

START_TEST(a_kernel_right) {
  me.kernel = 0;
  lacks("`kernel: [update]`");
}
END_TEST

START_TEST(regions_named_by_arguments) {
  me.args_count = 1;
  lacks("to share region .bar");
  me.args_count = 0;
  lacks("to share region nic0.frames, to share region .bar");
}
END_TEST

START_TEST(unknown_executable) {
  me.executable = "/nonexistent";
  ck_assert(!grants_suffice(&manifest, &me, why, sizeof(why)));
  ck_assert_str_eq(why, "component me: /nonexistent: No such file or directory");
}
END_TEST

START_TEST(needs_nothing) {
  me = (struct manifest_component){.name = "me", .executable = "/usr/bin/true"};
  ck_assert(grants_suffice(&manifest, &me, why, sizeof(why)));
  me.executable = "/etc/passwd"; /* no ELF file: exec will say so */
  ck_assert(grants_suffice(&manifest, &me, why, sizeof(why)));
}
END_TEST

START_TEST(what_does_not_fit_is_left_out) {
  static char list[NEEDS_GIVEN_MAX], big[4000];
  char *many[20];
  memset(big, 'x', sizeof(big) - 1);
  for (unsigned i = 0; i < 20; i++)
    many[i] = big;
  me.syscalls = many;
  me.syscalls_count = 20;
  ck_assert_uint_le(grants_list(&manifest, &me, list), sizeof(list));
  lacks("to share region nic1.frames, to share region nic2.bar, `syscalls: [flock]`");
}
END_TEST

int main(void) {
  Suite *s = suite_create("needs");
  TCase *t = tcase_create("needs");
  tcase_add_checked_fixture(t, setup, NULL);
  tcase_add_test(t, all_is_given);
  tcase_add_test(t, a_call);
  tcase_add_test(t, a_send);
  tcase_add_test(t, a_system_call);
  tcase_add_test(t, a_kernel_right);
  tcase_add_test(t, regions_named_by_arguments);
  tcase_add_test(t, unknown_executable);
  tcase_add_test(t, needs_nothing);
  tcase_add_test(t, what_does_not_fit_is_left_out);
  suite_add_tcase(s, t);
  return test_run(s);
}
