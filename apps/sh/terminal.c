#include "apps/sh/terminal.h"

#include "apps/sh/edit.h"
#include "apps/sh/shell.h"
#include "libos/os.h"

enum { COLUMNS = 80, /* of a window whose size nobody knows */ INTERRUPT = 0x03 };

static struct termios usual; /* what commands have */
static bool changed;         /* we go on after a stop, or the window has another size */

static void note_change(int signal) {
  (void)signal;
  changed = true;
}

/* ^C and its kin stay signals: so they also reach us between lines. */
static bool make_raw(void) {
  struct termios raw = usual;
  raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
  return os_tcsetattr(shell.console, TCSADRAIN, &raw) == 0;
}

void terminal_restore(void) {
  os_tcsetattr(shell.console, TCSADRAIN, &usual);
}

static unsigned columns(void) {
  struct winsize size;
  return os_winsize(shell.console, &size) == 0 && size.ws_col ? size.ws_col : COLUMNS;
}

static void show(struct edit *edit) {
  if (edit->output.used) os_write(shell.console, edit->output.data, edit->output.used);
  edit->output.used = 0;
}

/* Whoever stopped us has taken the console; in the background it stays theirs. */
static void begin_again(struct edit *edit) {
  changed = false;
  if (os_tcgetpgrp(shell.console) != os_getpgrp()) return;
  make_raw();
  edit_show_again(edit, columns());
}

/* Byte by byte: what follows the line is for the command that it starts. */
static enum edit_state take(struct edit *edit) {
  uint8_t byte;
  show(edit);
  while (changed) { /* signals are handled inside of calls only, and end a read */
    begin_again(edit);
    show(edit);
  }
  if (shell.interrupted) return edit_type(edit, INTERRUPT);
  ssize_t n = os_read(shell.console, &byte, 1);
  if (n > 0) return edit_type(edit, byte);
  return n < 0 && errno == EINTR ? EDIT_GOES_ON : EDIT_ENDED;
}

static void catch_changes(os_handler_t handler) {
  os_signal(SIGCONT, handler);
  os_signal(SIGWINCH, handler);
}

/* The last output is shown in the usual modes: whoever sees the line end may type for the command.
 */
bool terminal_read_line(const char *prompt, struct text *line) {
  struct edit edit;
  enum edit_state state = EDIT_GOES_ON;
  fflush(stdout);
  changed = false;
  if (os_tcgetattr(shell.console, &usual) < 0 || !make_raw()) return false;
  catch_changes(note_change);
  edit_begin(&edit, prompt, columns());
  while (state == EDIT_GOES_ON)
    state = take(&edit);
  terminal_restore();
  catch_changes(SIG_DFL);
  show(&edit);
  if (state == EDIT_DONE) {
    text_add(line, edit.line.data, edit.line.used);
    text_add_char(line, '\n');
  }
  if (state == EDIT_DROPPED) shell.interrupted = true;
  edit_end(&edit);
  return state == EDIT_DONE;
}
