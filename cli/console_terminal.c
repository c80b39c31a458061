#include "cli/console_terminal.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static bool taken;

void terminal_begin(void) {
  if (!taken && tcgetattr(STDIN_FILENO, &before) < 0) return;
  struct termios raw = before;
  cfmakeraw(&raw);
  taken = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void terminal_end(void) {
  if (taken) tcsetattr(STDIN_FILENO, TCSANOW, &before);
  taken = false;
}

bool terminal_has_keys(void) {
  return taken;
}

bool terminal_size(unsigned *rows, unsigned *columns) {
  struct winsize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
    return false;
  *rows = size.ws_row;
  *columns = size.ws_col;
  return true;
}
