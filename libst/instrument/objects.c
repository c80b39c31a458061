#include "objects.h"
#include "die.h"
#include "foreign.h"
#include "libst/meta.h"
#include "place.h"
#include "typemap.h"

#include <dwarf.h>
#include <stdio.h>
#include <string.h>

struct walk {
  const struct exe *exe;
  struct types *types;
  struct objects *out;
  struct typemap placed;      /* origins of variables that have a place */
  ARRAY(Dwarf_Die) placeless; /* defined at file scope; another DIE may give it a place */
};

static const char *unit_name(Dwarf_Die *die) {
  Dwarf_Die unit;
  return dwarf_diecu(die, &unit, NULL, NULL) ? die_name(&unit) : "";
}

static bool is_const(Dwarf_Die *variable) {
  Dwarf_Die at;
  for (bool more = die_type(variable, &at); more; more = die_type(&at, &at)) {
    switch (dwarf_tag(&at)) {
    case DW_TAG_const_type:
      return true;
    case DW_TAG_typedef:
    case DW_TAG_volatile_type:
    case DW_TAG_array_type:
      break;
    default:
      return false;
    }
  }
  return false;
}

static struct declared declared_at(Dwarf_Die *die) {
  const char *file = dwarf_decl_file(die);
  int line = 0, column = 0;
  dwarf_decl_line(die, &line);
  dwarf_decl_column(die, &column);
  return (struct declared){file ? file : "", (unsigned)line, (unsigned)column};
}

static struct object_variable *add_variable(struct objects *out, struct types *types,
                                            Dwarf_Die *die, const char *function) {
  Dwarf_Die origin = die_origin(die), type;
  struct object_variable *v = array_add(&out->variables);
  v->name = die_name(die);
  v->file = unit_name(&origin);
  v->function = function;
  v->note = "";
  v->declared = declared_at(&origin);
  if (*function || !die_flag(&origin, DW_AT_external)) v->flags |= ST_VAR_STATIC;
  if (die_type(die, &type)) {
    v->type = types_refer(types, &type);
    v->size = v->type_bytes = die_bytes(&type);
  }
  return v;
}

static void refuse(struct object_variable *v, const char *note) {
  v->flags |= ST_VAR_REFUSED;
  v->note = note;
  v->address = v->size = 0;
}

/* clang leaves nameless the function whose instances were all inlined; its symbol for a static of
 * the function is FUNCTION.VARIABLE. */
static const char *function_by_symbol(const struct exe *exe, const struct place *place,
                                      const char *name) {
  const char *symbol = exe_object_name(exe, place->kind == PLACE_THREAD, place->address, 0);
  const char *dot = symbol ? strchr(symbol, '.') : NULL;
  size_t bytes = strlen(name);
  if (!dot || dot == symbol || strncmp(dot + 1, name, bytes) != 0) return NULL;
  return dot[1 + bytes] == '\0' || dot[1 + bytes] == '.' ? text_copy_part(symbol, dot) : NULL;
}

/* A local that is no static may be said to lie where an object lies that has the same value: then
 * the symbol table knows that by its own name only. */
static bool is_own(const struct exe *exe, const struct place *place, const char *name) {
  bool threads = place->kind == PLACE_THREAD;
  const char *symbol = exe_object_name(exe, threads, place->address, 0);
  if (!symbol) return true;
  for (size_t i = 1; symbol && !exe_is_symbol_of(symbol, name); i++)
    symbol = exe_object_name(exe, threads, place->address, i);
  return symbol != NULL;
}

static void walk_variable(struct walk *w, Dwarf_Die *die, const char *function) {
  struct place place = place_of(die);
  if (*die_name(die) == '\0') return; /* a string literal */
  Dwarf_Die origin = die_origin(die);
  if (place.kind == PLACE_NONE) {
    if (!function || *function || die_flag(die, DW_AT_declaration))
      return; /* a local; defined elsewhere */
    *array_add(&w->placeless) = *die;
    return;
  }
  if ((!function || *function) && !is_own(w->exe, &place, die_name(die))) return;
  *typemap_slot(&w->placed, dwarf_dieoffset(&origin)) = 1;
  if (place.kind == PLACE_MEMORY && !exe_loaded(w->exe, place.address)) return;
  if (!function) function = function_by_symbol(w->exe, &place, die_name(die));
  struct object_variable *v = add_variable(w->out, w->types, die, function ? function : "?");
  if (!function) {
    refuse(v, "static in a function that the debug information does not name");
    return;
  }
  switch (place.kind) {
  case PLACE_THREAD:
    refuse(v, "thread-local");
    break;
  case PLACE_SPLIT:
    refuse(v, "split or changed by the compiler: build with the flags of libst");
    break;
  case PLACE_MEMORY: {
    v->address = place.address;
    if (exe_read_only(w->exe, v->address)) v->flags |= ST_VAR_CONST;
    uint64_t bytes = exe_object_size(w->exe, v->address);
    if (bytes > v->size) v->size = bytes; /* an initialised flexible array */
    if (!v->type) refuse(v, "its type is not described: build with -g, not -g1");
    break;
  }
  case PLACE_NONE:
    break;
  }
}

static void add_function(struct walk *w, Dwarf_Die *die, uint64_t low, uint64_t high) {
  Dwarf_Die origin = die_origin(die);
  struct object_function *f = array_add(&w->out->functions);
  f->name = die_name(die);
  f->file = unit_name(&origin);
  f->die = *die;
  f->address = low;
  f->size = high - low;
  if (!die_flag(&origin, DW_AT_external)) f->flags |= ST_FUNC_STATIC;
}

/* A function in parts (hot and cold) is entered at the first unless DWARF says otherwise. */
static void walk_function(struct walk *w, Dwarf_Die *die) {
  Dwarf_Addr entry = 0, base, low, high;
  bool known = dwarf_entrypc(die, &entry) == 0;
  for (ptrdiff_t at = 0; (at = dwarf_ranges(die, at, &base, &low, &high)) > 0;) {
    if (!exe_loaded(w->exe, low)) continue;
    struct object_code *code = array_add(&w->out->code);
    *code = (struct object_code){low, high, *die};
    if (!known) entry = low;
    known = true;
    if (entry >= low && entry < high) add_function(w, die, entry, high);
  }
}

static bool of_system(Dwarf_Die *die) {
  const char *file = dwarf_decl_file(die);
  return file && strncmp(file, "/usr/", 5) == 0;
}

static void walk_children(struct walk *w, Dwarf_Die *parent, const char *function) {
  Dwarf_Die child;
  for (int r = dwarf_child(parent, &child); r == 0; r = dwarf_siblingof(&child, &child)) {
    switch (dwarf_tag(&child)) {
    case DW_TAG_variable:
      walk_variable(w, &child, function);
      break;
    case DW_TAG_subprogram:
      walk_function(w, &child);
      walk_children(w, &child, *die_name(&child) ? die_name(&child) : NULL);
      break;
    case DW_TAG_inlined_subroutine:
      walk_children(w, &child, die_name(&child));
      break;
    case DW_TAG_lexical_block:
      walk_children(w, &child, function);
      break;
    case DW_TAG_enumeration_type: /* state filters use its enumerators as numbers */
      if (!of_system(&child)) types_refer(w->types, &child);
      break;
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
      if (*die_name(&child) && !die_flag(&child, DW_AT_declaration)) types_offer(w->types, &child);
      break;
    default:
      break;
    }
  }
}

void objects_add_refused(struct objects *objects, const char *name, const char *file,
                         const char *function, const char *note) {
  struct object_variable *v = array_add(&objects->variables);
  *v = (struct object_variable){.name = name,
                                .file = file,
                                .function = function,
                                .flags = ST_VAR_STATIC,
                                .declared = {.file = ""}};
  refuse(v, note);
}

/* Another name for a variable: its symbol is where one lies that is described. */
static bool is_alias(const struct walk *w, const char *name) {
  uint64_t address;
  if (!exe_object_named(w->exe, name, &address)) return false;
  bool found = false;
  for (size_t i = 0; i < w->out->variables.count; i++) {
    const struct object_variable *v = &w->out->variables.items[i];
    if (!v->address || v->address != address) continue;
    if (strcmp(v->name, name) == 0) return false; /* of another file, and no alias */
    found = true;
  }
  return found;
}

/* State that the program may have and an update would lose. */
static void refuse_placeless(struct walk *w) {
  for (size_t i = 0; i < w->placeless.count; i++) {
    Dwarf_Die *die = &w->placeless.items[i], origin = die_origin(die);
    if (is_const(die) || *typemap_slot(&w->placed, dwarf_dieoffset(&origin)) ||
        is_alias(w, die_name(die)))
      continue;
    refuse(add_variable(w->out, w->types, die, ""),
           "removed by the compiler: build with the flags of libst");
  }
}

static int by_address(const void *a, const void *b) {
  const struct object_variable *x = a, *y = b;
  if (x->address != y->address) return x->address < y->address ? -1 : 1;
  if (x->size != y->size) return x->size > y->size ? -1 : 1;
  int names = strcmp(x->name, y->name);
  return names ? names : strcmp(x->file, y->file);
}

static int by_function_address(const void *a, const void *b) {
  const struct object_function *x = a, *y = b;
  if (x->address != y->address) return x->address < y->address ? -1 : 1;
  return strcmp(x->name, y->name);
}

/* Linkers may keep one of two functions that have the same code. A pointer to it means either: only
 * a version in which the same share their code has a function of this name. */
static const char *shared_name(const char *a, const char *b) {
  char *both;
  const char *last = strrchr(a, '|');
  if (strcmp(last ? last + 1 : a, b) == 0) return a;
  if (asprintf(&both, "%s|%s", a, b) < 0) fail("out of memory");
  return both;
}

static bool is_namesake(const struct object_variable *a, const struct object_variable *b) {
  return strcmp(a->name, b->name) == 0 && strcmp(a->function, b->function) == 0 &&
         strcmp(a->file, b->file) == 0;
}

static bool declared_before(const struct declared *a, const struct declared *b) {
  int files = strcmp(a->file, b->file);
  if (files) return files < 0;
  return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* By declarations, since linkers and optimisers choose addresses. */
static void number_namesakes(struct objects *objects) {
  for (size_t i = 0; i < objects->variables.count; i++) {
    struct object_variable *v = &objects->variables.items[i];
    v->nth = v->of = 0;
    for (size_t k = 0; *v->function && k < objects->variables.count; k++) {
      const struct object_variable *other = &objects->variables.items[k];
      if (k == i || !is_namesake(v, other)) continue;
      v->of++;
      v->nth += declared_before(&other->declared, &v->declared);
    }
    if (!v->of) continue;
    v->of++;
    v->nth++;
  }
}

/* One object may have several DIEs: a definition and its instances, or a common symbol. */
void objects_sort(struct objects *objects) {
  array_sort(&objects->variables, by_address);
  size_t kept = 0;
  for (size_t i = 0; i < objects->variables.count; i++) {
    struct object_variable *v = &objects->variables.items[i];
    struct object_variable *last = kept ? &objects->variables.items[kept - 1] : NULL;
    if (last && v->address && last->address == v->address && strcmp(last->name, v->name) == 0) {
      if (last->type_bytes != v->type_bytes)
        refuse(last, "defined with types of different sizes in several files");
      continue;
    }
    objects->variables.items[kept++] = *v;
  }
  objects->variables.count = kept;

  array_sort(&objects->functions, by_function_address);
  kept = 0;
  for (size_t i = 0; i < objects->functions.count; i++) {
    struct object_function *f = &objects->functions.items[i];
    struct object_function *last = kept ? &objects->functions.items[kept - 1] : NULL;
    if (last && last->address == f->address)
      last->name = shared_name(last->name, f->name);
    else
      objects->functions.items[kept++] = *f;
  }
  objects->functions.count = kept;
  number_namesakes(objects);
}

/* A unit whose description is in another file says which. */
static const char *split_name(Dwarf_Die *unit) {
  Dwarf_Attribute a;
  const char *name = dwarf_formstring(dwarf_attr(unit, DW_AT_dwo_name, &a));
  if (!name) name = dwarf_formstring(dwarf_attr(unit, DW_AT_GNU_dwo_name, &a));
  return name ? name : die_name(unit);
}

struct objects *objects_read(const struct exe *exe, struct types *types) {
  struct objects *out = calloc(1, sizeof *out);
  if (!out) fail("out of memory");
  struct walk w = {.exe = exe, .types = types, .out = out};
  Dwarf_CU *unit = NULL;
  uint8_t kind;
  Dwarf_Die die;
  bool any = false;
  while (dwarf_get_units(exe->dwarf, unit, &unit, NULL, &kind, &die, NULL) == 0) {
    if (kind == DW_UT_skeleton)
      fail("%s: '%s' was built with -gsplit-dwarf; build it without", exe->path, split_name(&die));
    if (foreign_language(&die))
      foreign_read(out, exe, &die);
    else
      walk_children(&w, &die, "");
    any = true;
  }
  if (!any) fail("%s: has no debug information: built without -g, or stripped", exe->path);
  refuse_placeless(&w);
  objects_sort(out);
  foreign_refuse_undescribed(out, exe);
  typemap_clear(&w.placed);
  free(w.placeless.items);
  return out;
}

Dwarf_Die *objects_function_at(const struct objects *objects, uint64_t address) {
  for (size_t i = 0; i < objects->code.count; i++)
    if (address >= objects->code.items[i].low && address < objects->code.items[i].high)
      return &objects->code.items[i].function;
  return NULL;
}

void objects_free(struct objects *objects) {
  free(objects->refused_at.items);
  free(objects->code.items);
  free(objects->variables.items);
  free(objects->functions.items);
  free(objects);
}
