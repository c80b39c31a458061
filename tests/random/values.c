#include "tests/random/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *later[4096];
static unsigned later_count, wrong;
static const char *file = "";

int random_choice(int number) {
  enum { CHOICES = 4096 };
  static char made[CHOICES];
  static int known;
  const char *text = getenv("RANDOM_CHOICE");
  for (char *end; text && !known; text = *end ? end + 1 : NULL) {
    long i = strtol(text, &end, 10);
    if (i > 0 && i < CHOICES) made[i] = 1;
  }
  known = 1;
  return number < CHOICES && made[number];
}

void random_free_later(void *block) {
  if (later_count < sizeof(later) / sizeof(*later)) later[later_count++] = block;
}

void random_free_now(void) {
  while (later_count > 0)
    free(later[--later_count]);
}

void random_called(int number) {
  wrong += number == -1;
}

void random_number(long long is, long long should, int line) {
  if (is == should) return;
  wrong++;
  fprintf(stderr, "%s:%d: is %lld and should be %lld\n", file, line, is, should);
}

void random_zero(const void *bytes, size_t count, int line) {
  for (size_t i = 0; i < count; i++)
    random_number(((const unsigned char *)bytes)[i], 0, line);
}

void random_real(double is, double should, int line) {
  if (memcmp(&is, &should, sizeof(is)) == 0) return;
  wrong++;
  fprintf(stderr, "%s:%d: is %a and should be %a\n", file, line, is, should);
}

void random_pointer(const void *is, const void *should, int line) {
  if (is == should) return;
  wrong++;
  fprintf(stderr, "%s:%d: is %p and should be %p\n", file, line, is, should);
}

/* Lets the kernel do the reading, so that a bad address is no fault. */
static int readable(const void *from, char *to, size_t bytes) {
  int ends[2];
  if (pipe(ends) < 0) abort();
  int good =
      write(ends[1], from, bytes) == (ssize_t)bytes && read(ends[0], to, bytes) == (ssize_t)bytes;
  close(ends[0]);
  close(ends[1]);
  return good;
}

void random_text(const char *is, const char *should, int line) {
  char text[64];
  size_t bytes = strlen(should) + 1;
  if (bytes <= sizeof(text) && readable(is, text, bytes) && memcmp(text, should, bytes) == 0)
    return;
  wrong++;
  fprintf(stderr, "%s:%d: %p should be \"%s\"\n", file, line, (const void *)is, should);
}

void random_traps(const void *is, int line) {
  char byte;
  if (is && !readable(is, &byte, 1)) return;
  wrong++;
  fprintf(stderr, "%s:%d: is %p and should trap\n", file, line, is);
}

void random_in_file(const char *name) {
  file = name;
}

void random_end_checks(void) {
  if (!wrong) return;
  fprintf(stderr, "%u wrong\n", wrong);
  exit(1);
}
