/* clear: empties the screen. */
#include "libos/os.h"

int main(void) {
  os_start();
  fputs("\033[H\033[2J\033[3J", stdout);
  return 0;
}
