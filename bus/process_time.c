#include "bus/process_time.h"

#include <stdio.h>
#include <unistd.h>

/* In nanoseconds where the kernel counts so, else in clock ticks. */
uint64_t process_time_us(int pid) {
  char path[64];
  unsigned long long ns = 0, user = 0, system = 0;
  snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
  FILE *f = fopen(path, "re");
  if (f) {
    int n = fscanf(f, "%llu", &ns);
    fclose(f);
    if (n == 1) return ns / 1000;
  }
  snprintf(path, sizeof(path), "/proc/%d/stat", pid);
  if (!(f = fopen(path, "re"))) return 0;
  /* The name, in parentheses, may contain anything but a parenthesis that closes. */
  if (fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
             &system) != 2)
    user = system = 0;
  fclose(f);
  return (user + system) * 1000000u / (unsigned long)sysconf(_SC_CLK_TCK);
}
