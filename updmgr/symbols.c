#include "updmgr/symbols.h"

#include <elf.h>
#include <string.h>
#include <unistd.h>

static bool read_at(int fd, void *to, size_t bytes, uint64_t offset) {
  return pread(fd, to, bytes, (off_t)offset) == (ssize_t)bytes;
}

bool has_symbols(int fd) {
  Elf64_Ehdr head;
  if (!read_at(fd, &head, sizeof(head), 0) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
      head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_shentsize != sizeof(Elf64_Shdr))
    return false;
  for (unsigned i = 0; i < head.e_shnum; i++) {
    Elf64_Shdr section;
    if (!read_at(fd, &section, sizeof(section), head.e_shoff + i * sizeof(section))) return false;
    if (section.sh_type == SHT_SYMTAB) return true;
  }
  return false;
}
