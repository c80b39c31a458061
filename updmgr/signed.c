#include "updmgr/signed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus/sealed.h"
#include "bus/signature.h"

static bool required;
static uint8_t key[SIGNATURE_KEY_BYTES];

bool signed_argument(const char *arg) {
  static const char name[] = "key=";
  size_t bytes;
  if (strncmp(arg, name, sizeof(name) - 1) != 0) return false;
  const char *hex = arg + sizeof(name) - 1;
  required = sodium_hex2bin(key, sizeof(key), hex, strlen(hex), NULL, &bytes, NULL) == 0 &&
             bytes == sizeof(key);
  return required;
}

static int seal(struct member *m) {
  if (sealed_is(m->exe_fd)) return 0;
  int copy = sealed_copy(m->exe_fd, m->path);
  if (copy < 0) return copy;
  close(m->exe_fd);
  m->exe_fd = copy;
  return 0;
}

int signed_check(struct member *m, int running_fd, char *why, size_t cap) {
  if (!required) m->signature_bytes = 0; /* nobody looks at it */
  if (!required || sealed_same(m->exe_fd, running_fd)) return 0;
  int error = seal(m);
  if (!error) error = signature_check(m->exe_fd, m->signature, m->signature_bytes, key);
  switch (error) {
  case 0:
    break;
  case -ENOKEY:
    if (m->self)
      snprintf(why, cap, "what runs was not started as a signed version; give a signed file");
    else
      snprintf(why, cap, "%s is not signed, and this instance takes only signed versions; see %s",
               m->path, "prctl sign");
    break;
  case -EKEYREJECTED:
    snprintf(why, cap, "the signature of %s is not one of this file by the instance's key",
             m->path);
    break;
  default:
    snprintf(why, cap, "%s cannot be copied: %s", m->path, strerror(-error));
    break;
  }
  return error;
}
