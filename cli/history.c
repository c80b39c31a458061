/* prctl history: the journal of update transactions. It is read from the instance's folder, so that
 * it can be read when the instance is down. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/outcome.h"
#include "proto/journal_file.h"

/* What is shown of which transactions. A transaction has two records, the first of which counts
 * only while there is no second. */
struct view {
  void (*print)(const Proteos__Transaction *t);
  uint64_t only;                 /* number; 0: all */
  Proteos__Transaction *waiting; /* a first record */
  unsigned shown;
};

static void show(struct view *v, const Proteos__Transaction *t) {
  if (v->only && v->only != t->number) return;
  v->print(t);
  v->shown++;
}

/* @param counts  whether it is all that there is of it */
static void end_waiting(struct view *v, bool counts) {
  if (!v->waiting) return;
  if (counts) show(v, v->waiting);
  proteos__transaction__free_unpacked(v->waiting, NULL);
  v->waiting = NULL;
}

/* Only one update runs at a time, but others may be refused meanwhile, or be taken back. */
static void seen(const Proteos__Transaction *t, void *arg) {
  struct view *v = arg;
  if (t->outcome == PROTEOS__TRANSACTION__OUTCOME__BEGUN) {
    end_waiting(v, true);
    v->waiting = journal_copy(t);
    return;
  }
  if (v->waiting && v->waiting->number == t->number) end_waiting(v, false);
  show(v, t);
}

/* ---- printing ---- */

static void format_time(uint64_t seconds, char text[32]) {
  time_t t = (time_t)seconds;
  struct tm tm;
  strftime(text, 32, "%F %T", localtime_r(&t, &tm));
}

static void print_line(const Proteos__Transaction *t) {
  char when[32];
  format_time(t->started_s, when);
  printf("%4" PRIu64 "  %s  %-11s %9.1f ms  ", t->number, when, outcome_name(t),
         (double)t->took_us / 1000);
  for (size_t i = 0; i < t->n_members; i++)
    printf("%s%s", i ? ", " : "", t->members[i]->component);
  printf("%s%s\n", *t->reason ? ": " : "", t->reason);
}

static void print_whole(const Proteos__Transaction *t) {
  char when[32];
  format_time(t->started_s, when);
  printf("transaction %" PRIu64 " of %s: %s after %.1f ms\n", t->number, when, outcome_name(t),
         (double)t->took_us / 1000);
  if (*t->reason) printf("  %s\n", t->reason);
  for (size_t i = 0; i < t->n_members; i++) {
    const Proteos__TransactionMember *m = t->members[i];
    printf("  %s: %.12s -> %.12s (%s)\n", m->component, m->old_build_id, m->new_build_id, m->path);
    if (*m->filter) printf("    state filter: %s\n", m->filter);
    if (*m->allow) printf("    interface filter: %s\n", m->allow);
  }
  if (t->n_phases) outcome_print_times(t);
}

/* ---- the command ---- */

static int open_journal(const struct instance *instance, char path[PATH_MAX]) {
  int fd = open(instance_path(instance, "journal", path), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT)
    fprintf(stderr, "prctl: no update of instance \"%s\" is on record\n", instance->name);
  else if (fd < 0)
    fprintf(stderr, "prctl: %s: %s\n", path, strerror(errno));
  return fd;
}

static int print_journal(const struct instance *instance, struct view *v) {
  char path[PATH_MAX];
  struct stat st;
  int fd = open_journal(instance, path);
  if (fd < 0) return EXIT_FAILURE;
  off_t whole = journal_file_read(fd, seen, v);
  end_waiting(v, true);
  if (fstat(fd, &st) == 0 && st.st_size > whole)
    fprintf(stderr, "prctl: %s: the last %lld bytes are no record\n", path,
            (long long)(st.st_size - whole));
  close(fd);
  if (v->only && !v->shown) {
    fprintf(stderr, "prctl: transaction %" PRIu64 " is not on record\n", v->only);
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}

/* @return 0 when it is none */
static uint64_t parse_number(const char *text) {
  char *end;
  unsigned long long n = strtoull(text, &end, 10);
  return *text >= '0' && *text <= '9' && !*end ? n : 0;
}

int history_command(const struct instance *instance, int argc, char **argv) {
  bool json = option_flag(&argc, argv, "json");
  struct view v = {.print = json ? outcome_print_json : print_line};
  bool one = argc == 3 && strcmp(argv[1], "show") == 0;
  if (one) {
    v.only = parse_number(argv[2]);
    if (!json) v.print = print_whole;
  }
  if (one && !v.only)
    fprintf(stderr, "prctl: '%s' is no transaction's number; prctl history shows them\n", argv[2]);
  if (argc != 1 && !v.only) {
    fprintf(stderr, "usage: prctl history [show NUMBER] [--json]\n");
    return EXIT_USAGE;
  }
  return print_journal(instance, &v);
}
