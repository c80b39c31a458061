/* The linked executable that is being instrumented. */
#ifndef INSTRUMENT_EXE_H
#define INSTRUMENT_EXE_H

#include <elfutils/libdw.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct exe {
  const char *path;
  uint8_t *bytes; /* the whole file */
  size_t count;
  struct timespec written; /* when it was linked */
  Elf *elf;
  Dwarf *dwarf;
  uint8_t build_id[20];
  Elf64_Sym *symbols; /* of .symtab, may be NULL */
  size_t symbol_count;
  const char *symbol_names;
};

/** Opens an executable and checks that it can be instrumented: a 64-bit position-independent ELF
 * executable with DWARF and a build id, not instrumented before. Ends the program otherwise. */
struct exe *exe_open(const char *path);
void exe_close(struct exe *exe);

/** True when the link-time address is in memory that the program cannot write once it runs: a
 * read-only segment, or one made read-only after relocation. */
bool exe_read_only(const struct exe *exe, uint64_t address);

/** True when the link-time address is in, or at the end of, a section that is loaded. Linkers that
 * remove what nothing uses leave its debug information, with addresses that are not. */
bool exe_loaded(const struct exe *exe, uint64_t address);

/** The file's bytes at a link-time address.
 * @return NULL unless `bytes` of them are there. */
const uint8_t *exe_at(const struct exe *exe, uint64_t address, size_t bytes);

/** Bytes of a section; NULL when there is none. They live as long as `exe`. */
const char *exe_section(const struct exe *exe, const char *name, size_t *bytes);

/** Size that the symbol table gives to the object at an address; 0 when there is none. */
uint64_t exe_object_size(const struct exe *exe, uint64_t address);

/** Name that the symbol table gives to the object at an address, or to the thread-local one at that
 * offset among `threads`. An object may have several, `index` from 0; NULL after the last. */
const char *exe_object_name(const struct exe *exe, bool threads, uint64_t address, size_t index);
/** May a symbol be that of a variable? Statics of functions have symbols of more parts: `count.1`
 * with gcc, `next.count` with clang. */
bool exe_is_symbol_of(const char *symbol, const char *name);
/** Finds the address of an object by its name in the symbol table. @return false: there is none */
bool exe_object_named(const struct exe *exe, const char *name, uint64_t *address);

/** Name of the shared library that the executable is linked with as number `index`, from 0; NULL
 * when there are fewer. */
const char *exe_needed(const struct exe *exe, size_t index);
/** True when the executable is linked with a shared library of that name. */
bool exe_needs(const struct exe *exe, const char *soname);

/** Writes a copy of the executable to `path` with one more section, which is not loaded. Nothing
 * of the original moves. Ends the program on failure. */
void exe_write(const struct exe *exe, const char *path, const char *section, const void *data,
               size_t bytes);

#endif
