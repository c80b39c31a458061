/* Sealed copies, signatures of files, and what may become a version. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/executable.h"
#include "bus/sealed.h"
#include "bus/signature.h"
#include "bus/test-folder.h"
#include "bus/test-run.h"

static uint8_t public[SIGNATURE_KEY_BYTES], secret[crypto_sign_SECRETKEYBYTES];
static uint8_t signature[SIGNATURE_BYTES];
static char path[64];
static int file; /* signed */

static int write_file(const void *bytes, size_t n) {
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
  return fd;
}

static void sign(int fd, uint8_t to[SIGNATURE_BYTES]) {
  crypto_sign_state state;
  ck_assert_int_eq(signature_hash(fd, &state), 0);
  crypto_sign_final_create(&state, to, NULL, secret);
}

static void setup(void) {
  static uint8_t content[200000];
  for (size_t i = 0; i < sizeof(content); i++)
    content[i] = (uint8_t)(i * 7 / 3);
  test_folder_make();
  snprintf(path, sizeof(path), "%s/file", test_folder);
  ck_assert_int_ge(sodium_init(), 0);
  crypto_sign_keypair(public, secret);
  file = write_file(content, sizeof(content));
  sign(file, signature);
}

static void teardown(void) {
  close(file);
  test_folder_remove();
}

/* ---- signatures ---- */

START_TEST(good_signature) {
  ck_assert_int_eq(signature_check(file, signature, sizeof(signature), public), 0);
}
END_TEST

START_TEST(no_signature) {
  ck_assert_int_eq(signature_check(file, signature, 0, public), -ENOKEY);
}
END_TEST

START_TEST(signature_of_another_length) {
  uint8_t longer[SIGNATURE_BYTES + 1] = {0};
  memcpy(longer, signature, sizeof(signature));
  ck_assert_int_eq(signature_check(file, signature, sizeof(signature) - 1, public), -EKEYREJECTED);
  ck_assert_int_eq(signature_check(file, longer, sizeof(longer), public), -EKEYREJECTED);
}
END_TEST

START_TEST(any_bit_counts) {
  struct stat st;
  ck_assert_int_eq(fstat(file, &st), 0);
  const off_t places[] = {0, 1, 65535, 65536, st.st_size - 1};
  for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
    uint8_t byte, changed;
    ck_assert_int_eq(pread(file, &byte, 1, places[i]), 1);
    changed = byte ^ 0x10;
    ck_assert_int_eq(pwrite(file, &changed, 1, places[i]), 1);
    ck_assert_int_eq(signature_check(file, signature, sizeof(signature), public), -EKEYREJECTED);
    ck_assert_int_eq(pwrite(file, &byte, 1, places[i]), 1);
  }
  for (unsigned i = 0; i < sizeof(signature); i++) {
    signature[i] ^= 1;
    ck_assert_int_eq(signature_check(file, signature, sizeof(signature), public), -EKEYREJECTED);
    signature[i] ^= 1;
  }
  ck_assert_int_eq(ftruncate(file, st.st_size - 1), 0);
  ck_assert_int_eq(signature_check(file, signature, sizeof(signature), public), -EKEYREJECTED);
}
END_TEST

START_TEST(another_key) {
  uint8_t other[SIGNATURE_KEY_BYTES], its_secret[crypto_sign_SECRETKEYBYTES];
  crypto_sign_keypair(other, its_secret);
  ck_assert_int_eq(signature_check(file, signature, sizeof(signature), other), -EKEYREJECTED);
}
END_TEST

/* Of the same bytes, by the same key, but not as an executable. */
START_TEST(another_domain) {
  static uint8_t content[200000];
  crypto_sign_state state;
  ssize_t n = pread(file, content, sizeof(content), 0);
  crypto_sign_init(&state);
  crypto_sign_update(&state, content, (size_t)n);
  crypto_sign_final_create(&state, signature, NULL, secret);
  ck_assert_int_eq(signature_check(file, signature, sizeof(signature), public), -EKEYREJECTED);
}
END_TEST

/* ---- key files ---- */

static const struct key_text {
  const char *text;
  int error;
} key_texts[] = {
    {"proteos-public-key a870cc68d9b91429f988903c4e11c340ab93b5d03dc4ecfd59c551c5eb5b598f\n", 0},
    {"proteos-public-key a870cc68d9b91429f988903c4e11c340ab93b5d03dc4ecfd59c551c5eb5b598f", 0},
    {"", -EINVAL},
    {"proteos-public-key\n", -EINVAL},
    {"proteos-public-key \n", -EINVAL},
    {"proteos-public-key a870cc68d9b91429f988903c4e11c340ab93b5d03dc4ecfd59c551c5eb5b598\n",
     -EINVAL},
    {"proteos-public-key a870cc68d9b91429f988903c4e11c340ab93b5d03dc4ecfd59c551c5eb5b598f00\n",
     -EINVAL},
    {"proteos-public-key x870cc68d9b91429f988903c4e11c340ab93b5d03dc4ecfd59c551c5eb5b598f\n",
     -EINVAL},
    {"proteos-public-key a870cc68d9b91429f988903c4e11c340ab93b5d03dc4ecfd59c551c5eb5b598f more\n",
     -EINVAL},
    {"proteos-secret-key a870cc68d9b91429f988903c4e11c340ab93b5d03dc4ecfd59c551c5eb5b598f\n",
     -EINVAL},
};

START_TEST(key_file) {
  const struct key_text *k = &key_texts[_i];
  uint8_t key[SIGNATURE_KEY_BYTES];
  char error[256] = "";
  close(write_file(k->text, strlen(k->text)));
  ck_assert_int_eq(signature_read_key(path, SIGNATURE_PUBLIC_KIND, key, error, sizeof(error)),
                   k->error);
  if (k->error) ck_assert_msg(strstr(error, path) == error, "%s", error);
  if (k->error) ck_assert_msg(strstr(error, "it is no key"), "%s", error);
}
END_TEST

/* ---- sealed copies ---- */

START_TEST(copy_cannot_change) {
  uint8_t byte = 0xff;
  int copy = sealed_copy(file, "some/where");
  ck_assert_int_ge(copy, 0);
  ck_assert(sealed_is(copy) && !sealed_is(file));
  ck_assert_int_eq(signature_check(copy, signature, sizeof(signature), public), 0);
  ck_assert_int_lt(pwrite(copy, &byte, 1, 0), 0);
  ck_assert_int_lt(ftruncate(copy, 1), 0);
  ck_assert_ptr_eq(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, copy, 0), MAP_FAILED);
  ck_assert_int_lt(fcntl(copy, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
  ck_assert_int_eq(pwrite(file, &byte, 1, 0), 1); /* the original changes alone */
  ck_assert_int_eq(signature_check(copy, signature, sizeof(signature), public), 0);
  close(copy);
}
END_TEST

START_TEST(copy_is_called_as_the_original) {
  char name[400];
  int copy = sealed_copy(file, path);
  char *said = executable_path(copy);
  ck_assert_str_eq(said, path);
  free(said);
  close(copy);
  memset(name, 'x', sizeof(name) - 1);
  strcpy(name + sizeof(name) - sizeof("/tail"), "/tail");
  copy = sealed_copy(file, name);
  said = executable_path(copy);
  ck_assert_uint_eq(strlen(said), 249);
  ck_assert_str_eq(said + strlen(said) - 5, "/tail");
  free(said);
  close(copy);
  said = executable_path(file);
  ck_assert_str_eq(said, path);
  free(said);
}
END_TEST

START_TEST(no_copy_of_a_folder) {
  int fd = open(test_folder, O_RDONLY);
  ck_assert_int_eq(sealed_copy(fd, "folder"), -EISDIR);
  close(fd);
}
END_TEST

/* ---- what um may load ---- */

static struct manifest manifest;

START_TEST(um_loads_what_is_sealed_and_signed) {
  int copy = sealed_copy(file, "file"), other = sealed_copy(file, "file");
  struct version live = {.exe = other};
  struct endpoint e = {.live = &live};
  bus.manifest = &manifest;
  ck_assert_int_eq(executable_check(&e, file, NULL, 0), 0); /* nothing is required */
  manifest.updates.require_signature = "key";
  memcpy(manifest.updates.key, public, sizeof(public));
  ck_assert_int_eq(executable_check(&e, copy, signature, sizeof(signature)), 0);
  ck_assert_int_eq(executable_check(NULL, copy, signature, sizeof(signature)), 0);
  ck_assert_int_eq(executable_check(&e, file, signature, sizeof(signature)), -EPERM);
  ck_assert_int_eq(executable_check(&e, copy, NULL, 0), -ENOKEY);
  ck_assert_int_eq(executable_check(&e, other, NULL, 0), 0); /* it was checked when it started */
  signature[5] ^= 1;
  ck_assert_int_eq(executable_check(&e, copy, signature, sizeof(signature)), -EKEYREJECTED);
  close(copy);
  close(other);
}
END_TEST

int main(void) {
  Suite *s = suite_create("signature");
  TCase *t = tcase_create("signature");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, good_signature);
  tcase_add_test(t, no_signature);
  tcase_add_test(t, signature_of_another_length);
  tcase_add_test(t, any_bit_counts);
  tcase_add_test(t, another_key);
  tcase_add_test(t, another_domain);
  tcase_add_loop_test(t, key_file, 0, (int)(sizeof(key_texts) / sizeof(key_texts[0])));
  tcase_add_test(t, copy_cannot_change);
  tcase_add_test(t, copy_is_called_as_the_original);
  tcase_add_test(t, no_copy_of_a_folder);
  tcase_add_test(t, um_loads_what_is_sealed_and_signed);
  suite_add_tcase(s, t);
  return test_run(s);
}
