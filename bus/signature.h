/* Signatures of executables: Ed25519ph (RFC 8032) over a text that says what is signed and the
 * file's content. A file's signature is the 64 bytes of FILE.sig beside it; keys are lines of text.
 */
#ifndef PROTEOS_SIGNATURE_H
#define PROTEOS_SIGNATURE_H

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

#define SIGNATURE_BYTES        crypto_sign_BYTES
#define SIGNATURE_KEY_BYTES    crypto_sign_PUBLICKEYBYTES
#define SIGNATURE_SECRET_BYTES crypto_sign_SEEDBYTES

#define SIGNATURE_PUBLIC_KIND "proteos-public-key"
#define SIGNATURE_SECRET_KIND "proteos-secret-key"

/** Reads a key file: its kind, a space, and 64 hexadecimal digits.
 * @param kind   SIGNATURE_PUBLIC_KIND or SIGNATURE_SECRET_KIND
 * @param error  receives why not, beginning with the path
 * @return 0 or a negative errno */
int signature_read_key(const char *path, const char *kind, uint8_t key[SIGNATURE_KEY_BYTES],
                       char *error, size_t cap);

/** Reads the signature that lies beside a file.
 * @param bytes  receives its length, which is SIGNATURE_BYTES unless it is wrong
 * @return 0 or a negative errno */
int signature_read(const char *file, uint8_t signature[SIGNATURE_BYTES + 1], size_t *bytes);

/** Begins a signature, or its check, with a file's content.
 * @param fd  open for reading; its offset is left alone
 * @return 0 or a negative errno */
int signature_hash(int fd, crypto_sign_state *state);

/** Whether a file's signature is one by the key.
 * @param fd  what is changed while this reads it is not checked: give a sealed copy
 * @return 0, -ENOKEY: there is none, -EKEYREJECTED: it is not, or a negative errno of reading */
int signature_check(int fd, const void *signature, size_t bytes,
                    const uint8_t key[SIGNATURE_KEY_BYTES]);

#endif
