#include <string.h>

#include "libsys/sys.h"

const char *sys_strerror(int error) {
  switch (error < 0 ? -error : error) {
  case SYS_EDEADSRCDST:
    return "Component is dead or does not exist";
  case SYS_ERESTARTED:
    return "Component was restarted meanwhile";
  case SYS_ELOCKED:
    return "Call would close a cycle of waiting components";
  case SYS_ENOTLIVE:
    return "Not allowed before the update commits";
  }
  return strerror(error < 0 ? -error : error);
}
