#include "proto/journal_file.h"

#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

/* Far more than a record can have: a length beyond it is no length. */
#define RECORD_MAX_BYTES (4u << 20)

static Proteos__Transaction *read_record(int fd, off_t at, uint32_t bytes) {
  uint8_t *packed = malloc(bytes + 1u);
  Proteos__Transaction *t = NULL;
  if (packed && pread(fd, packed, bytes, at) == (ssize_t)bytes)
    t = proteos__transaction__unpack(NULL, bytes, packed);
  free(packed);
  return t;
}

off_t journal_file_read(int fd, void (*seen)(const Proteos__Transaction *t, void *arg), void *arg) {
  off_t at = 0;
  uint32_t length;
  while (pread(fd, &length, sizeof(length), at) == (ssize_t)sizeof(length)) {
    uint32_t bytes = le32toh(length);
    if (bytes == 0 || bytes > RECORD_MAX_BYTES) break;
    Proteos__Transaction *t = read_record(fd, at + (off_t)sizeof(length), bytes);
    if (!t) break;
    seen(t, arg);
    proteos__transaction__free_unpacked(t, NULL);
    at += (off_t)sizeof(length) + bytes;
  }
  return at;
}

Proteos__Transaction *journal_copy(const Proteos__Transaction *t) {
  size_t bytes = proteos__transaction__get_packed_size(t);
  uint8_t *packed = malloc(bytes + 1);
  if (!packed) return NULL;
  proteos__transaction__pack(t, packed);
  Proteos__Transaction *made = proteos__transaction__unpack(NULL, bytes, packed);
  free(packed);
  return made;
}
