#include "bus/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* So that a signature of something else, made with the same key, never is one of an executable. */
static const char domain[] = "proteos executable, version 1";

/* @return bytes read, at most cap, or a negative errno */
static ssize_t read_file(const char *path, void *to, size_t cap) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  ssize_t n = read(fd, to, cap);
  if (n < 0) n = -errno;
  close(fd);
  return n;
}

int signature_read_key(const char *path, const char *kind, uint8_t key[SIGNATURE_KEY_BYTES],
                       char *error, size_t cap) {
  char text[128] = "";
  const char *end = NULL;
  size_t bytes = 0, head = strlen(kind);
  ssize_t n = read_file(path, text, sizeof(text) - 1);
  if (n < 0) {
    snprintf(error, cap, "%s: %s", path, strerror((int)-n));
    return (int)n;
  }
  bool good = strncmp(text, kind, head) == 0 && text[head] == ' ' &&
              sodium_hex2bin(key, SIGNATURE_KEY_BYTES, text + head + 1, strlen(text + head + 1),
                             NULL, &bytes, &end) == 0 &&
              bytes == SIGNATURE_KEY_BYTES && strspn(end, "\n") == strlen(end);
  sodium_memzero(text, sizeof(text));
  if (good) return 0;
  snprintf(error, cap, "%s: it is no key: '%s' and 64 hexadecimal digits are expected", path, kind);
  return -EINVAL;
}

int signature_read(const char *file, uint8_t signature[SIGNATURE_BYTES + 1], size_t *bytes) {
  char path[PATH_MAX];
  *bytes = 0;
  if (snprintf(path, sizeof(path), "%s.sig", file) >= (int)sizeof(path)) return -ENAMETOOLONG;
  ssize_t n = read_file(path, signature, SIGNATURE_BYTES + 1);
  *bytes = n > 0 ? (size_t)n : 0;
  return n < 0 ? (int)n : 0;
}

int signature_hash(int fd, crypto_sign_state *state) {
  uint8_t buffer[16384];
  off_t at = 0;
  if (sodium_init() < 0) return -ENOSYS;
  crypto_sign_init(state);
  crypto_sign_update(state, (const uint8_t *)domain, sizeof(domain));
  for (;;) {
    ssize_t n = pread(fd, buffer, sizeof(buffer), at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? -errno : 0;
    crypto_sign_update(state, buffer, (size_t)n);
    at += n;
  }
}

int signature_check(int fd, const void *signature, size_t bytes,
                    const uint8_t key[SIGNATURE_KEY_BYTES]) {
  crypto_sign_state state;
  if (bytes == 0) return -ENOKEY;
  if (bytes != SIGNATURE_BYTES) return -EKEYREJECTED;
  int error = signature_hash(fd, &state);
  if (error) return error;
  return crypto_sign_final_verify(&state, signature, key) ? -EKEYREJECTED : 0;
}
