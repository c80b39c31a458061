#include "units.h"
#include "die.h"
#include "foreign.h"
#include "path.h"

#include <dwarf.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>

static const char *attribute_text(Dwarf_Die *die, unsigned name) {
  Dwarf_Attribute attribute;
  const char *text = dwarf_formstring(dwarf_attr(die, name, &attribute));
  return text ? text : "";
}

/* clang gives a merged call line 0; gcc keeps the position of one of the calls, unless it is told
 * not to merge, which it records. */
static bool merges_show(const char *producer) {
  static const char *const needed[] = {"-fno-crossjumping", "-fno-tree-tail-merge", "-fno-ipa-icf"};
  if (strstr(producer, "clang")) return true;
  for (unsigned i = 0; i < sizeof needed / sizeof *needed; i++)
    if (!strstr(producer, needed[i])) return false;
  return true;
}

/* Several programs may be built from one file: meson and CMake put the objects of `net` into
 * folders called net.p and net.dir. */
static bool made_for(const struct command *command, const char *program) {
  size_t bytes = strlen(program);
  for (const char *at = command->output; (at = strstr(at, program)); at += bytes) {
    bool starts = at == command->output || at[-1] == '/';
    if (starts && (strncmp(at + bytes, ".p/", 3) == 0 || strncmp(at + bytes, ".dir/", 5) == 0))
      return true;
  }
  return false;
}

static bool is_newer(const char *path, const struct exe *exe) {
  struct stat st;
  if (stat(path, &st) < 0) return false; /* #line may name any file */
  return st.st_mtim.tv_sec != exe->written.tv_sec ? st.st_mtim.tv_sec > exe->written.tv_sec
                                                  : st.st_mtim.tv_nsec > exe->written.tv_nsec;
}

/* A file with calls that was written after the executable: their lines may be others by now. */
static const char *newer_file(const struct unit *unit, const struct source *source,
                              const struct exe *exe) {
  const char *last = unit->file;
  if (is_newer(last, exe)) return last;
  for (size_t i = 0; i < source->calls.count; i++) {
    const char *file = source->calls.items[i].file;
    if (strcmp(file, last) != 0 && is_newer(file, exe)) return file;
    last = file;
  }
  return NULL;
}

static void parse(struct unit *unit, const struct command *command, const struct exe *exe) {
  char *error;
  unit->has_command = true;
  struct source *source = source_read(command->directory, command->file, command->arguments.items,
                                      command->arguments.count, &error);
  if (source) {
    const char *newer = newer_file(unit, source, exe);
    if (!newer) {
      *array_add(&unit->sources) = source;
      return;
    }
    warn("%s: newer than %s, so the allocations of %s have no types: build again", newer, exe->path,
         unit->file);
    source_free(source);
    return;
  }
  warn("%s: does not parse, so its allocations have no types: %s", unit->file, error);
  free(error);
}

static void parse_all(struct unit *unit, const struct commands *commands, const char *program,
                      const struct exe *exe) {
  bool own = false;
  for (size_t i = 0; i < commands->items.count; i++) {
    const struct command *c = &commands->items.items[i];
    own |= strcmp(c->file, unit->file) == 0 && made_for(c, program);
  }
  for (size_t i = 0; i < commands->items.count; i++) {
    const struct command *c = &commands->items.items[i];
    if (strcmp(c->file, unit->file) == 0 && (!own || made_for(c, program))) parse(unit, c, exe);
  }
}

struct units *units_read(const struct exe *exe, const struct commands *commands) {
  struct units *units = calloc(1, sizeof *units);
  char *copy = text_copy(exe->path), *program = basename(copy);
  if (!units) fail("out of memory");
  Dwarf_CU *cu = NULL;
  uint8_t kind;
  Dwarf_Die die;
  while (dwarf_get_units(exe->dwarf, cu, &cu, NULL, &kind, &die, NULL) == 0) {
    struct unit *unit = array_add(&units->items);
    unit->die = die;
    unit->directory = attribute_text(&die, DW_AT_comp_dir);
    unit->file = path_normal(unit->directory, die_name(&die));
    unit->merges_show = merges_show(attribute_text(&die, DW_AT_producer));
    unit->types = typeindex_new(&unit->die);
    if (!foreign_language(&die)) parse_all(unit, commands, program, exe);
  }
  free(copy);
  return units;
}

void units_free(struct units *units) {
  for (size_t i = 0; i < units->items.count; i++) {
    struct unit *unit = &units->items.items[i];
    for (size_t s = 0; s < unit->sources.count; s++)
      source_free(unit->sources.items[s]);
    free(unit->sources.items);
    free(unit->file);
    typeindex_free(unit->types);
  }
  free(units->items.items);
  free(units);
}

int units_index(const struct units *units, Dwarf_Die *die) {
  Dwarf_Die cu;
  if (!dwarf_diecu(die, &cu, NULL, NULL)) return -1;
  for (size_t i = 0; i < units->items.count; i++)
    if (units->items.items[i].die.addr == cu.addr) return i;
  return -1;
}
