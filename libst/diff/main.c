/* st-diff: the plan for an update from one executable to another, for people and for programs. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libst/process.h"
#include "outcome.h"
#include "print.h"

static const char usage[] = "usage: st-diff [--all | --json] OLD NEW\n"
                            "       st-diff --help\n";

static const char help[] =
    "NAME\n"
    "  st-diff - what a live update from one executable to another would do\n"
    "\n"
    "SYNOPSIS\n"
    "  st-diff [--all | --json] OLD NEW\n"
    "\n"
    "DESCRIPTION\n"
    "  Makes the plan that the update itself would make, from what st-instrument wrote into both\n"
    "  executables, and prints it: what is refused and what would resolve it; how each variable\n"
    "  and the heap blocks of each allocation are carried over; structs whose layout changes,\n"
    "  member by member, old beside new, each with its offset in bytes (a bit-field with its bit\n"
    "  and width: 4.2:3); what values must be like for the update to succeed; and what it costs.\n"
    "  Neither program needs to run.\n"
    "\n"
    "  What only a running version can tell is said to depend on the run: how many heap blocks\n"
    "  there are, whether a value fits its new type, where a pointer points.\n"
    "\n"
    "OPTIONS\n"
    "  --all    also print what stays as it is\n"
    "  --json   print everything as one JSON object; docs/st-diff.md has its schema\n"
    "  --help   print this\n"
    "\n"
    "EXIT STATUS\n"
    "  0  the update is automatic\n"
    "  1  it needs help: the plan refuses it, or would if there is a block of a certain type\n"
    "  2  error: a file is missing, is not instrumented or damaged\n"
    "\n"
    "SEE ALSO\n"
    "  st-instrument --help, st-meta --help\n";

static void fail(const char *path, const char *why) {
  fprintf(stderr, "st-diff: %s: %s\n", path, why);
  exit(2);
}

/* Opens an executable and its metadata, or says what is wrong with it. */
static int open_version(const char *path, struct st_meta **meta) {
  char error[256];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(path, strerror(errno));
  *meta = st_meta_open(fd, error, sizeof(error));
  if (!*meta) fail(path, error);
  return fd;
}

int main(int argc, char **argv) {
  static const struct option options[] = {{"all", no_argument, NULL, 'a'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
  bool all = false, json = false;
  for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    if (c == 'h') return fputs(help, stdout) < 0 ? 2 : 0;
    if (c == '?') return fputs(usage, stderr), 2;
    all |= c == 'a';
    json |= c == 'j';
  }
  if (optind != argc - 2) return fputs(usage, stderr), 2;
  const char *old_path = argv[optind], *new_path = argv[optind + 1];
  struct st_meta *old;
  int old_fd = open_version(old_path, &old);
  int new_fd = open_version(new_path, &st_process.meta);
  st_meta_close(old); /* the plan opens it itself */
  int err = elf_file_open(&st_process.exe, new_fd);
  if (err) fail(new_path, strerror(-err));
  struct outcome outcome;
  err = outcome_make(&outcome, old_fd);
  if (err) fail(old_path, strerror(-err));
  if (json)
    print_json(&outcome, old_path, new_path);
  else
    print_text(&outcome, all);
  int status = outcome.needs_help ? 1 : 0;
  outcome_free(&outcome);
  return fflush(stdout) == 0 ? status : 2;
}
