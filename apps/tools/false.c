/* false: fails. */
#include "libos/os.h"

int main(void) {
  os_start();
  return 1;
}
