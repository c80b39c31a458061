/* Who processes are, for the file server. */
#ifndef PM_CREDENTIALS_H
#define PM_CREDENTIALS_H

#include "servers/pm/process.h"

/** Tells it who one is; its answer comes with the cookie.
 * @return 0, -ENOENT: there is no file server, -EAGAIN: no call is left, or a negative error */
int credentials_tell(const struct process *p, uint64_t cookie);

/** The file server was started afresh: all are told again. */
void credentials_tell_all(void);
/** Goes on with that, once there may be a call for it. */
void credentials_tell_on(void);

#endif
