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

/* Makes a file, whole or not at all, and never over one that is there. */
static int write_file(const char *path, mode_t mode, const void *bytes, size_t n) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return complain(path, errno);
  ssize_t written = write(fd, bytes, n);
  int error = written < 0 ? errno : written < (ssize_t)n ? ENOSPC : 0;
  if (close(fd) < 0 && !error) error = errno;
  if (!error) return EXIT_SUCCESS;
  unlink(path);
  return complain(path, error);
}

/* ---- keygen ---- */

/* Where it replaced a key, what that has signed would be lost. */
static int write_key(const char *path, const char *kind, mode_t mode,
                     const uint8_t key[SIGNATURE_KEY_BYTES]) {
  char hex[2 * SIGNATURE_KEY_BYTES + 1], line[128];
  sodium_bin2hex(hex, sizeof(hex), key, SIGNATURE_KEY_BYTES);
  int n = snprintf(line, sizeof(line), "%s %s\n", kind, hex);
  int status = write_file(path, mode, line, (size_t)n);
  sodium_memzero(hex, sizeof(hex));
  sodium_memzero(line, sizeof(line));
  return status;
}

/* Both, or neither: half a pair would stand in the way of the next. */
static int write_keys(const char *directory, const uint8_t secret[SIGNATURE_SECRET_BYTES],
                      const uint8_t public[SIGNATURE_KEY_BYTES]) {
  char secret_path[PATH_MAX], public_path[PATH_MAX];
  if (snprintf(secret_path, PATH_MAX, "%s/proteos.key", directory) >= PATH_MAX ||
      snprintf(public_path, PATH_MAX, "%s/proteos.pub", directory) >= PATH_MAX)
    return complain(directory, ENAMETOOLONG);
  int status = write_key(secret_path, SIGNATURE_SECRET_KIND, 0600, secret);
  if (status != EXIT_SUCCESS) return status;
  status = write_key(public_path, SIGNATURE_PUBLIC_KIND, 0644, public);
  if (status != EXIT_SUCCESS) unlink(secret_path);
  return status;
}

int keygen_command(const struct instance *instance, int argc, char **argv) {
  (void)instance;
  uint8_t seed[SIGNATURE_SECRET_BYTES], public[SIGNATURE_KEY_BYTES];
  uint8_t secret[crypto_sign_SECRETKEYBYTES];
  if (argc != 2) {
    fprintf(stderr, "usage: prctl keygen DIRECTORY\n");
    return EXIT_USAGE;
  }
  if (sodium_init() < 0) return complain("libsodium", ENOSYS);
  randombytes_buf(seed, sizeof(seed));
  crypto_sign_seed_keypair(public, secret, seed);
  int status = write_keys(argv[1], seed, public);
  sodium_memzero(seed, sizeof(seed));
  sodium_memzero(secret, sizeof(secret));
  return status;
}

/* ---- sign ---- */

/* Puts a signature in its place at once: a reader finds the one before, or this one. */
static int replace_file(const char *path, const void *bytes, size_t n) {
  char temporary[PATH_MAX];
  if (snprintf(temporary, PATH_MAX, "%s.%d", path, (int)getpid()) >= PATH_MAX)
    return complain(path, ENAMETOOLONG);
  int status = write_file(temporary, 0644, bytes, n);
  if (status != EXIT_SUCCESS || rename(temporary, path) == 0) return status;
  int error = errno;
  unlink(temporary);
  return complain(path, error);
}

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
  return replace_file(path, signature, sizeof(signature));
}

int sign_command(const struct instance *instance, int argc, char **argv) {
  (void)instance;
  uint8_t seed[SIGNATURE_SECRET_BYTES], public[SIGNATURE_KEY_BYTES];
  uint8_t secret[crypto_sign_SECRETKEYBYTES];
  char error[512];
  if (argc < 3) {
    fprintf(stderr, "usage: prctl sign SECRET-KEY FILE...\n");
    return EXIT_USAGE;
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
