#include "cli/json.h"

#include <stdio.h>

void json_string(const char *key, const char *value, const char *end) {
  printf("\"%s\": \"", key);
  for (; *value; value++) {
    unsigned char c = (unsigned char)*value;
    if (c == '"' || c == '\\')
      printf("\\%c", c);
    else if (c == '\n')
      printf("\\n");
    else if (c < ' ')
      printf("\\u%04x", c);
    else
      putchar(c);
  }
  printf("\"%s", end);
}
