/* State-transfer handlers: C functions of the new version that make what automation cannot.
 *
 *   ST_TYPE_HANDLER(user_update, struct user, name) {       fields that it reads of the old object
 *     new->name = strdup(st_old_text(st_old_field(old, "name")));
 *     return 0;
 *   }
 *   ST_VAR_HANDLER(table_update, table, list, list->key, list->next) { ... }      old variables
 *
 * A handler runs in the new process, once, when the update comes from a version that does not have
 * it: of a type for each object, of a variable after everything else has been transferred. Fields
 * that pair as usual have been transferred before; those that it declares and that do not are its
 * own. It reads the old version through views, fills what `new` points to, may allocate and free,
 * and must have no effect but on memory. It declares the names that it reads, as C writes them:
 * unknown ones refuse the update when the plan is made. A result other than 0 refuses the update,
 * and what it stored is checked like everything else. */
#ifndef LIBST_HANDLER_H
#define LIBST_HANDLER_H

#include <stddef.h>
#include <stdint.h>

#include "libst/annotate.h"

/** A view of an old object, or none: reading from none gives 0 and NULL. Valid in the handler. */
struct st_old {
  const void *data; /* its bytes as they were; NULL: none */
  uint32_t type;
  uint32_t count; /* objects of the type that follow each other */
  uint16_t bit, bits;
};

#define ST_TYPE_HANDLER(function, type, ...)                                                       \
  ST_ANNOTATION_("type", ST_TEXT_(type), #function, "handled_by", ST_TEXT_(__VA_ARGS__))           \
  __attribute__((used)) static int function(struct st_old old, type *new)
#define ST_VAR_HANDLER(function, variable, ...)                                                    \
  ST_ANNOTATION_("variable", #function, ST_TEXT_(variable), "handled_by", ST_TEXT_(__VA_ARGS__))   \
  __attribute__((used)) static int function(struct st_old old, __typeof__(variable) *new)

/** A member of the object; in a variable's handler `old` itself has the old version's variables as
 * its members. A name that was not declared refuses the update. */
struct st_old st_old_field(struct st_old view, const char *name);
/** An element of an array, or one of several objects. */
struct st_old st_old_element(struct st_old view, size_t index);
/** What a pointer points to, with all objects that follow it in its block; none if it is NULL. */
struct st_old st_old_target(struct st_old view);
/** Elements of an array, or objects that follow each other; 0 of none. */
size_t st_old_count(struct st_old view);
/** Value of an integer, enumeration, boolean or bit-field. */
int64_t st_old_integer(struct st_old view);
double st_old_real(struct st_old view);
/** Where a pointer's target is in the new version. */
void *st_old_pointer(struct st_old view);
/** Text of an array of char or at the end of a char *: NUL-terminated, or NULL. */
const char *st_old_text(struct st_old view);
/** Bytes, untranslated. @param bytes  receives their number */
const void *st_old_bytes(struct st_old view, size_t *bytes);
/** Refuses the update for a reason. @return what the handler may return: not 0 */
int st_old_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
