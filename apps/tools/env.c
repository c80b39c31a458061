/* env: prints the variables. */
#include "libos/os.h"

int main(void) {
  os_start();
  for (char **v = environ; *v; v++)
    puts(*v);
  return 0;
}
