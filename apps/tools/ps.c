/* ps: lists the processes. */
#include "libos/os.h"

static const char *state_name(uint32_t state) {
  static const char *const names[] = {"starting", "running", "stopped", "zombie"};
  return state < sizeof names / sizeof *names ? names[state] : "?";
}

static void print(const struct proc_info *p) {
  printf("%5d %5d %5d %5u %-8s %5llu.%02llu %s\n", p->pid, p->parent, p->group, p->user,
         state_name(p->state), (unsigned long long)(p->cpu_us / 1000000),
         (unsigned long long)(p->cpu_us / 10000 % 100), p->name);
}

int main(void) {
  struct proc_info list[64];
  pid_t after = 0;
  int n;
  os_start();
  printf("  PID  PPID GROUP  USER STATE         CPU NAME\n");
  while ((n = os_processes(after, list, 64)) > 0) {
    for (int i = 0; i < n; i++)
      print(&list[i]);
    after = list[n - 1].pid;
  }
  if (n < 0) os_die(1, "process manager");
  return 0;
}
