/* Options of an update, as bytes and back. */
#include <stdlib.h>
#include <string.h>

#include "libst/options.h"
#include "libst/st.h"
#include "options.pb-c.h"

void *st_options_pack(const struct st_options *options, size_t *bytes) {
  Proteos__UpdateOptions packed = PROTEOS__UPDATE_OPTIONS__INIT;
  packed.n_checks = options->check_count;
  packed.checks = options->checks;
  packed.validate = options->validate;
  packed.relocate = options->relocate;
  packed.strict = options->strict;
  *bytes = proteos__update_options__get_packed_size(&packed);
  uint8_t *to = malloc(*bytes ? *bytes : 1);
  if (to) proteos__update_options__pack(&packed, to);
  return to;
}

static bool copy_checks(struct st_options *to, char **checks, size_t count) {
  to->checks = calloc(count + 1, sizeof(*to->checks));
  if (!to->checks) return false;
  for (; to->check_count < count; to->check_count++)
    if (!(to->checks[to->check_count] = strdup(checks[to->check_count]))) return false;
  return true;
}

struct st_options *options_copy(const struct st_options *from) {
  struct st_options *to = calloc(1, sizeof(*to));
  if (!to || !from) return to;
  *to = (struct st_options){
      .validate = from->validate, .relocate = from->relocate, .strict = from->strict};
  if (copy_checks(to, from->checks, from->check_count)) return to;
  st_options_free(to);
  return NULL;
}

struct st_options *st_options_unpack(const void *packed, size_t bytes) {
  Proteos__UpdateOptions *from = proteos__update_options__unpack(NULL, bytes, packed);
  if (!from) return NULL;
  struct st_options read = {.checks = from->checks,
                            .check_count = from->n_checks,
                            .validate = from->validate,
                            .relocate = from->relocate,
                            .strict = from->strict};
  struct st_options *to = options_copy(&read);
  proteos__update_options__free_unpacked(from, NULL);
  return to;
}

void st_options_free(struct st_options *options) {
  if (!options) return;
  for (size_t i = 0; i < options->check_count; i++)
    free(options->checks[i]);
  free(options->checks);
  free(options);
}
