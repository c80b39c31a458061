/* Types as the source has them (libclang), named so that they can be found in DWARF.
 *
 * A key names a type without its qualifiers: "struct conn", "union u", "enum e", "typedef t" (of
 * something that has no name of its own), "i4" "u8" "f8" (numbers: signed, unsigned, floating, with
 * their size), "c1" "C1" (char, unsigned char), "b1" (_Bool), "x16" (complex), "v" (void),
 * "f" (function); "*" before a key is a pointer to it. Arrays have the key of their elements. */
#ifndef INSTRUMENT_CTYPE_H
#define INSTRUMENT_CTYPE_H

#include <clang-c/Index.h>
#include <stdbool.h>

struct ctype {
  char *key;  /* NULL when the type has no name */
  char *file; /* where the struct, union or enum in it is declared, presumed; NULL: in none */
  unsigned line;
  long long bytes;
  bool flexible; /* a struct whose last member is an array of no fixed size, */
  char *tail;    /* whose elements have this key (NULL: no name) */
  long long tail_bytes;
};

/** Describes a type; to be cleared. */
struct ctype ctype_of(CXType type);
/** A pointer to a type that ctype_of() described; takes it over. */
struct ctype ctype_pointer_to(struct ctype type);
/** One that has a key only, which is copied. */
struct ctype ctype_keyed(const char *key);
void ctype_clear(struct ctype *type);
/** What a pointer or array refers to, without typedefs; invalid when it is neither. */
CXType ctype_target(CXType type);
/** True for void without qualifiers and typedefs. */
bool ctype_is_void(CXType type);

/** Questions about keys. */
bool key_is_bytes(const char *key);  /* char or unsigned char */
bool key_is_number(const char *key); /* bytes included */
bool key_is_composite(const char *key);
/** Are values of one kind and size, signs apart? */
bool key_agrees(const char *a, const char *b);

#endif
