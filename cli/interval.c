#include "cli/interval.h"

#include <stdlib.h>
#include <time.h>

#include "cli/commands.h"

#define SECONDS_MIN 0.05
#define SECONDS_MAX 86400.0

bool interval_option(int *argc, char **argv, double *seconds) {
  const char *text = option_value(argc, argv, "d");
  char *end;
  if (!text) return true;
  *seconds = strtod(text, &end);
  return !*end && *seconds >= SECONDS_MIN && *seconds <= SECONDS_MAX;
}

double interval_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void interval_sleep_until(double at) {
  struct timespec t = {(time_t)at, (long)((at - (double)(time_t)at) * 1e9)};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}
