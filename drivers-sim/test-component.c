#include "drivers-sim/test-component.h"

#include <check.h>
#include <setjmp.h>
#include <stdbool.h>

#include "libsys/sys.h"

int driver_main(int argc, char **argv);

static bool started, inbox_full;
static jmp_buf waits; /* where it goes when it has nothing to receive */
static msg_t inbox;
static int the_argc;
static char **the_argv;

void sys_startup(const event_eh_t *handlers) {
  const sys_init_t info = {SYS_START_FRESH, 1, the_argv[0], "test"};
  if (started) return;
  started = true;
  if (handlers->init) ck_assert_int_eq(handlers->init(&info), 0);
}

void sys_receive(msg_t *m) {
  if (!inbox_full) longjmp(waits, 1);
  inbox_full = false;
  *m = inbox;
}

/* It keeps nothing on its stack while it waits, so it may be left and entered again. */
static void enter(void) {
  if (setjmp(waits) == 0) driver_main(the_argc, the_argv);
}

void component_start(int argc, char **argv) {
  the_argc = argc;
  the_argv = argv;
  started = inbox_full = false;
  enter();
}

void component_receive(msg_t m) {
  inbox = m;
  inbox_full = true;
  enter();
}
