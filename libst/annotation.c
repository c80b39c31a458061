#include "libst/annotation.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libst/filter_names.h"
#include "libst/type.h"

struct apply {
  struct st_meta *meta;
  const struct st_annotation *at; /* the present one */
  uint32_t *marked;               /* BTF ids and */
  const struct st_mark **marks;   /* their marks */
  uint32_t count;
  const struct st_annotation **said; /* of each variable */
  char *error;
  size_t cap;
};

static const char *const keywords[ST_ANNOTATE_KINDS] = {
    [ST_ANNOTATE_OPAQUE] = "opaque",
    [ST_ANNOTATE_DONT_TRANSFER] = "dont_transfer",
    [ST_ANNOTATE_RENAMED_FROM] = "renamed_from",
    [ST_ANNOTATE_POINTER_TO] = "pointer_to",
    [ST_ANNOTATE_NOT_POINTER] = "not_pointer",
    [ST_ANNOTATE_TAGGED_POINTER] = "tagged_pointer",
    [ST_ANNOTATE_POOL_OF] = "pool_of",
    [ST_ANNOTATE_LIVE_BY] = "live_by",
    [ST_ANNOTATE_HANDLED_BY] = "handled_by",
};

const char *annotation_keyword(enum st_annotation_kind kind) {
  return keywords[kind];
}

const char *annotation_text(const struct st_meta *meta, const struct st_annotation *a, char *out,
                            size_t cap) {
  static const char *const macros[ST_TARGETS] = {
      [ST_TARGET_FIELD] = "ST_FIELD",           [ST_TARGET_VARIABLE] = "ST_VAR",
      [ST_TARGET_STATIC] = "ST_STATIC",         [ST_TARGET_TYPE] = "ST_TYPE",
      [ST_TARGET_ENUMERATOR] = "ST_ENUMERATOR", [ST_TARGET_FUNCTION] = "ST_FUNCTION",
      [ST_TARGET_BLOCKS] = "ST_BLOCKS"};
  const char *scope = st_meta_string(meta, a->scope), *name = st_meta_string(meta, a->name);
  const char *argument = st_meta_string(meta, a->argument);
  snprintf(out, cap, "%s:%u: %s(%s%s%s, %s%s%s%s)", st_meta_string(meta, a->file), a->line,
           macros[a->target], scope, *scope && *name ? ", " : "", name, keywords[a->kind],
           *argument ? "(" : "", argument, *argument ? ")" : "");
  return out;
}

static int wrong(struct apply *ap, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int wrong(struct apply *ap, const char *format, ...) {
  char where[400], why[400];
  va_list args;
  va_start(args, format);
  vsnprintf(why, sizeof(why), format, args);
  va_end(args);
  snprintf(ap->error, ap->cap, "%s: %s", annotation_text(ap->meta, ap->at, where, sizeof(where)),
           why);
  return -EINVAL;
}

static int unknown(struct apply *ap, const char *what, const char *name, const char *near) {
  return *near ? wrong(ap, "there is no %s `%s`; the nearest name is `%s`", what, name, near)
               : wrong(ap, "there is no %s `%s`", what, name);
}

static bool same_string(const struct st_meta *m, uint32_t a, uint32_t b) {
  return a == b || strcmp(st_meta_string(m, a), st_meta_string(m, b)) == 0;
}

static bool same_words(const struct st_meta *m, const struct st_annotation *a,
                       const struct st_annotation *b) {
  return a->kind == b->kind && same_string(m, a->argument, b->argument) &&
         type_strip(m, a->operand) == type_strip(m, b->operand);
}

static int contradicts(struct apply *ap, const struct st_annotation *other) {
  char text[400];
  return wrong(ap, "contradicts %s", annotation_text(ap->meta, other, text, sizeof(text)));
}

/* ---- marks ---- */

const struct st_mark *annotation_mark(const struct st_meta *meta, uint32_t type) {
  return type < meta->mark_count ? meta->marks[type] : NULL;
}

static struct st_mark *add_mark(struct apply *ap, uint32_t type) {
  struct st_mark *m = st_meta_keep(ap->meta, sizeof(*m));
  if (!m) return NULL;
  *m = (struct st_mark){.kind = ap->at->kind, .by = ap->at};
  ap->marked[ap->count] = type;
  ap->marks[ap->count++] = m;
  return m;
}

static int keep_marks(struct apply *ap) {
  uint32_t count = btf__type_cnt(ap->meta->btf);
  ap->meta->marks = st_meta_keep(ap->meta, count * sizeof(*ap->meta->marks));
  if (!ap->meta->marks) return -ENOMEM;
  for (uint32_t i = 0; i < ap->count; i++)
    ap->meta->marks[ap->marked[i]] = ap->marks[i];
  ap->meta->mark_count = count;
  return 0;
}

/* ---- types in the place of others ---- */

void annotation_set_member(struct st_meta *meta, uint32_t composite, int member, uint32_t type) {
  struct btf_type *t = (struct btf_type *)btf__type_by_id(meta->btf, composite);
  btf_members(t)[member].type = type;
}

/* An array of another element type. */
static uint32_t array_of(struct st_meta *meta, uint32_t array, uint32_t element) {
  const struct btf_array *a = btf_array(type_of(meta, array));
  int id = btf__add_array(meta->btf, (int)a->index_type, (int)element, a->nelems);
  return id < 0 ? 0 : (uint32_t)id;
}

uint32_t annotation_pool(struct st_meta *meta, uint32_t type, uint32_t object) {
  const struct btf_type *t = type_of(meta, type);
  if (!btf_is_array(t) || !btf_is_int(type_of(meta, btf_array(t)->type))) return 0;
  uint32_t byte = btf_array(t)->type, index = btf_array(t)->index_type;
  size_t bytes = type_bytes(meta, type), size = type_bytes(meta, object);
  bool flexible = btf_array(t)->nelems == 0;
  if (size == 0 || type_bytes(meta, byte) == 0 || (!flexible && bytes < size)) return 0;
  int objects = btf__add_array(meta->btf, (int)index, (int)object, (uint32_t)(bytes / size));
  if (objects < 0) return 0;
  if (flexible) return (uint32_t)objects;
  /* A struct also where no bytes are left over: they may be in the other version. */
  size_t used = bytes / size * size, rest = (bytes - used) / type_bytes(meta, byte);
  int bytes_after = rest ? btf__add_array(meta->btf, (int)index, (int)byte, (uint32_t)rest) : 0;
  int id = btf__add_struct(meta->btf, "", (uint32_t)bytes);
  bool good =
      bytes_after >= 0 && id > 0 && btf__add_field(meta->btf, "objects", objects, 0, 0) == 0;
  if (good && rest)
    good = btf__add_field(meta->btf, "rest", bytes_after, (uint32_t)(used * 8), 0) == 0;
  return good ? (uint32_t)id : 0;
}

static uint32_t retype(struct apply *ap, uint32_t id);

static int marked(struct apply *ap, int id) {
  return id < 0 || !add_mark(ap, (uint32_t)id) ? 0 : id;
}

static int retype_pointer(struct apply *ap, uint32_t id, bool tagged) {
  struct st_meta *m = ap->meta;
  const struct btf_type *t = type_of(m, id);
  uint32_t target = btf_is_ptr(t) ? t->type : ap->at->operand;
  if (btf_is_ptr(t) && !tagged) return wrong(ap, "it is a pointer already"), 0;
  if (!type_holds_pointer(t)) return wrong(ap, "it is no integer that can hold a pointer"), 0;
  int new = marked(ap, btf__add_ptr(m->btf, (int)target));
  if (!new || !tagged) return new;
  const char *mask = st_meta_string(m, ap->at->argument);
  char *end;
  uint64_t value = strtoull(mask, &end, 0);
  end += strspn(end, "uUlL");
  int64_t constant;
  if (*end && annotation_enumerator(m, 0, mask, &constant))
    value = (uint64_t)constant;
  else if (*end || !*mask)
    return wrong(ap, "the mask is no number or enumerator"), 0;
  ((struct st_mark *)ap->marks[ap->count - 1])->mask = value;
  if (value == 0 || ~value == 0) return wrong(ap, "the mask leaves no tag or no address"), 0;
  return new;
}

static int retype_union(struct apply *ap, uint32_t id) {
  struct st_meta *m = ap->meta;
  id = type_strip(m, id);
  unsigned count = type_members(type_of(m, id));
  uint32_t bytes = (uint32_t)type_bytes(m, id);
  int new = btf__add_union(m->btf, "", bytes);
  for (unsigned i = 0; new > 0 && i < count; i++) {
    struct type_member member = type_member(m, type_of(m, id), i);
    char name[256];
    snprintf(name, sizeof(name), "%s", member.name);
    if (btf__add_field(m->btf, name, (int)member.type, member.bit, (uint8_t)member.bits) < 0)
      return 0;
  }
  return marked(ap, new);
}

/* A type like another one, but as it is annotated. 0 after an error. */
static uint32_t retype(struct apply *ap, uint32_t id) {
  struct st_meta *m = ap->meta;
  const struct btf_type *t = type_of(m, id);
  enum st_annotation_kind kind = ap->at->kind;
  bool flexible = btf_is_array(t) && btf_array(t)->nelems == 0;
  if (flexible && kind == ST_ANNOTATE_DONT_TRANSFER)
    return wrong(ap, "`dont_transfer` cannot be said of a flexible array"), 0;
  bool of_elements = kind == ST_ANNOTATE_POINTER_TO || kind == ST_ANNOTATE_NOT_POINTER ||
                     kind == ST_ANNOTATE_TAGGED_POINTER || (flexible && kind == ST_ANNOTATE_OPAQUE);
  if (btf_is_array(t) && of_elements) {
    uint32_t element = retype(ap, btf_array(t)->type);
    return element ? array_of(m, id, element) : 0;
  }
  uint32_t new;
  switch (kind) {
  case ST_ANNOTATE_OPAQUE:
  case ST_ANNOTATE_DONT_TRANSFER:
    return (uint32_t)marked(ap, btf__add_struct(m->btf, "", (uint32_t)type_bytes(m, id)));
  case ST_ANNOTATE_POINTER_TO:
  case ST_ANNOTATE_TAGGED_POINTER:
    return (uint32_t)retype_pointer(ap, id, kind == ST_ANNOTATE_TAGGED_POINTER);
  case ST_ANNOTATE_NOT_POINTER:
    if (!type_holds_pointer(t)) {
      wrong(ap, "it is no pointer, and no integer that can hold one");
      return 0;
    }
    return (uint32_t)marked(ap,
                            btf__add_int(m->btf, btf_is_ptr(t) ? "unsigned long" : type_name(m, t),
                                         sizeof(void *), type_is_signed(t) ? BTF_INT_SIGNED : 0));
  case ST_ANNOTATE_POOL_OF:
    new = annotation_pool(m, id, ap->at->operand);
    if (!new) wrong(ap, "it is no array of integers that can hold such an object");
    return new;
  case ST_ANNOTATE_LIVE_BY:
    if (!btf_is_union(t)) {
      wrong(ap, "it is no union");
      return 0;
    }
    return (uint32_t)retype_union(ap, id);
  default:
    wrong(ap, "`%s` cannot be said of it", keywords[kind]);
    return 0;
  }
}

/* ---- members ---- */

int annotation_member(const struct st_meta *meta, uint32_t *in, const char *name, bool of_union) {
  uint32_t composite = type_strip(meta, *in);
  const struct btf_type *t = type_of(meta, composite);
  for (unsigned i = 0; i < type_members(t); i++) {
    struct type_member m = type_member(meta, t, i);
    uint32_t inner = m.type;
    *in = composite;
    if (*m.name) {
      if (strcmp(m.name, name) == 0) return (int)i;
      continue;
    }
    int k = annotation_member(meta, &inner, name, of_union);
    if (k < 0) continue;
    /* The union is what is meant, unless the member is itself one. */
    const struct btf_type *found = type_of(meta, inner);
    if (of_union && btf_is_union(found) && inner == type_strip(meta, m.type) &&
        !btf_is_union(type_of(meta, type_member(meta, found, (unsigned)k).type)))
      return (int)i;
    *in = inner;
    return k;
  }
  *in = composite;
  return -1;
}

static int apply_field(struct apply *ap) {
  struct st_meta *m = ap->meta;
  const struct st_annotation *a = ap->at;
  const char *name = st_meta_string(m, a->name);
  bool live = a->kind == ST_ANNOTATE_LIVE_BY;
  uint32_t in = a->type;
  int i = annotation_member(m, &in, name, live);
  if (i < 0) return unknown(ap, "member", name, names_near_member(m, a->type, name));
  if (a->kind == ST_ANNOTATE_RENAMED_FROM) return 0;
  struct type_member member = type_member(m, type_of(m, in), (unsigned)i);
  if (member.bits) return wrong(ap, "`%s` cannot be said of a bit-field", keywords[a->kind]);
  uint32_t new = retype(ap, member.type);
  if (!new) return -EINVAL;
  if (live) {
    char why[300];
    struct st_mark *mark = (struct st_mark *)ap->marks[ap->count - 1];
    /* Members of anonymous structs are the outermost one's. */
    int err = annotation_parse_live(m, mark, a->type, new, why, sizeof(why));
    if (err) return wrong(ap, "%s", why);
  }
  annotation_set_member(m, in, i, new);
  return 0;
}

/* ---- variables ---- */

bool annotation_is_of(const struct st_meta *m, const struct st_annotation *a,
                      const struct st_variable *v) {
  if ((a->target != ST_TARGET_VARIABLE && a->target != ST_TARGET_STATIC) ||
      strcmp(st_meta_string(m, v->name), st_meta_string(m, a->name)) != 0)
    return false;
  const char *function = a->target == ST_TARGET_STATIC ? st_meta_string(m, a->scope) : "";
  if (strcmp(st_meta_string(m, v->function), function) != 0) return false;
  return !(v->flags & ST_VAR_STATIC) || v->file == a->unit ||
         strcmp(st_meta_string(m, v->file), st_meta_string(m, a->unit)) == 0;
}

static int apply_variable(struct apply *ap) {
  struct st_meta *m = ap->meta;
  bool found = false;
  for (uint32_t i = 0; i < m->header->variables.count; i++) {
    struct st_variable *v = (struct st_variable *)&m->variables[i];
    if (!annotation_is_of(m, ap->at, v)) continue;
    found = true;
    if (ap->at->kind == ST_ANNOTATE_RENAMED_FROM) continue;
    if (ap->said[i] && same_words(m, ap->said[i], ap->at)) continue;
    if (ap->said[i]) return contradicts(ap, ap->said[i]);
    ap->said[i] = ap->at;
    if (ap->at->kind == ST_ANNOTATE_HANDLED_BY) continue;
    if (ap->at->kind == ST_ANNOTATE_LIVE_BY)
      return wrong(ap, "`live_by` is said of a member, whose sibling decides");
    /* What the compiler split has no type; nothing but this can be said of it. */
    uint32_t new =
        v->type || ap->at->kind != ST_ANNOTATE_DONT_TRANSFER ? retype(ap, v->type) : v->type;
    if (!new && v->type) return -EINVAL;
    v->type = new;
    if (ap->at->kind == ST_ANNOTATE_DONT_TRANSFER) v->flags &= ~(uint32_t)ST_VAR_REFUSED;
  }
  const char *name = st_meta_string(m, ap->at->name);
  return found ? 0 : unknown(ap, "variable", name, names_near_variable(m, name));
}

/* ---- types, enumerators, functions, blocks ---- */

static int apply_type(struct apply *ap) {
  struct st_meta *m = ap->meta;
  uint32_t id = ap->at->type;
  struct btf_type *t = (struct btf_type *)btf__type_by_id(m->btf, id);
  struct st_mark *mark;
  switch ((enum st_annotation_kind)ap->at->kind) {
  case ST_ANNOTATE_RENAMED_FROM:
    return 0;
  case ST_ANNOTATE_POINTER_TO:
  case ST_ANNOTATE_NOT_POINTER:
  case ST_ANNOTATE_TAGGED_POINTER: {
    if (!btf_is_typedef(t)) return wrong(ap, "it is no typedef");
    uint32_t new = retype(ap, t->type);
    if (!new) return -EINVAL;
    ((struct btf_type *)btf__type_by_id(m->btf, id))->type = new;
    return 0;
  }
  case ST_ANNOTATE_HANDLED_BY:
    return btf_is_struct(type_of(m, id)) ? 0 : wrong(ap, "it is no struct");
  case ST_ANNOTATE_OPAQUE:
  case ST_ANNOTATE_DONT_TRANSFER:
  case ST_ANNOTATE_LIVE_BY:
    id = type_strip(m, id);
    if (!btf_is_composite(type_of(m, id))) return wrong(ap, "it is no struct or union");
    mark = add_mark(ap, id);
    if (!mark) return -ENOMEM;
    if (mark->kind == ST_ANNOTATE_LIVE_BY) {
      char why[300];
      mark->inside = true;
      if (!btf_is_union(type_of(m, id))) return wrong(ap, "it is no union");
      int err = annotation_parse_live(m, mark, id, id, why, sizeof(why));
      if (err) return wrong(ap, "%s", why);
    }
    return 0;
  default:
    return wrong(ap, "`%s` cannot be said of a type", keywords[ap->at->kind]);
  }
}

static int apply_enumerator(struct apply *ap) {
  const char *name = st_meta_string(ap->meta, ap->at->name);
  int64_t value;
  bool is_wide;
  if (ap->at->kind != ST_ANNOTATE_RENAMED_FROM)
    return wrong(ap, "`%s` cannot be said of an enumerator", keywords[ap->at->kind]);
  return names_enumerator(ap->meta, name, &value, &is_wide) != NAMES_NONE
             ? 0
             : unknown(ap, "enumerator", name, names_near_variable(ap->meta, name));
}

/* The compiler knows the name; where all calls were inlined there is no function, and no pointer.
 */
static int apply_function(struct apply *ap) {
  if (ap->at->kind == ST_ANNOTATE_RENAMED_FROM) return 0;
  return wrong(ap, "`%s` cannot be said of a function", keywords[ap->at->kind]);
}

static int apply_blocks(struct apply *ap) {
  struct st_meta *m = ap->meta;
  const char *name = st_meta_string(m, ap->at->name);
  bool found = false;
  bool pool = ap->at->kind == ST_ANNOTATE_POOL_OF;
  if (!pool && ap->at->kind != ST_ANNOTATE_OPAQUE)
    return wrong(ap, "`%s` cannot be said of blocks", keywords[ap->at->kind]);
  for (uint32_t i = 0; i < m->header->sites.count; i++) {
    struct st_site *s = (struct st_site *)&m->sites[i];
    const struct btf_type *t = type_of(m, s->type);
    if (strcmp(st_meta_string(m, s->function), name) != 0) continue;
    bool bytes = s->type != 0 && btf_is_int(t) && t->size == 1;
    if (bytes || (pool && (s->type == 0 || s->type == ap->at->operand))) found = true;
    if (pool && (bytes || s->type == 0)) s->type = ap->at->operand;
  }
  return found ? 0
               : wrong(ap, "the function allocates no block of bytes%s",
                       pool ? " or without a type" : "");
}

/* ---- all ---- */

static int apply_one(struct apply *ap) {
  switch ((enum st_annotation_target)ap->at->target) {
  case ST_TARGET_FIELD:
    return apply_field(ap);
  case ST_TARGET_VARIABLE:
  case ST_TARGET_STATIC:
    return apply_variable(ap);
  case ST_TARGET_TYPE:
    return apply_type(ap);
  case ST_TARGET_ENUMERATOR:
    return apply_enumerator(ap);
  case ST_TARGET_FUNCTION:
    return apply_function(ap);
  case ST_TARGET_BLOCKS:
    return apply_blocks(ap);
  default:
    return wrong(ap, "of an unknown kind");
  }
}

/* Do two annotations speak of the same thing? */
static bool same_subject(const struct st_meta *m, const struct st_annotation *a,
                         const struct st_annotation *b) {
  if (a->kind == ST_ANNOTATE_HANDLED_BY || b->kind == ST_ANNOTATE_HANDLED_BY)
    if (a->kind != b->kind) return false; /* what remains may be annotated, too */
  if (a->target != b->target || type_strip(m, a->type) != type_strip(m, b->type)) return false;
  if (!same_string(m, a->name, b->name)) return false;
  return a->type || (same_string(m, a->scope, b->scope) &&
                     (a->target == ST_TARGET_ENUMERATOR || same_string(m, a->unit, b->unit)));
}

/* Compares the present one with those before it: 1 when it was said before. Variables compare what
 * they are themselves. */
static int compare(struct apply *ap) {
  struct st_meta *m = ap->meta;
  const struct st_annotation *a = ap->at;
  bool rename = a->kind == ST_ANNOTATE_RENAMED_FROM, typed = a->type != 0;
  for (const struct st_annotation *b = m->annotations; b < a; b++) {
    bool same = same_subject(m, a, b), words = same_words(m, a, b);
    if (same && words) return 1;
    bool two_names = rename && words && a->target == b->target &&
                     type_strip(m, a->type) == type_strip(m, b->type) &&
                     same_string(m, a->unit, b->unit) &&
                     (!typed || same_string(m, a->scope, b->scope));
    bool two_kinds = same && typed && !rename && b->kind != ST_ANNOTATE_RENAMED_FROM;
    if (two_names || two_kinds) return contradicts(ap, b);
  }
  return 0;
}

static bool is_fact(enum st_annotation_kind kind) {
  return kind != ST_ANNOTATE_OPAQUE && kind != ST_ANNOTATE_DONT_TRANSFER &&
         kind != ST_ANNOTATE_HANDLED_BY;
}

static int apply_all(struct st_meta *meta, bool facts, char *error, size_t cap) {
  uint32_t count = meta->header->annotations.count;
  struct apply ap = {.meta = meta, .error = error, .cap = cap};
  int err = 0;
  if (count == 0) return 0;
  snprintf(error, cap, "out of memory");
  ap.marked = calloc(count, sizeof(*ap.marked));
  ap.marks = calloc(count, sizeof(*ap.marks));
  ap.said = calloc(meta->header->variables.count + 1, sizeof(*ap.said));
  if (!ap.marked || !ap.marks || !ap.said) err = -ENOMEM;
  for (uint32_t i = 0; !err && i < count; i++) {
    ap.at = &meta->annotations[i];
    if (facts && !is_fact(ap.at->kind)) continue;
    int said = compare(&ap);
    err = said < 0 ? said : said > 0 ? 0 : apply_one(&ap);
  }
  if (!err) err = keep_marks(&ap);
  free(ap.marked);
  free(ap.marks);
  free(ap.said);
  return err;
}

int annotations_apply(struct st_meta *meta, char *error, size_t cap) {
  return apply_all(meta, false, error, cap);
}

int annotations_apply_facts(struct st_meta *meta, char *error, size_t cap) {
  return apply_all(meta, true, error, cap);
}
