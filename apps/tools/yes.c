/* yes [TEXT]: prints it without end, "y" if none is given. */
#include "libos/os.h"

int main(int argc, char **argv) {
  os_start();
  while (printf("%s\n", argc > 1 ? argv[1] : "y") > 0) {
  }
  return 1;
}
