#include "foreign.h"
#include "die.h"
#include "libst/meta.h"
#include "place.h"

#include <dwarf.h>
#include <stdio.h>
#include <string.h>

#ifndef DW_LANG_C17
#define DW_LANG_C17 0x002c
#endif

const char *foreign_language(Dwarf_Die *unit) {
  static char other[32];
  int language = dwarf_srclang(unit);
  switch (language) {
  case -1: /* none given */
  case DW_LANG_C89:
  case DW_LANG_C:
  case DW_LANG_C99:
  case DW_LANG_C11:
  case DW_LANG_C17:
    return NULL;
  case DW_LANG_C_plus_plus:
  case DW_LANG_C_plus_plus_03:
  case DW_LANG_C_plus_plus_11:
  case DW_LANG_C_plus_plus_14:
    return "C++";
  case DW_LANG_Rust:
    return "Rust";
  case DW_LANG_Mips_Assembler:
    return "assembler";
  default:
    snprintf(other, sizeof other, "language 0x%x", language);
    return other;
  }
}

struct walk {
  struct objects *objects;
  const struct exe *exe;
  const char *file, *note;
  bool state;
};

static void walk_variable(struct walk *w, Dwarf_Die *die) {
  struct place place = place_of(die);
  if (place.kind == PLACE_NONE || !*die_name(die)) return;
  if (place.kind == PLACE_MEMORY &&
      (exe_read_only(w->exe, place.address) || !exe_loaded(w->exe, place.address)))
    return;
  objects_add_refused(w->objects, die_name(die), w->file, "", w->note);
  if (place.kind == PLACE_MEMORY) *array_add(&w->objects->refused_at) = place.address;
  w->state = true;
}

/* Overloaded functions have one name, but different symbols. */
static void walk_function(struct walk *w, Dwarf_Die *die) {
  Dwarf_Addr low, high;
  Dwarf_Attribute a;
  if (dwarf_lowpc(die, &low) != 0 || dwarf_highpc(die, &high) != 0 || !exe_loaded(w->exe, low))
    return;
  const char *symbol = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &a));
  Dwarf_Die origin = die_origin(die);
  struct object_function *f = array_add(&w->objects->functions);
  *f = (struct object_function){.name = symbol ? symbol : die_name(die),
                                .file = w->file,
                                .die = *die,
                                .address = low,
                                .size = high - low,
                                .flags = die_flag(&origin, DW_AT_external) ? 0 : ST_FUNC_STATIC};
}

static void walk_all(struct walk *w, Dwarf_Die *parent) {
  Dwarf_Die child;
  for (int r = dwarf_child(parent, &child); r == 0; r = dwarf_siblingof(&child, &child)) {
    if (dwarf_tag(&child) == DW_TAG_variable) walk_variable(w, &child);
    if (dwarf_tag(&child) == DW_TAG_subprogram) walk_function(w, &child);
    if (dwarf_haschildren(&child) > 0) walk_all(w, &child);
  }
}

void foreign_read(struct objects *objects, const struct exe *exe, Dwarf_Die *unit) {
  char *note;
  const char *language = foreign_language(unit);
  if (asprintf(&note, "written in %s, whose data an update does not understand", language) < 0)
    fail("out of memory");
  struct walk w = {.objects = objects, .exe = exe, .file = die_name(unit), .note = note};
  walk_all(&w, unit);
  if (w.state)
    warn("%s: written in %s: its variables are refused", w.file, language);
  else
    warn("%s: written in %s: ignored, as it holds no state", w.file, language);
}

/* ---- what no unit describes ---- */

/* Of linkers, start files, libgcc and what compilers add for other tools. */
static bool is_of_tools(const char *name) {
  static const char *const names[] = {"__bss_start",
                                      "__data_start",
                                      "data_start",
                                      "_edata",
                                      "edata",
                                      "_end",
                                      "end",
                                      "__dso_handle",
                                      "__TMC_END__",
                                      "__TMC_LIST__",
                                      "completed.0",
                                      "__cpu_model",
                                      "_fdata",
                                      "_GLOBAL_OFFSET_TABLE_",
                                      "__cpu_features2"};
  static const char *const prefixes[] = {"__odr_asan",  "__asan_",  "__gcov",  "__llvm_",
                                         "__sanitizer", "__start_", "__stop_", "__prof"};
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(name, names[i]) == 0) return true;
  for (unsigned i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
    if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) return true;
  return false;
}

static bool is_described(const struct objects *objects, uint64_t address) {
  for (size_t i = 0; i < objects->variables.count; i++) {
    const struct object_variable *v = &objects->variables.items[i];
    if (v->address && (address - v->address < v->size || address == v->address)) return true;
  }
  for (size_t i = 0; i < objects->refused_at.count; i++)
    if (address == objects->refused_at.items[i]) return true;
  return false;
}

/* Which variable of a library the linker copied into the executable. */
static bool is_copy(const struct exe *exe, uint64_t address) {
  for (Elf_Scn *s = elf_nextscn(exe->elf, NULL); s; s = elf_nextscn(exe->elf, s)) {
    GElf_Shdr header;
    GElf_Rela rela;
    if (!gelf_getshdr(s, &header) || header.sh_type != SHT_RELA) continue;
    Elf_Data *data = elf_getdata(s, NULL);
    for (int i = 0; data && gelf_getrela(data, i, &rela); i++)
      if (GELF_R_TYPE(rela.r_info) == R_X86_64_COPY && rela.r_offset == address) return true;
  }
  return false;
}

static bool is_writable(const struct exe *exe, const Elf64_Sym *symbol) {
  GElf_Shdr header;
  Elf_Scn *s = symbol->st_shndx < SHN_LORESERVE && symbol->st_shndx != SHN_UNDEF
                   ? elf_getscn(exe->elf, symbol->st_shndx)
                   : NULL;
  return s && gelf_getshdr(s, &header) && (header.sh_flags & SHF_ALLOC) &&
         (header.sh_flags & SHF_WRITE) &&
         (header.sh_flags & SHF_TLS || !exe_read_only(exe, symbol->st_value));
}

static bool has_thread_local(const struct objects *objects, const char *symbol) {
  for (size_t i = 0; i < objects->variables.count; i++)
    if (exe_is_symbol_of(symbol, objects->variables.items[i].name)) return true;
  return false;
}

void foreign_refuse_undescribed(struct objects *objects, const struct exe *exe) {
  size_t described = objects->variables.count;
  for (size_t i = 0; i < exe->symbol_count; i++) {
    const Elf64_Sym *s = &exe->symbols[i];
    int type = ELF64_ST_TYPE(s->st_info);
    const char *name = exe->symbol_names + s->st_name;
    if ((type != STT_OBJECT && type != STT_NOTYPE && type != STT_TLS) || !*name ||
        is_of_tools(name) || !is_writable(exe, s))
      continue;
    if (type == STT_TLS ? has_thread_local(objects, name)
                        : is_described(objects, s->st_value) || is_copy(exe, s->st_value))
      continue;
    objects_add_refused(
        objects, name, "", "",
        type == STT_TLS
            ? "thread-local"
            : "no debug information describes it: of assembler code, or compiled without -g");
  }
  if (objects->variables.count != described) objects_sort(objects);
}
