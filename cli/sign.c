/* prctl keygen and prctl sign: for manifests with `updates: {require-signature: KEYFILE}`. Neither
 * needs an instance. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/signature.h"
#include "cli/commands.h"

static int complain(const char *path, int error) {
  fprintf(stderr, "prctl: %s: %s\n", path, strerror(error));
  return EXIT_FAILURE;
}

/* Whole or not at all. */
static int write_file(const char *path, int flags, mode_t mode, const void *bytes, size_t n) {
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode);
  if (fd < 0) return complain(path, errno);
  ssize_t written = write(fd, bytes, n);
  int error = written < 0 ? errno : written < (ssize_t)n ? ENOSPC : 0;
  if (close(fd) < 0 && !error) error = errno;
  if (!error) return EXIT_SUCCESS;
  unlink(path);
  return complain(path, error);
}

/* ---- keygen ---- */

/* Never over a key that is there: what it has signed would be lost. */
static int write_key(const char *directory, const char *name, const char *kind, mode_t mode,
                     const uint8_t key[SIGNATURE_KEY_BYTES]) {
  char path[PATH_MAX], hex[2 * SIGNATURE_KEY_BYTES + 1], line[128];
  snprintf(path, sizeof(path), "%s/%s", directory, name);
  sodium_bin2hex(hex, sizeof(hex), key, SIGNATURE_KEY_BYTES);
  int n = snprintf(line, sizeof(line), "%s %s\n", kind, hex);
  int status = write_file(path, O_EXCL, mode, line, (size_t)n);
  sodium_memzero(hex, sizeof(hex));
  sodium_memzero(line, sizeof(line));
  return status;
}

int keygen_command(const struct instance *instance, int argc, char **argv) {
  (void)instance;
  uint8_t seed[SIGNATURE_SECRET_BYTES], public[SIGNATURE_KEY_BYTES];
  uint8_t secret[crypto_sign_SECRETKEYBYTES];
  if (argc != 2) {
    fprintf(stderr, "usage: prctl keygen DIRECTORY\n");
    return 2;
  }
  if (sodium_init() < 0) return complain("libsodium", ENOSYS);
  randombytes_buf(seed, sizeof(seed));
  crypto_sign_seed_keypair(public, secret, seed);
  int status = write_key(argv[1], "proteos.key", SIGNATURE_SECRET_KIND, 0600, seed);
  if (status == EXIT_SUCCESS)
    status = write_key(argv[1], "proteos.pub", SIGNATURE_PUBLIC_KIND, 0644, public);
  sodium_memzero(seed, sizeof(seed));
  sodium_memzero(secret, sizeof(secret));
  return status;
}

/* ---- sign ---- */

static int sign_file(const char *file, const uint8_t secret[crypto_sign_SECRETKEYBYTES]) {
  uint8_t signature[SIGNATURE_BYTES];
  char path[PATH_MAX];
  crypto_sign_state state;
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return complain(file, errno);
  int error = signature_hash(fd, &state);
  close(fd);
  if (error) return complain(file, -error);
  crypto_sign_final_create(&state, signature, NULL, secret);
  if (snprintf(path, sizeof(path), "%s.sig", file) >= (int)sizeof(path))
    return complain(file, ENAMETOOLONG);
  return write_file(path, O_TRUNC, 0644, signature, sizeof(signature));
}

int sign_command(const struct instance *instance, int argc, char **argv) {
  (void)instance;
  uint8_t seed[SIGNATURE_SECRET_BYTES], public[SIGNATURE_KEY_BYTES];
  uint8_t secret[crypto_sign_SECRETKEYBYTES];
  char error[512];
  if (argc < 3) {
    fprintf(stderr, "usage: prctl sign SECRET-KEY FILE...\n");
    return 2;
  }
  if (signature_read_key(argv[1], SIGNATURE_SECRET_KIND, seed, error, sizeof(error))) {
    fprintf(stderr, "prctl: %s\n", error);
    return EXIT_FAILURE;
  }
  crypto_sign_seed_keypair(public, secret, seed);
  sodium_memzero(seed, sizeof(seed));
  int status = EXIT_SUCCESS;
  for (int i = 2; i < argc && status == EXIT_SUCCESS; i++)
    status = sign_file(argv[i], secret);
  sodium_memzero(secret, sizeof(secret));
  return status;
}
