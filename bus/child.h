/* The loader's children: who they are, so that none is signalled or forgotten by mistake. */
#ifndef PROTEOS_CHILD_H
#define PROTEOS_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
  uint32_t id; /* busd's number for it; LOADER_COMPONENT_NO is busd */
  pid_t pid;
  int report; /* for spawn_failure(), or -1 */
};

/** Remembers a child. @param report  taken over, -1: none
 * @return 0 or -ENOMEM */
int child_add(uint32_t id, pid_t pid, int report);
/** The child, or NULL when it is gone. Its process id is safe to signal: nobody else reaps it. */
struct child *child_by_id(uint32_t id);
struct child *child_by_pid(pid_t pid);
/** Whether it runs or waits: not stopped, not held by a debugger, not dying. */
bool child_is_able(const struct child *c);
/** Forgets a child that was reaped. */
void child_remove(struct child *c);
void child_kill_all(int signal);
/** Whether any has not ended. Of the end of one that a debugger holds nobody else hears until that
 * has taken note of it, which it may never do. */
bool child_any_alive(void);

#endif
