/* true: succeeds. */
#include "libos/os.h"

int main(void) {
  os_start();
  return 0;
}
