/* Structs and unions of which only the name changed. */
#include <string.h>

#include "libst/meta.h"
#include "libst/program_build.h"
#include "libst/type.h"

struct renaming {
  const struct st_meta *old, *new;
  const struct btf_type *o, *n;
};

/* The same type, where the renamed one's names count as the same. */
static bool same_type(const struct renaming *r, uint32_t old_type, uint32_t new_type) {
  const struct btf_type *o = type_of(r->old, old_type), *n = type_of(r->new, new_type);
  char old_text[160], new_text[160];
  if (btf_kind(o) != btf_kind(n)) return false;
  if (o == r->o && n == r->n) return true;
  if (btf_is_ptr(o)) return same_type(r, o->type, n->type);
  if (btf_is_array(o))
    return btf_array(o)->nelems == btf_array(n)->nelems &&
           same_type(r, btf_array(o)->type, btf_array(n)->type);
  type_text(r->old, type_strip(r->old, old_type), old_text, sizeof(old_text));
  return strcmp(old_text,
                type_text(r->new, type_strip(r->new, new_type), new_text, sizeof(new_text))) == 0;
}

bool build_is_renamed(struct programs *ps, const struct btf_type *o, const struct btf_type *n) {
  struct renaming r = {programs_old(ps), programs_target(ps), o, n};
  const char *old_name = type_name(r.old, o), *new_name = type_name(r.new, n);
  unsigned count = type_members(o);
  if (!*old_name || !*new_name || btf_kind(o) != btf_kind(n) || count == 0 ||
      count != type_members(n) || btf__find_by_name_kind(r.new->btf, old_name, btf_kind(o)) > 0 ||
      btf__find_by_name_kind(r.old->btf, new_name, btf_kind(o)) > 0)
    return false;
  for (unsigned i = 0; i < count; i++) {
    struct type_member om = type_member(r.old, o, i), nm = type_member(r.new, n, i);
    if (strcmp(om.name, nm.name) != 0 || om.bits != nm.bits || !same_type(&r, om.type, nm.type))
      return false;
  }
  return true;
}
