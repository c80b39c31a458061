/* Building one program: what the parts that compile it share. */
#ifndef LIBST_PROGRAM_BUILD_H
#define LIBST_PROGRAM_BUILD_H

#include "libst/program.h"
#include "libst/type.h"

/* A member that has no counterpart in the same struct. */
struct loose {
  struct type_member member;
  uint32_t base;    /* of the struct that it is in, bytes from the object's start */
  const char *path; /* of the member */
  int up;           /* index of the struct that it is in, if that is loose itself; else -1 */
  bool taken;       /* its counterpart is elsewhere, and found */
  unsigned index;   /* in its struct */
  const struct btf_type *in, *other; /* without `up`: the structs of both versions */
};

struct loose_list {
  struct loose *items;
  unsigned count, cap;
};

/* The structs around what is being paired, innermost first. */
struct enclosing {
  const struct enclosing *up;
  uint32_t old_type, new_type;
  uint32_t old_at, new_at;
  const struct handler *handler; /* of the struct, or NULL */
};

struct builder {
  struct programs *set;
  const struct st_meta *old, *new;
  struct program *program;
  const struct enclosing *in; /* NULL outside of any */
  unsigned op_cap, dropped_cap;
  struct loose_list gone, came; /* of the old version, and of the new one */
};

/** Zeroed memory that lives as long as the set; NULL without memory, which the set remembers. */
void *build_keep(struct programs *set, size_t bytes);
/** Formatted text that lives as long as the set. */
const char *build_text(struct programs *set, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Notes why no object of this type can be transferred; the first reason stays. */
void build_refuse(struct builder *b, const char *path, const char *text);
/** The same, because the types have no conversion. */
void build_refuse_types(struct builder *b, uint32_t old_type, uint32_t new_type, const char *path);
/** Adds an op; valid until the next one is added. */
struct op *build_op(struct builder *b, enum op_kind kind, uint32_t old_at, uint32_t new_at,
                    const char *path);
void build_copy(struct builder *b, uint32_t old_at, uint32_t new_at, uint32_t bytes,
                const char *path);
/** Notes bytes of the old object that the new one has no place for. */
void build_dropped(struct builder *b, const struct dropped *dropped);
/** Adds what turns an object of one type into one of the other. */
void build_pair(struct builder *b, uint32_t old_type, uint32_t new_type, uint32_t old_at,
                uint32_t new_at, const char *path);
/** Adds what annotations say of a pair of types.
 * @return false when they say nothing */
bool build_marked(struct builder *b, uint32_t old_type, uint32_t new_type, uint32_t old_at,
                  uint32_t new_at, const char *path);
/** The annotation that would say which member of a union is live, as text. */
const char *build_union_advice(struct builder *b, uint32_t union_type, const char *path);
bool build_is_number(const struct btf_type *t);
/** Floating point of a form that the machine computes with. */
bool build_is_real(const struct st_meta *meta, const struct btf_type *t);
/** Numbers of any kind. */
void build_numbers(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                   uint32_t old_at, uint32_t new_at, const char *path);
/** Integers as wide as a pointer, in a row, that stay as they are. */
void build_integers(struct builder *b, uint32_t old_at, uint32_t new_at, uint32_t count,
                    const char *path);
/** How many bits of a member count. */
uint32_t build_bits_of(const struct st_meta *meta, const struct type_member *m);
/** Members of which at least one is a bit-field. */
void build_bits(struct builder *b, const struct type_member *o, const struct type_member *n,
                uint32_t old_at, uint32_t new_at, const char *path);
/** Arrays. */
void build_arrays(struct builder *b, uint32_t old_type, uint32_t new_type, uint32_t old_at,
                  uint32_t new_at, const char *path);
struct loose *loose_add(struct builder *b, struct loose_list *list, struct loose loose);
/** Pairs what is loose in the whole object; what remains is dropped. Comes after build_pair(). */
void build_moves(struct builder *b);
/** Did a new member of this name turn out to be one that moved? */
bool loose_is_taken(const struct builder *b, const char *name);
/** Refuses a loose member in whose place another one came. */
void build_check_renamed(struct builder *b, const struct loose *gone);
/** The old type that has the name of a new one; 0 when that has none. */
uint32_t build_old_of(const struct builder *b, uint32_t new_type);
/** What a pointer points to, by the types of its targets. */
struct pointed build_pointed(const struct builder *b, uint32_t old_type, uint32_t new_type);
void build_pointers(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                    uint32_t old_at, uint32_t new_at, const char *path);
/** Notes that two types are each other's, so that blocks of the old one find the new one. */
void build_correspond(struct programs *set, uint32_t old_type, uint32_t new_type);
/** A struct or union that has only another name now: neither version has both names, and the
 * members are the same, by name and type. */
bool build_is_renamed(struct programs *set, const struct btf_type *o, const struct btf_type *n);
/** Two types may be each other's: a name is missing or they have the same. */
bool build_same_name(struct programs *set, const struct btf_type *o, const struct btf_type *n);

#endif
