/* Annotations applied to metadata: the types of what is annotated become types of their own, so
 * that whoever walks types sees a pointer where an integer holds one, and objects where a pool has
 * bytes. What types cannot say is a mark on them. */
#ifndef LIBST_ANNOTATION_H
#define LIBST_ANNOTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libst/meta.h"

/* One `VALUE = MEMBER` of a union's annotation. */
struct live_case {
  const char *enumerator; /* "" when the value is a number */
  int64_t value;
  const char *member; /* NULL: nothing is live */
};

struct st_mark {
  enum st_annotation_kind kind;
  const struct st_annotation *by;
  uint64_t mask;             /* TAGGED_POINTER: bits that are no part of the address */
  const char *discriminator; /* LIVE_BY: path from the union itself if `inside`, else from what has
                                the union as a member */
  bool inside, has_default;
  struct live_case otherwise, *cases;
  unsigned case_count;
  const char *const *names; /* HANDLED_BY: what it declares to read */
  unsigned name_count;
};

/** Applies the annotations to their own metadata. Types may be added and those of variables,
 * members and sites change; pointers to types that were taken before are invalid. To be called
 * once.
 * @param error  receives one line on failure: an unknown name with the nearest one, an annotation
 *               that does not fit its type, a contradiction
 * @return 0, -EINVAL or -ENOMEM */
int annotations_apply(struct st_meta *meta, char *error, size_t cap);
/** Applies only those that say what the bytes of the old version are. What is opaque or not
 * transferred is for the new version to say. */
int annotations_apply_facts(struct st_meta *meta, char *error, size_t cap);
/** The mark on a type, or NULL. @param type  stripped */
const struct st_mark *annotation_mark(const struct st_meta *meta, uint32_t type);
/** An annotation as it was written, with its place: "a.c:12: ST_VAR(cache, opaque)". @return `out`
 */
const char *annotation_text(const struct st_meta *meta, const struct st_annotation *a, char *out,
                            size_t cap);
/** Is it an annotation of this variable, of a file or a static of a function? */
bool annotation_is_of(const struct st_meta *meta, const struct st_annotation *a,
                      const struct st_variable *v);
/** The keyword of a kind. */
const char *annotation_keyword(enum st_annotation_kind kind);

/** Finds the member that a FIELD annotation names in a struct or union, in anonymous members too. A
 * member of an anonymous union stands for the union when `of_union`.
 * @param in  the composite; receives the one that has the member itself
 * @return its index there, or -1 */
int annotation_member(const struct st_meta *meta, uint32_t *in, const char *name, bool of_union);
/** Makes a byte array of a type one of objects of type `object`; adds types.
 * @return the new type, or 0: it is no array of integers, or smaller than an object */
uint32_t annotation_pool(struct st_meta *meta, uint32_t type, uint32_t object);
/** Changes the type of a member. */
void annotation_set_member(struct st_meta *meta, uint32_t composite, int member, uint32_t type);

/** Reads the argument of live_by, for a union and what its discriminator is found in.
 * @return 0 or -EINVAL with the reason in `error` */
int annotation_parse_live(struct st_meta *meta, struct st_mark *mark, uint32_t base,
                          uint32_t united, char *error, size_t cap);
/** The value of an enumerator, of the discriminator's type where that is an enum. */
bool annotation_enumerator(const struct st_meta *meta, uint32_t discriminator, const char *name,
                           int64_t *value);
/** Finds a discriminator by its path. */
bool annotation_path(const struct st_meta *meta, uint32_t composite, const char *path,
                     uint32_t *bit_offset, uint32_t *type, uint32_t *bits);

#endif
