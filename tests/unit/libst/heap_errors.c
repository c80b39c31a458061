/* Wrong uses of the heap: each ends the program at once, with a message that names the allocation.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libst/st.h"

struct item {
  struct item *next;
  long values[4];
};

static struct item variable;
static struct item *kept;

enum { ITEM_LINE = __LINE__ + 2 };
static struct item *allocated(void) {
  kept = malloc(sizeof(*kept));
  return kept;
}

static void give(void *p) {
  free(p);
}

static void twice(void) {
  struct item *item = allocated();
  give(item);
  give(item);
}

/* The second free comes when the block went back to its span long ago. */
static void twice_later(void) {
  void *others[100];
  struct item *item = allocated();
  for (int i = 0; i < 100; i++)
    others[i] = malloc(sizeof(*item));
  give(item);
  for (int i = 0; i < 100; i++)
    give(others[i]);
  give(item);
}

static void inside(void) {
  give(&allocated()->values[1]);
}

static void resized(void) {
  struct item *item = allocated();
  give(item);
  void *volatile again = item;
  again = realloc(again, 200);
}

enum { LARGE_LINE = __LINE__ + 2 };
static void large(void) {
  char *text = malloc(1 << 20);
  give(text + 4096);
}

static void of_variable(void) {
  give(&variable.values[1]);
}

static void on_stack(void) {
  long local[4];
  give(local + 1);
}

static const struct wrong {
  const char *name;
  void (*act)(void);
  const char *says;
  int line; /* of the allocation that the message must name */
} wrongs[] = {
    {"twice", twice, "was freed before", ITEM_LINE},
    {"twice, later", twice_later, "was freed before", ITEM_LINE},
    {"inside of a block", inside, "points to byte 16 of a block of 40 bytes", ITEM_LINE},
    {"realloc after free", resized, "was freed before", ITEM_LINE},
    {"inside of a large block", large, "points to byte 4096 of a block of 1048576 bytes",
     LARGE_LINE},
    {"a variable", of_variable, "byte 16 of variable `variable`", 0},
    {"the stack", on_stack, "on the stack", 0},
};

/* Runs one in a child. @return whether it ended as it should */
static int run(const struct wrong *w) {
  int pipes[2], status;
  char text[512] = "", where[64] = "";
  if (pipe(pipes) < 0) return 0;
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_DUMPABLE, 0);
    dup2(pipes[1], 2);
    w->act();
    _exit(0);
  }
  close(pipes[1]);
  ssize_t got = read(pipes[0], text, sizeof(text) - 1);
  close(pipes[0]);
  waitpid(pid, &status, 0);
  if (w->line) snprintf(where, sizeof(where), "heap_errors.c:%d in ", w->line);
  int right = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && got > 0 &&
              strstr(text, w->says) && strstr(text, where);
  printf("%s %s: %s", right ? "ok" : "FAILED", w->name, got > 0 ? text : "no message\n");
  return right;
}

int main(void) {
  int failed = 0;
  if (st_init(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), false) < 0) return 1;
  for (size_t i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++)
    failed += !run(&wrongs[i]);
  return failed != 0;
}
