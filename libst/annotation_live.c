/* The argument of live_by: "kind, KIND_INT = number, KIND_TEXT = text, default = nothing". */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libst/annotation.h"
#include "libst/filter_names.h"
#include "libst/type.h"

struct parse {
  struct st_meta *meta;
  struct st_mark *mark;
  uint32_t discriminator, united; /* types */
  char *error;
  size_t cap;
};

static int wrong(struct parse *p, const char *what, const char *name, const char *near) {
  if (*near)
    snprintf(p->error, p->cap, "%s `%s`; the nearest name is `%s`", what, name, near);
  else
    snprintf(p->error, p->cap, "%s `%s`", what, name);
  return -EINVAL;
}

bool annotation_enumerator(const struct st_meta *meta, uint32_t discriminator, const char *name,
                           int64_t *value) {
  const struct btf_type *t = type_of(meta, discriminator);
  bool is_wide;
  if (!btf_is_any_enum(t)) return names_enumerator(meta, name, value, &is_wide) == NAMES_FOUND;
  for (unsigned i = 0; i < btf_vlen(t); i++)
    if (strcmp(type_enumerator(meta, t, i, value), name) == 0) return true;
  return false;
}

bool annotation_path(const struct st_meta *meta, uint32_t composite, const char *path,
                     uint32_t *bit_offset, uint32_t *type, uint32_t *bits) {
  char part[128];
  *bit_offset = 0;
  *type = composite;
  do {
    uint32_t offset;
    size_t length = strcspn(path, ".");
    if (length >= sizeof(part)) return false;
    memcpy(part, path, length);
    part[length] = 0;
    if (!names_member(meta, *type, part, &offset, type, bits)) return false;
    *bit_offset += offset;
    path += length;
  } while (*path++ == '.');
  return true;
}

static char *trim(char *text) {
  while (isspace((unsigned char)*text))
    text++;
  for (char *end = text + strlen(text); end > text && isspace((unsigned char)end[-1]);)
    *--end = 0;
  return text;
}

static int parse_value(struct parse *p, char *text, struct live_case *c) {
  char *end;
  c->enumerator = "";
  if (isalpha((unsigned char)*text) || *text == '_') {
    c->enumerator = text;
    if (annotation_enumerator(p->meta, p->discriminator, text, &c->value)) return 0;
    const char *near = names_near_enumerator(p->meta, p->discriminator, text);
    return wrong(p, "no enumerator", text, *near ? near : names_near_variable(p->meta, text));
  }
  if (*text == '\'' && text[1] && text[1] != '\\' && text[2] == '\'' && !text[3]) {
    c->value = text[1];
    return 0;
  }
  errno = 0;
  c->value = *text == '-' ? strtoll(text, &end, 0) : (int64_t)strtoull(text, &end, 0);
  end += strspn(end, "uUlL");
  return *text && !*end && !errno ? 0 : wrong(p, "no number or enumerator:", text, "");
}

static bool is_repeated(const struct st_mark *m, const struct live_case *c) {
  for (unsigned i = 0; i < m->case_count; i++)
    if (m->cases[i].value == c->value) return true;
  return false;
}

static int parse_case(struct parse *p, char *text) {
  struct st_mark *m = p->mark;
  char *equals = strchr(text, '=');
  if (!equals) return wrong(p, "no `VALUE = MEMBER`:", trim(text), "");
  *equals = 0;
  char *value = trim(text), *member = trim(equals + 1);
  struct live_case c = {.member = strcmp(member, "nothing") == 0 ? NULL : member};
  if (c.member && type_member_named(p->meta, type_of(p->meta, p->united), member) < 0)
    return wrong(p, "the union has no member", member,
                 names_near_member(p->meta, p->united, member));
  if (strcmp(value, "default") == 0) {
    if (m->has_default) return wrong(p, "contradiction: twice", value, "");
    m->has_default = true;
    m->otherwise = c;
    return 0;
  }
  int err = parse_value(p, value, &c);
  if (err) return err;
  if (is_repeated(m, &c)) return wrong(p, "contradiction: two members for", value, "");
  m->cases[m->case_count++] = c;
  return 0;
}

int annotation_parse_live(struct st_meta *meta, struct st_mark *mark, uint32_t base,
                          uint32_t united, char *error, size_t cap) {
  struct parse p = {.meta = meta, .mark = mark, .united = united, .error = error, .cap = cap};
  const char *argument = st_meta_string(meta, mark->by->argument);
  size_t commas = 0;
  for (const char *c = argument; *c; c++)
    commas += *c == ',';
  char *text = st_meta_keep(meta, strlen(argument) + 1);
  mark->cases = st_meta_keep(meta, (commas + 1) * sizeof(*mark->cases));
  if (!text || !mark->cases) return -ENOMEM;
  strcpy(text, argument);
  uint32_t at, bits;
  char *rest = text, *first = trim(strsep(&rest, ","));
  mark->discriminator = first;
  if (!annotation_path(meta, base, first, &at, &p.discriminator, &bits))
    return wrong(&p, "no member", first, names_near_member(meta, base, first));
  unsigned kind = btf_kind(type_of(meta, p.discriminator));
  if (kind != BTF_KIND_INT && kind != BTF_KIND_ENUM && kind != BTF_KIND_ENUM64)
    return wrong(&p, "no integer or enumeration:", first, "");
  int err = rest ? 0 : wrong(&p, "no `VALUE = MEMBER` after", first, "");
  while (!err && rest)
    err = parse_case(&p, strsep(&rest, ","));
  return err;
}
