/* An ELF file mapped for reading: sections, symbols and contents by link-time address. */
#ifndef LIBST_ELF_FILE_H
#define LIBST_ELF_FILE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file {
  const unsigned char *map;
  size_t bytes;
  const Elf64_Ehdr *header;
  const Elf64_Shdr *sections; /* header->e_shnum of them */
};

/** Maps a 64-bit ELF file. @param fd  not kept. @return 0 or a negative errno. */
int elf_file_open(struct elf_file *elf, int fd);
void elf_file_close(struct elf_file *elf);

/** @return the section called `name`, or NULL */
const Elf64_Shdr *elf_section(const struct elf_file *elf, const char *name);
const char *elf_section_name(const struct elf_file *elf, const Elf64_Shdr *section);
/** The file's bytes at a link-time address.
 * @param left  receives how many follow in the same section
 * @return NULL when the address is in no section with contents */
const void *elf_at(const struct elf_file *elf, uint64_t address, size_t *left);
/** Is the address in a loaded section that the program may not write (RELRO included)? */
bool elf_read_only(const struct elf_file *elf, uint64_t address);
/** Is the address in a section of code? */
bool elf_executable(const struct elf_file *elf, uint64_t address);

/** The dynamic symbol table. @return entries, or NULL when there is none */
const Elf64_Sym *elf_symbols(const struct elf_file *elf, size_t *count, const char **strings);
/** A relocation table by name. */
const Elf64_Rela *elf_relocations(const struct elf_file *elf, const char *name, size_t *count);
/** Copies up to 20 bytes of the build id; the rest is zero. */
void elf_build_id(const struct elf_file *elf, uint8_t out[20]);

#endif
