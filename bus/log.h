/* Logs: what a component prints goes through a pipe to busd, which keeps it in log/NAME.log. The
 * log is bounded, and spans the component's versions and restarts. */
#ifndef PROTEOS_LOG_H
#define PROTEOS_LOG_H

#include <stddef.h>

#include "bus/endpoint.h"

/** When a log has grown to this it becomes NAME.log.1, in place of the one before. */
#define LOG_MAX_BYTES (1u << 20)

/** Opens the endpoint's log and makes its pipe. @return 0 or a negative errno */
int log_open(struct endpoint *e);
/** Undoes it, but for the pipe, which is the endpoint's. */
void log_close(struct endpoint *e);

/** Notes which version serves from now on. @param what  "started", "updated", "restarted" */
void log_version(struct endpoint *e, const struct version *v, const char *what);
/** Notes the end of a process: how, its build id, and when it was not in order the last messages.
 */
void log_end(struct endpoint *e, const struct version *v, int wait_status);

/** What was printed so far is of another process than the one that is to be started. */
void log_forget_line(const struct endpoint *e);
/** The last line that the component printed since then; "" when there is none. */
void log_last_line(const struct endpoint *e, char *line, size_t cap);

#endif
