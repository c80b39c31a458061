#include "bus/manifest_diff.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- fields ---- */

enum field_kind {
  FIELD_TEXT,
  FIELD_NUMBER,
  FIELD_BYTES,
  FIELD_FLAG,
  FIELD_KEY, /* of a signature */
  FIELD_TEXTS,
  FIELD_CALLS,
};

struct field {
  const char *key;
  enum field_kind kind;
  size_t at;    /* in its structure */
  size_t count; /* of a list: where its length is */
  enum manifest_effect effect;
};

#define FIELD(key, kind, type, member, effect)                                                     \
  { key, kind, offsetof(struct type, member), 0, effect }
#define LIST(key, kind, type, member, effect)                                                      \
  { key, kind, offsetof(struct type, member), offsetof(struct type, member##_count), effect }

static const struct field manifest_fields[] = {
    FIELD("cpu", FIELD_TEXT, manifest, cpu, EFFECT_NEVER),
    FIELD("root", FIELD_TEXT, manifest, root, EFFECT_NOW),
    FIELD("sandbox", FIELD_NUMBER, manifest, sandbox, EFFECT_NEVER),
    FIELD("updates: require-signature", FIELD_KEY, manifest, updates.key, EFFECT_NEVER),
    FIELD("timeouts_ms: start", FIELD_NUMBER, manifest, timeouts.start, EFFECT_NOW),
    FIELD("timeouts_ms: stop", FIELD_NUMBER, manifest, timeouts.stop, EFFECT_NOW),
    FIELD("timeouts_ms: load", FIELD_NUMBER, manifest, timeouts.load, EFFECT_NOW),
    FIELD("timeouts_ms: converge", FIELD_NUMBER, manifest, timeouts.converge, EFFECT_NOW),
    FIELD("timeouts_ms: transfer", FIELD_NUMBER, manifest, timeouts.transfer, EFFECT_NOW),
    FIELD("timeouts_ms: maxtime", FIELD_NUMBER, manifest, timeouts.maxtime, EFFECT_NOW),
    FIELD("programs: by", FIELD_TEXT, manifest, programs.by, EFFECT_NEVER),
    FIELD("programs: at-most", FIELD_NUMBER, manifest, programs.at_most, EFFECT_NEVER),
    LIST("programs: calls", FIELD_CALLS, manifest, programs.calls, EFFECT_NEVER),
    {0},
};

static const struct field component_fields[] = {
    FIELD("file", FIELD_TEXT, manifest_component, executable, EFFECT_NEXT_START),
    LIST("args", FIELD_TEXTS, manifest_component, args, EFFECT_NEXT_VERSION),
    LIST("calls", FIELD_CALLS, manifest_component, calls, EFFECT_NOW),
    LIST("sends", FIELD_TEXTS, manifest_component, sends, EFFECT_NOW),
    FIELD("kernel", FIELD_NUMBER, manifest_component, kernel, EFFECT_NEVER),
    FIELD("cpu", FIELD_TEXT, manifest_component, cpu, EFFECT_NEXT_VERSION),
    FIELD("restart", FIELD_NUMBER, manifest_component, restart, EFFECT_NOW),
    FIELD("recover", FIELD_NUMBER, manifest_component, recover, EFFECT_NEXT_VERSION),
    FIELD("heartbeat_ms", FIELD_NUMBER, manifest_component, heartbeat_ms, EFFECT_NOW),
    FIELD("calls_max", FIELD_NUMBER, manifest_component, calls_max, EFFECT_NEXT_START),
    LIST("syscalls", FIELD_TEXTS, manifest_component, syscalls, EFFECT_NEXT_VERSION),
    FIELD("trace-syscalls", FIELD_FLAG, manifest_component, trace_syscalls, EFFECT_NEXT_VERSION),
    {0},
};

static const struct field region_fields[] = {
    FIELD("bytes", FIELD_BYTES, manifest_region, bytes, EFFECT_IF_UNUSED),
    LIST("share", FIELD_TEXTS, manifest_region, share, EFFECT_IF_LEFT),
    {0},
};

static const struct field wire_fields[] = {
    FIELD("kind", FIELD_NUMBER, manifest_wire, kind, EFFECT_NEVER),
    FIELD("to", FIELD_TEXT, manifest_wire, to, EFFECT_NEVER),
    FIELD("forward", FIELD_TEXT, manifest_wire, forward, EFFECT_NEVER),
    FIELD("device", FIELD_TEXT, manifest_wire, device, EFFECT_NEVER),
    FIELD("path", FIELD_TEXT, manifest_wire, path, EFFECT_NEVER),
    FIELD("keyboard", FIELD_TEXT, manifest_wire, keyboard, EFFECT_NEVER),
    FIELD("open", FIELD_FLAG, manifest_wire, open, EFFECT_NEVER),
    FIELD("listen", FIELD_FLAG, manifest_wire, listen, EFFECT_NEVER),
    {0},
};

/* Lists of the manifest; each entry begins with its name. */
static const struct list {
  const char *what;
  size_t at, count, entry_bytes;
  const struct field *fields;
  enum manifest_effect added, removed;
} lists[] = {
    {"component", offsetof(struct manifest, components),
     offsetof(struct manifest, components_count), sizeof(struct manifest_component),
     component_fields, EFFECT_NOW, EFFECT_NOW},
    {"region", offsetof(struct manifest, regions), offsetof(struct manifest, regions_count),
     sizeof(struct manifest_region), region_fields, EFFECT_NOW, EFFECT_IF_UNUSED},
    {"wire", offsetof(struct manifest, wires), offsetof(struct manifest, wires_count),
     sizeof(struct manifest_wire), wire_fields, EFFECT_NEVER, EFFECT_NEVER},
};

_Static_assert(offsetof(struct manifest_component, name) == 0, "its name comes first");
_Static_assert(offsetof(struct manifest_region, name) == 0, "its name comes first");
_Static_assert(offsetof(struct manifest_wire, name) == 0, "its name comes first");

/* ---- values ---- */

static const void *at(const void *structure, size_t offset) {
  return (const char *)structure + offset;
}

static unsigned count_at(const void *structure, size_t offset) {
  return *(const unsigned *)at(structure, offset);
}

static bool same_text(const char *a, const char *b) {
  return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_texts(char *const *a, char *const *b, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    if (strcmp(a[i], b[i]) != 0) return false;
  return true;
}

static bool same_calls(const struct manifest_call *a, const struct manifest_call *b, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    if (strcmp(a[i].to, b[i].to) != 0 || a[i].deadline_ms != b[i].deadline_ms) return false;
  return true;
}

static bool same(const struct field *f, const void *a, const void *b) {
  const void *x = at(a, f->at), *y = at(b, f->at);
  bool is_list = f->kind == FIELD_TEXTS || f->kind == FIELD_CALLS;
  if (is_list && count_at(a, f->count) != count_at(b, f->count)) return false;
  switch (f->kind) {
  case FIELD_TEXT:
    return same_text(*(char *const *)x, *(char *const *)y);
  case FIELD_NUMBER:
    return *(const uint32_t *)x == *(const uint32_t *)y;
  case FIELD_BYTES:
    return *(const uint64_t *)x == *(const uint64_t *)y;
  case FIELD_FLAG:
    return *(const bool *)x == *(const bool *)y;
  case FIELD_KEY:
    return memcmp(x, y, sizeof(((const struct manifest_updates *)0)->key)) == 0;
  case FIELD_TEXTS:
    return same_texts(*(char *const *const *)x, *(char *const *const *)y, count_at(a, f->count));
  case FIELD_CALLS:
    return same_calls(*(const struct manifest_call *const *)x,
                      *(const struct manifest_call *const *)y, count_at(a, f->count));
  }
  return false;
}

/* ---- comparison ---- */

struct comparison {
  manifest_change_fn *fn;
  void *arg;
};

static void compare_fields(const struct comparison *c, const struct field *fields,
                           struct manifest_change change) {
  for (const struct field *f = fields; f->key; f++) {
    if (same(f, change.running, change.wanted)) continue;
    change.kind = CHANGE_CHANGED;
    change.key = f->key;
    change.effect = f->effect;
    c->fn(c->arg, &change);
  }
}

static const void *entry(const struct list *l, const struct manifest *m, unsigned i) {
  return at(*(const void *const *)at(m, l->at), i * l->entry_bytes);
}

static const char *name_of(const void *entry) {
  return *(char *const *)entry;
}

/* No component that the file has: a removed one, or a place for programs. */
static bool is_hidden(const struct list *l, const void *entry) {
  const struct manifest_component *c = entry;
  return l->fields == component_fields && (c->removed || c->program);
}

static const void *find(const struct list *l, const struct manifest *m, const char *name) {
  for (unsigned i = 0; i < count_at(m, l->count); i++) {
    const void *e = entry(l, m, i);
    if (!is_hidden(l, e) && strcmp(name_of(e), name) == 0) return e;
  }
  return NULL;
}

static void compare_list(const struct comparison *c, const struct list *l,
                         const struct manifest *running, const struct manifest *wanted) {
  for (unsigned i = 0; i < count_at(running, l->count); i++) {
    struct manifest_change change = {CHANGE_REMOVED,       l->what, "", "", l->removed,
                                     entry(l, running, i), NULL};
    change.name = name_of(change.running);
    if (is_hidden(l, change.running)) continue;
    change.wanted = find(l, wanted, change.name);
    if (change.wanted)
      compare_fields(c, l->fields, change);
    else
      c->fn(c->arg, &change);
  }
  for (unsigned i = 0; i < count_at(wanted, l->count); i++) {
    struct manifest_change change = {CHANGE_ADDED,       l->what, "", "", l->added, NULL,
                                     entry(l, wanted, i)};
    change.name = name_of(change.wanted);
    if (!is_hidden(l, change.wanted) && !find(l, running, change.name)) c->fn(c->arg, &change);
  }
}

void manifest_compare(const struct manifest *running, const struct manifest *wanted,
                      manifest_change_fn *fn, void *arg) {
  const struct comparison c = {fn, arg};
  compare_fields(&c, manifest_fields,
                 (struct manifest_change){CHANGE_CHANGED, "", "", "", EFFECT_NOW, running, wanted});
  for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
    compare_list(&c, &lists[i], running, wanted);
}

/* ---- numbers ---- */

static struct manifest_component tombstone(const struct manifest_component *gone) {
  return (struct manifest_component){
      .name = strdup(gone->name), .file = strdup(gone->file), .removed = true};
}

static struct manifest_component *find_component(const struct manifest *m, const char *name) {
  for (unsigned i = 0; i < m->components_count; i++)
    if (strcmp(m->components[i].name, name) == 0) return &m->components[i];
  return NULL;
}

bool manifest_renumber(struct manifest *wanted, const struct manifest *running) {
  unsigned n = running->components_count;
  for (unsigned i = 0; i < wanted->components_count; i++)
    n += !find_component(running, wanted->components[i].name);
  struct manifest_component *ordered = calloc(n, sizeof(*ordered));
  if (n > MANIFEST_COMPONENTS_MAX || !ordered) {
    free(ordered);
    return false;
  }
  n = 0;
  for (unsigned i = 0; i < running->components_count; i++) {
    const struct manifest_component *c = find_component(wanted, running->components[i].name);
    ordered[n++] = c ? *c : tombstone(&running->components[i]);
  }
  for (unsigned i = 0; i < wanted->components_count; i++)
    if (!find_component(running, wanted->components[i].name)) ordered[n++] = wanted->components[i];
  free(wanted->components);
  wanted->components = ordered;
  wanted->components_count = n;
  return true;
}
