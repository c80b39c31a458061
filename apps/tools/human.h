/* Sizes for people: "261", "4.0K", "16M", rounded up. */
#ifndef PROTEOS_TOOLS_HUMAN_H
#define PROTEOS_TOOLS_HUMAN_H

#include <stdio.h>

static inline const char *human_size(unsigned long long bytes, char text[16]) {
  static const char units[] = "KMGTPE";
  unsigned long long unit = 1;
  int i = -1;
  while (bytes > 999 * unit && bytes / unit >= 1024 - (bytes % unit != 0) && units[i + 1]) {
    unit *= 1024;
    i++;
  }
  unsigned long long whole = bytes / unit, rest = bytes % unit;
  unsigned long long tenths = whole * 10 + (rest * 10 + unit - 1) / unit;
  if (i < 0)
    snprintf(text, 16, "%llu", bytes);
  else if (tenths < 100)
    snprintf(text, 16, "%llu.%llu%c", tenths / 10, tenths % 10, units[i]);
  else
    snprintf(text, 16, "%llu%c", whole + (rest != 0), units[i]);
  return text;
}

#endif
