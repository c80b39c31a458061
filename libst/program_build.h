/* Building one program: what the parts that compile it share. */
#ifndef LIBST_PROGRAM_BUILD_H
#define LIBST_PROGRAM_BUILD_H

#include "libst/program.h"
#include "libst/type.h"

struct builder {
  struct programs *set;
  const struct st_meta *old, *new;
  struct program *program;
  unsigned op_cap, dropped_cap;
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
void build_dropped(struct builder *b, uint32_t at, uint32_t bytes, const char *path);
/** Adds what turns an object of one type into one of the other. */
void build_pair(struct builder *b, uint32_t old_type, uint32_t new_type, uint32_t old_at,
                uint32_t new_at, const char *path);
bool build_is_number(const struct btf_type *t);
void build_numbers(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                   uint32_t old_at, uint32_t new_at, const char *path);
void build_pointers(struct builder *b, const struct btf_type *o, const struct btf_type *n,
                    uint32_t old_at, uint32_t new_at, const char *path);
/** Notes that two types are each other's, so that blocks of the old one find the new one. */
void build_correspond(struct programs *set, uint32_t old_type, uint32_t new_type);
/** Two types may be each other's: a name is missing or they have the same. */
bool build_same_name(struct programs *set, const struct btf_type *o, const struct btf_type *n);

#endif
