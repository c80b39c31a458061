#include "annotations.h"
#include "die.h"
#include "libst/annotate.h"
#include "libst/annotation.h"

#include <dwarf.h>
#include <stdbool.h>
#include <string.h>

/* As libst/annotate.h writes a record. */
enum { TARGET, SCOPE, NAME, WHAT, ARGUMENT, UNIT, SOURCE, LINE, STRINGS };

static const char *const targets[ST_TARGETS] = {
    [ST_TARGET_FIELD] = "field",           [ST_TARGET_VARIABLE] = "variable",
    [ST_TARGET_STATIC] = "static",         [ST_TARGET_TYPE] = "type",
    [ST_TARGET_ENUMERATOR] = "enumerator", [ST_TARGET_FUNCTION] = "function",
    [ST_TARGET_BLOCKS] = "blocks",
};

static uint32_t target_of(const char *word) {
  for (uint32_t i = 1; i < ST_TARGETS; i++)
    if (strcmp(targets[i], word) == 0) return i;
  fail("annotations: there is no target '%s': built with another version of libst/annotate.h",
       word);
}

static uint32_t kind_of(const char *word) {
  for (uint32_t i = 1; i < ST_ANNOTATE_KINDS; i++)
    if (strcmp(annotation_keyword(i), word) == 0) return i;
  fail("annotations: there is no kind '%s': built with another version of libst/annotate.h", word);
}

/* ---- types by the words of the source ---- */

struct wanted {
  int tag;
  const char *name;
  Dwarf_Die found;
};

/* "struct conn", "conn_t": what to look for. */
static struct wanted wanted_of(const char *text) {
  static const struct {
    const char *word;
    int tag;
  } kinds[] = {{"struct ", DW_TAG_structure_type},
               {"union ", DW_TAG_union_type},
               {"enum ", DW_TAG_enumeration_type}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (strncmp(text, kinds[i].word, strlen(kinds[i].word)) == 0)
      return (struct wanted){.tag = kinds[i].tag, .name = text + strlen(kinds[i].word)};
  return (struct wanted){.tag = DW_TAG_typedef, .name = text};
}

static bool is_wanted(struct wanted *w, Dwarf_Die *die) {
  int tag = dwarf_tag(die);
  if (tag != w->tag && !(w->tag == DW_TAG_typedef && tag == DW_TAG_base_type)) return false;
  return !die_flag(die, DW_AT_declaration) && strcmp(die_name(die), w->name) == 0;
}

static bool find_in(struct wanted *w, Dwarf_Die *parent) {
  Dwarf_Die child;
  for (int r = dwarf_child(parent, &child); r == 0; r = dwarf_siblingof(&child, &child)) {
    if (is_wanted(w, &child)) {
      w->found = child;
      return true;
    }
    if (dwarf_haschildren(&child) > 0 && find_in(w, &child)) return true;
  }
  return false;
}

/* Calls `found` for the type in its own unit or, where that does not have it, in each that has. */
static void each_type(const struct exe *exe, const char *text, const char *unit,
                      void (*found)(Dwarf_Die *, void *), void *data) {
  struct wanted w = wanted_of(text);
  for (int own = 1; own >= 0; own--) {
    Dwarf_CU *cu = NULL;
    Dwarf_Die die;
    bool any = false;
    while (dwarf_get_units(exe->dwarf, cu, &cu, NULL, NULL, &die, NULL) == 0) {
      if ((strcmp(die_name(&die), unit) == 0) != own || !find_in(&w, &die)) continue;
      found(&w.found, data);
      any = true;
    }
    if (any) return;
  }
}

struct reader {
  const struct exe *exe;
  struct types *types;
  struct annotations *out;
  struct annotation record;
  bool any;
};

static void add(struct reader *r) {
  *array_add(&r->out->items) = r->record;
}

static void add_for_type(Dwarf_Die *type, void *data) {
  struct reader *r = data;
  r->record.type = types_refer(r->types, type);
  add(r);
}

static void take_operand(Dwarf_Die *type, void *data) {
  struct reader *r = data;
  r->record.operand = types_refer(r->types, type);
  r->any = true;
}

static void read_record(struct reader *r, const char *const strings[STRINGS]) {
  r->record = (struct annotation){.target = target_of(strings[TARGET]),
                                  .kind = kind_of(strings[WHAT]),
                                  .scope = strings[SCOPE],
                                  .name = strings[NAME],
                                  .argument = strings[ARGUMENT],
                                  .unit = strings[UNIT],
                                  .file = strings[SOURCE],
                                  .line = (unsigned)strtoul(strings[LINE], NULL, 10)};
  const struct annotation *a = &r->record;
  r->any = false;
  if (a->kind == ST_ANNOTATE_POOL_OF ||
      (a->kind == ST_ANNOTATE_POINTER_TO && strcmp(a->argument, "void") != 0)) {
    each_type(r->exe, a->argument, a->unit, take_operand, r);
    if (!r->any)
      fail("%s:%u: %s(%s): the debug information has no such type", a->file, a->line, strings[WHAT],
           a->argument);
  }
  if (a->target != ST_TARGET_FIELD && a->target != ST_TARGET_TYPE)
    add(r);
  else /* A type that no unit describes is one that nothing has: nothing is to be said of it. */
    each_type(r->exe, a->scope, a->unit, add_for_type, r);
}

struct annotations *annotations_read(const struct exe *exe, struct types *types) {
  struct annotations *out = calloc(1, sizeof *out);
  if (!out) fail("out of memory");
  struct reader r = {.exe = exe, .types = types, .out = out};
  size_t bytes;
  const char *at = exe_section(exe, ST_ANNOTATION_SECTION, &bytes), *end = at + bytes;
  while (at && at < end) {
    const char *strings[STRINGS];
    for (int i = 0; i < STRINGS; i++) {
      const char *nul = memchr(at, 0, end - at);
      if (!nul) fail("%s: its section " ST_ANNOTATION_SECTION " is damaged", exe->path);
      strings[i] = at;
      at = nul + 1;
    }
    read_record(&r, strings);
  }
  return out;
}

void annotations_free(struct annotations *annotations) {
  free(annotations->items.items);
  free(annotations);
}
