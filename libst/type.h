/* Questions about BTF types. Ids are of the metadata given. */
#ifndef LIBST_TYPE_H
#define LIBST_TYPE_H

#include <bpf/btf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct st_meta;

/** The type without typedefs and qualifiers. */
uint32_t type_strip(const struct st_meta *meta, uint32_t id);
/** The description of a type, stripped; that of void has kind BTF_KIND_UNKN. */
const struct btf_type *type_of(const struct st_meta *meta, uint32_t id);
/** Bytes of an object of the type; 0 for void, functions and incomplete types. */
size_t type_bytes(const struct st_meta *meta, uint32_t id);
/** The type's own name; "" when it has none. */
const char *type_name(const struct st_meta *meta, const struct btf_type *t);
/** The type as C writes it, roughly: "struct conn *", "uint8_t[16]". @return `out` */
const char *type_text(const struct st_meta *meta, uint32_t id, char *out, size_t cap);

/** A member of a struct or union. */
struct type_member {
  const char *name; /* "" when anonymous */
  uint32_t type;
  uint32_t bit;  /* offset */
  uint32_t bits; /* of a bit-field; 0 for an ordinary member */
};
unsigned type_members(const struct btf_type *t);
struct type_member type_member(const struct st_meta *meta, const struct btf_type *t, unsigned i);
/** Finds a member by name. @return its index, or -1 */
int type_member_named(const struct st_meta *meta, const struct btf_type *t, const char *name);
/** Finds in `t` of `in` the member that member `i` of `other` (of `of`) is: by name, or, without
 * one, by its order among the anonymous ones. @return its index, or -1 */
int type_member_counterpart(const struct st_meta *in, const struct btf_type *t,
                            const struct st_meta *of, const struct btf_type *other, unsigned i);
/** Do the types of two anonymous members have the same kind, and a member of one name? */
bool type_anonymous_alike(const struct st_meta *in, uint32_t a, const struct st_meta *of,
                          uint32_t b);
/** Is this an integer whose name, `uintptr_t` or `intptr_t`, says that it may hold a pointer? */
bool type_is_address(const struct st_meta *meta, uint32_t id);
/** Is this `char`, which is a byte of text whose sign means nothing? */
bool type_is_plain_char(const struct st_meta *meta, const struct btf_type *t);
/** The same, or an array of it? */
bool type_is_char(const struct st_meta *meta, uint32_t id);
bool type_is_bool(const struct btf_type *t);
/** An integer as wide as a pointer? */
bool type_is_wide(const struct btf_type *t);
/** A pointer, or an integer that can hold one? */
bool type_holds_pointer(const struct btf_type *t);
bool type_is_signed(const struct btf_type *t);
/** An enumerator's name and value. */
const char *type_enumerator(const struct st_meta *meta, const struct btf_type *t, unsigned i,
                            int64_t *value);

/** Is an object of type `a`, as it is, one that a pointer to type `b` may be used for? Structs and
 * unions fit by their tags: their contents are transferred. Numbers fit when all values mean the
 * same; pointers when what they point to fits. */
bool type_fits(const struct st_meta *meta_a, uint32_t a, const struct st_meta *meta_b, uint32_t b);

#endif
