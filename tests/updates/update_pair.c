/* Runs an update pair:  update-pair [OPTION]... OLD NEW
 *   --times N     update N times, alternating between OLD and NEW; memory must not grow
 *   --refuse TEXT the plan or the transfer must be refused with a violation that contains TEXT, and
 *                 the old version must go on
 *   --outcome     print "updated", or "refused" when the old version has gone on, and the report;
 *                 both are well
 *   --check EXPRESSION, --validate, --relocate, --strict
 *                 options of each update
 *   --note TEXT   the reports must contain TEXT
 *   --kill WHO    old-prepared, old-exported, new-waiting, new-imported: that version dies there,
 *                 and the other must notice or go on
 *   --cut         the stream is cut off; the new version must notice
 *   --garbage     the stream begins with something else; the new version must refuse it
 *   --crash       the new version must die of itself in the transfer, and the old one go on
 *   --time        print how long the state was on its way, from export to the end of the import
 *                 when all is prepared, and how long commit and write-back took, in microseconds
 *   --plan        only make the plan and print its report; status 3 when it refuses */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/updates/version.h"

enum { TIMEOUT_S = 300 };

static struct {
  int times;
  const char *refuse, *note, *kill;
  bool cut, garbage, time, crash, plan, outcome;
} options = {.times = 1};

static bool note_seen;

/* Remembers whether the expected note came. */
static int note(int err) {
  if (options.note && strstr(reply.report.text, options.note)) note_seen = true;
  return err;
}

static bool refused_well(int err) {
  if (err != -EINVAL) return false;
  return options.outcome || (options.refuse && strstr(reply.report.text, options.refuse));
}

static void check_refusal(struct version *old, struct version *new, int err) {
  if (!refused_well(err)) fail("refused in another way than expected");
  if (options.outcome) printf("refused\n%s", reply.report.text);
  stop(new);
  must_go_on(old);
  stop(old);
  exit(0);
}

/* The new version waits for the state, with all that it can do before done. */
static void wait_until_asleep(pid_t pid) {
  char path[64], state = 0;
  snprintf(path, sizeof(path), "/proc/%d/stat", pid);
  while (state != 'S') {
    FILE *f = fopen(path, "r");
    if (!f || fscanf(f, "%*d %*s %c", &state) != 1) fail("a version is gone");
    fclose(f);
    usleep(1000);
  }
}

static bool dies(const char *who) {
  return options.kill && strcmp(options.kill, who) == 0;
}

static void check_dead_peer(struct version *survivor, int err) {
  if (err != -EPIPE) fail("the death of the other version was not noticed");
  stop(survivor);
  exit(0);
}

/* One update; `old` is replaced by the new version. */
static void update(struct version *old, const char *path) {
  struct version new = start(path, true);
  int channel[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0) fail("socketpair");
  int err = note(ask(&new, COMMAND_PLAN, old->exe));
  if (err) check_refusal(old, &new, err);
  if (options.garbage && send(channel[0], "no protobuf", 11, 0) < 0) fail("send");
  must(old, COMMAND_PREPARE, channel[0], "prepare");
  tell(&new, COMMAND_IMPORT, channel[1]);
  close(channel[1]);
  if (options.garbage) {
    if (hear(&new) != -EPROTO) fail("garbage was taken for state");
    stop(&new);
    must_go_on(old);
    stop(old);
    exit(0);
  }
  if (options.cut) {
    shutdown(channel[0], SHUT_WR);
    check_dead_peer(&new, hear(&new));
  }
  close(channel[0]);
  if (dies("old-prepared")) {
    stop(old);
    check_dead_peer(&new, hear(&new));
  }
  if (dies("new-waiting")) {
    stop(&new);
    err = ask(old, COMMAND_EXPORT, -1);
    must_go_on(old);
    check_dead_peer(old, err);
  }
  if (options.time) wait_until_asleep(new.pid);
  must(old, COMMAND_EXPORT, -1, "export");
  uint64_t started = reply.from_ns;
  if (dies("old-exported")) stop(old);
  if (options.crash) {
    if (recv(new.control, &reply, sizeof(reply), 0) > 0) fail("the new version did not crash");
    stop(&new);
    must_go_on(old);
    stop(old);
    exit(0);
  }
  err = note(hear(&new));
  if (err) check_refusal(old, &new, err);
  if (options.outcome) printf("updated\n%s", reply.report.text);
  if (options.time) printf("transfer %" PRIu64 "\n", (reply.to_ns - started) / 1000);
  if (dies("new-imported")) {
    stop(&new);
    must_go_on(old);
    stop(old);
    exit(0);
  }
  if (!dies("old-exported")) stop(old);
  must(&new, COMMAND_COMMIT, -1, "commit");
  if (options.time) printf("commit %" PRIu64 "\n", (reply.to_ns - reply.from_ns) / 1000);
  must(&new, COMMAND_VERIFY, -1, "verify");
  *old = new;
}

static void parse(int argc, char **argv) {
  static const struct option known[] = {{"times", required_argument, NULL, 't'},
                                        {"refuse", required_argument, NULL, 'r'},
                                        {"note", required_argument, NULL, 'n'},
                                        {"kill", required_argument, NULL, 'k'},
                                        {"cut", no_argument, NULL, 'c'},
                                        {"garbage", no_argument, NULL, 'g'},
                                        {"time", no_argument, NULL, 'T'},
                                        {"crash", no_argument, NULL, 'A'},
                                        {"plan", no_argument, NULL, 'p'},
                                        {"outcome", no_argument, NULL, 'o'},
                                        {"check", required_argument, NULL, 'C'},
                                        {"validate", no_argument, NULL, 'V'},
                                        {"relocate", no_argument, NULL, 'R'},
                                        {"strict", no_argument, NULL, 'S'},
                                        {0}};
  for (int c; (c = getopt_long(argc, argv, "", known, NULL)) >= 0;) {
    if (c == 't')
      options.times = atoi(optarg);
    else if (c == 'r')
      options.refuse = optarg;
    else if (c == 'n')
      options.note = optarg;
    else if (c == 'k')
      options.kill = optarg;
    else if (c == 'c')
      options.cut = true;
    else if (c == 'g')
      options.garbage = true;
    else if (c == 'A')
      options.crash = true;
    else if (c == 'T')
      options.time = true;
    else if (c == 'p')
      options.plan = true;
    else if (c == 'o')
      options.outcome = true;
    else if (c == 'C')
      choose(optarg);
    else if (c == 'V')
      choose("--validate");
    else if (c == 'R')
      choose("--relocate");
    else if (c == 'S')
      choose("--strict");
    else
      exit(2);
  }
  if (argc - optind != 2) exit(2);
}

/* What the new version plans for the executable of the old one, which need not run for that. */
static int print_plan(const char *old, const char *new) {
  enum { REFUSED = 3 };
  int exe = open(old, O_RDONLY | O_CLOEXEC);
  if (exe < 0) fail(old);
  struct version v = start(new, true);
  int err = ask(&v, COMMAND_PLAN, exe);
  stop(&v);
  fputs(reply.report.text, stdout);
  if (err && err != -EINVAL) fail(strerror(-err));
  return err ? REFUSED : 0;
}

int main(int argc, char **argv) {
  parse(argc, argv);
  alarm(options.time ? 10 * TIMEOUT_S : TIMEOUT_S);
  if (options.plan) return print_plan(argv[optind], argv[optind + 1]);
  struct version v = start(argv[optind], false);
  must(&v, COMMAND_BUILD, -1, "build");
  long first_kb = 0, first_top = 0;
  for (int i = 1; i <= options.times; i++) {
    update(&v, argv[optind + i % 2]);
    /* Versions differ; the same one is compared. */
    if (i == 4) first_kb = reply.resident_kb, first_top = reply.heap_top;
  }
  if (options.times >= 100 && options.times % 2 == 0) {
    printf("after 4 updates %ld KB, heap %ld pages; after %d %ld KB, %ld pages\n", first_kb,
           first_top, options.times, reply.resident_kb, reply.heap_top);
    if (reply.resident_kb > first_kb + first_kb / 20 || reply.heap_top != first_top)
      fail("memory grew");
  }
  stop(&v);
  if (options.refuse) fail("should have been refused");
  if (options.note && !note_seen) fail("the expected note is missing");
  return 0;
}
