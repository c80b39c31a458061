/* Names in state filters: finding them, and what a wrong one may have meant. */
#ifndef LIBST_FILTER_NAMES_H
#define LIBST_FILTER_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct st_meta;
struct st_variable;

enum names_result { NAMES_FOUND, NAMES_NONE, NAMES_SEVERAL };

/** Finds a variable. Without a scope: a global or file static.
 * @param scope     file (or the end of its path) or function that it is static in; may be NULL
 * @param several   receives the files of two when there are several */
enum names_result names_variable(const struct st_meta *meta, const char *name, const char *scope,
                                 const struct st_variable **found, const char *several[2]);

/** Finds an enumerator. Several of one name count as one when their values agree. */
enum names_result names_enumerator(const struct st_meta *meta, const char *name, int64_t *value,
                                   bool *is_wide);

/** The nearest name to a wrong one; "" when none is near. */
const char *names_near_variable(const struct st_meta *meta, const char *name);
const char *names_near_member(const struct st_meta *meta, uint32_t composite, const char *name);
const char *names_near_enumerator(const struct st_meta *meta, uint32_t type, const char *name);
/** Of the types of one kind (BTF_KIND_*). */
const char *names_near_type(const struct st_meta *meta, unsigned kind, const char *name);
const char *names_near_function(const struct st_meta *meta, const char *name);

/** Finds a member, also of anonymous members.
 * @param bit_offset  receives its offset from the composite, in bits
 * @return false when there is none. */
bool names_member(const struct st_meta *meta, uint32_t composite, const char *name,
                  uint32_t *bit_offset, uint32_t *type, uint32_t *bits);

#endif
