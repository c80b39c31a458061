#include "tests/fuzz/seeds.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "libst/meta.h"

struct st_meta *seed_metadata(const char *exe, char *error) {
  int fd = open(exe, O_RDONLY | O_CLOEXEC);
  struct st_meta *meta = st_meta_open(fd, error, 200);
  close(fd);
  if (meta) return meta;
  fprintf(stderr, "%s: %s\n", exe, error);
  exit(2);
}

void seed_write(const void *data, size_t bytes) {
  FILE *out = fopen(getenv("FUZZ_SEED_OUT"), "w");
  if (!out || fwrite(data, 1, bytes, out) != bytes || fclose(out) != 0) exit(2);
}
