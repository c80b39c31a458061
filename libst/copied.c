#include "libst/copied.h"

#include <dlfcn.h>

#include "libst/elf_file.h"

uintptr_t copied_follow(const struct elf_file *old_exe, uint64_t link) {
  size_t relocations, count;
  const char *names;
  const Elf64_Rela *rela = elf_relocations(old_exe, ".rela.dyn", &relocations);
  const Elf64_Sym *symbols = elf_symbols(old_exe, &count, &names);
  for (size_t r = 0; rela && symbols && r < relocations; r++) {
    size_t index = ELF64_R_SYM(rela[r].r_info);
    if (ELF64_R_TYPE(rela[r].r_info) != R_X86_64_COPY || index >= count ||
        link - rela[r].r_offset >= symbols[index].st_size)
      continue;
    /* The first that has the name is what all use: the copy in this executable, if it has one. */
    char *own = dlsym(RTLD_DEFAULT, names + symbols[index].st_name);
    return own ? (uintptr_t)own + (link - rela[r].r_offset) : 0;
  }
  return 0;
}
