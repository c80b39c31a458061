#include "libst/elf_file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int elf_file_open(struct elf_file *elf, int fd) {
  struct stat st;
  if (fstat(fd, &st) < 0) return -errno;
  if ((size_t)st.st_size < sizeof(Elf64_Ehdr)) return -ENOEXEC;
  void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (map == MAP_FAILED) return -errno;
  *elf = (struct elf_file){.map = map, .bytes = (size_t)st.st_size, .header = map};
  const Elf64_Ehdr *h = elf->header;
  if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 || h->e_ident[EI_CLASS] != ELFCLASS64 ||
      h->e_shentsize != sizeof(Elf64_Shdr) || h->e_shoff > elf->bytes ||
      (elf->bytes - h->e_shoff) / sizeof(Elf64_Shdr) < h->e_shnum || h->e_shstrndx >= h->e_shnum) {
    elf_file_close(elf);
    return -ENOEXEC;
  }
  elf->sections = (const Elf64_Shdr *)(elf->map + h->e_shoff);
  return 0;
}

void elf_file_close(struct elf_file *elf) {
  if (elf->map) munmap((void *)elf->map, elf->bytes);
  *elf = (struct elf_file){0};
}

const char *elf_section_name(const struct elf_file *elf, const Elf64_Shdr *section) {
  return (const char *)elf->map + elf->sections[elf->header->e_shstrndx].sh_offset +
         section->sh_name;
}

const Elf64_Shdr *elf_section(const struct elf_file *elf, const char *name) {
  for (unsigned i = 1; i < elf->header->e_shnum; i++)
    if (strcmp(elf_section_name(elf, &elf->sections[i]), name) == 0) return &elf->sections[i];
  return NULL;
}

static const Elf64_Shdr *section_at(const struct elf_file *elf, uint64_t address) {
  for (unsigned i = 1; i < elf->header->e_shnum; i++) {
    const Elf64_Shdr *s = &elf->sections[i];
    if ((s->sh_flags & SHF_ALLOC) && !(s->sh_flags & SHF_TLS) && address - s->sh_addr < s->sh_size)
      return s;
  }
  return NULL;
}

const void *elf_at(const struct elf_file *elf, uint64_t address, size_t *left) {
  const Elf64_Shdr *s = section_at(elf, address);
  if (!s || s->sh_type == SHT_NOBITS || s->sh_offset > elf->bytes ||
      elf->bytes - s->sh_offset < s->sh_size)
    return NULL;
  if (left) *left = s->sh_size - (address - s->sh_addr);
  return elf->map + s->sh_offset + (address - s->sh_addr);
}

bool elf_read_only(const struct elf_file *elf, uint64_t address) {
  const Elf64_Shdr *s = section_at(elf, address);
  if (!s) return false;
  return !(s->sh_flags & SHF_WRITE) || strncmp(elf_section_name(elf, s), ".data.rel.ro", 12) == 0;
}

bool elf_executable(const struct elf_file *elf, uint64_t address) {
  const Elf64_Shdr *s = section_at(elf, address);
  return s && s->sh_flags & SHF_EXECINSTR;
}

const Elf64_Sym *elf_symbols(const struct elf_file *elf, size_t *count, const char **strings) {
  const Elf64_Shdr *s = elf_section(elf, ".dynsym"), *str = elf_section(elf, ".dynstr");
  if (!s || !str) return NULL;
  *count = s->sh_size / sizeof(Elf64_Sym);
  *strings = (const char *)elf->map + str->sh_offset;
  return (const Elf64_Sym *)(elf->map + s->sh_offset);
}

const Elf64_Rela *elf_relocations(const struct elf_file *elf, const char *name, size_t *count) {
  const Elf64_Shdr *s = elf_section(elf, name);
  *count = s ? s->sh_size / sizeof(Elf64_Rela) : 0;
  return s ? (const Elf64_Rela *)(elf->map + s->sh_offset) : NULL;
}

void elf_build_id(const struct elf_file *elf, uint8_t out[20]) {
  memset(out, 0, 20);
  const Elf64_Shdr *s = elf_section(elf, ".note.gnu.build-id");
  if (!s || s->sh_size <= 16) return;
  size_t bytes = s->sh_size - 16;
  memcpy(out, elf->map + s->sh_offset + 16, bytes < 20 ? bytes : 20);
}
