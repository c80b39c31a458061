/* What the example of docs/component.md leaves to its reader. */
#include "libsys/sys.h"

void process_msg(msg_t *m);
