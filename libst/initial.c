#include "libst/initial.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libst/process.h"
#include "libst/report.h"

/* Where the executable's initialised data begins and ends: .data, and sections that the program
 * names itself. */
static void find_data(const struct elf_file *exe, uint64_t *start, uint64_t *end) {
  *start = UINT64_MAX;
  *end = 0;
  for (unsigned i = 1; i < exe->header->e_shnum; i++) {
    const Elf64_Shdr *s = &exe->sections[i];
    if ((s->sh_flags & (SHF_WRITE | SHF_ALLOC | SHF_TLS)) != (SHF_WRITE | SHF_ALLOC) ||
        s->sh_type != SHT_PROGBITS || elf_read_only(exe, s->sh_addr))
      continue;
    if (s->sh_addr < *start) *start = s->sh_addr;
    if (s->sh_addr + s->sh_size > *end) *end = s->sh_addr + s->sh_size;
  }
}

int initial_load(struct transfer *t) {
  const struct elf_file *exe = &t->plan->old_exe;
  uint64_t start, end;
  find_data(exe, &start, &end);
  if (end <= start) return 0;
  t->initial = calloc(1, end - start);
  if (!t->initial) return -ENOMEM;
  t->initial_address = start;
  t->initial_bytes = end - start;
  for (uint64_t at = start; at < end;) {
    size_t left = 0;
    const void *from = elf_at(exe, at, &left);
    if (left > end - at) left = end - at;
    if (from && left) memcpy(t->initial + (at - start), from, left);
    at += left ? left : 1;
  }
  return 0;
}

/* What the old version's linker made of a symbol of a library that is the same build in this
 * process; 0 when it is not known. */
static uint64_t old_symbol(const struct transfer *t, uint32_t index) {
  size_t count;
  const char *names;
  const Elf64_Sym *symbols = elf_symbols(&t->plan->old_exe, &count, &names);
  if (!symbols || index >= count || symbols[index].st_shndx != SHN_UNDEF) return 0;
  uint64_t here = (uintptr_t)dlsym(RTLD_DEFAULT, names + symbols[index].st_name);
  const struct image *own = here ? images_at(&st_process.images, here) : NULL;
  const struct image *old = own ? images_named(&t->old, own->name) : NULL;
  if (!old || memcmp(old->build_id, own->build_id, sizeof(old->build_id)) != 0) return 0;
  return here - own->base + old->base;
}

void initial_relocate(struct transfer *t) {
  size_t count;
  const Elf64_Rela *rela = elf_relocations(&t->plan->old_exe, ".rela.dyn", &count);
  for (size_t i = 0; i < count; i++) {
    uint64_t at = rela[i].r_offset - t->initial_address, base = 0;
    if (t->initial_bytes < 8 || at > t->initial_bytes - 8) continue;
    switch (ELF64_R_TYPE(rela[i].r_info)) {
    case R_X86_64_RELATIVE:
      base = t->old.image[0].base;
      break;
    case R_X86_64_64:
      base = old_symbol(t, ELF64_R_SYM(rela[i].r_info));
      break;
    default:
      break;
    }
    uint64_t value = base + (uint64_t)rela[i].r_addend;
    if (base) memcpy(t->initial + at, &value, sizeof(value));
  }
}

/* The initialiser of a variable of the old executable, or NULL when it began as zero. */
static const unsigned char *initial_of(const struct transfer *t, const struct st_variable *v) {
  uint64_t at = v->address - t->initial_address;
  if (at >= t->initial_bytes || v->size > t->initial_bytes - at ||
      !elf_at(&t->plan->old_exe, v->address, NULL))
    return NULL;
  return t->initial + at;
}

bool initial_changed(const struct transfer *t, const struct st_variable *old,
                     const unsigned char *value) {
  const unsigned char *initial = initial_of(t, old);
  if (initial) return memcmp(initial, value, old->size) != 0;
  for (uint64_t i = 0; i < old->size; i++)
    if (value[i]) return true;
  return false;
}

enum initial_change initial_compare(const struct plan *plan, const struct st_variable *old,
                                    const struct variable_pair *pair) {
  const void *a = elf_at(&plan->old_exe, old->address, NULL);
  const void *b = elf_at(&st_process.exe, pair->new->address, NULL);
  if (!a && !b) return INITIAL_SAME;
  if (!a || !b) return a ? INITIAL_LOST : INITIAL_GAINED;
  if (pair->program->changed || pair->program->points) return INITIAL_UNKNOWN;
  return old->size == pair->new->size &&memcmp(a, b, old->size) == 0 ? INITIAL_SAME
                                                                     : INITIAL_CHANGED;
}

bool initial_keep(struct transfer *t, const struct st_variable *old,
                  const struct variable_pair *pair, const unsigned char *value, const char *name) {
  enum initial_change change = initial_compare(t->plan, old, pair);
  const unsigned char *initial = initial_of(t, old);
  if (!initial) {
    if (change == INITIAL_GAINED)
      report_note(t->report, "variable `%s` gains an initialiser; its value is carried over", name);
    return false;
  }
  if (change != INITIAL_LOST && memcmp(initial, value, old->size) == 0) {
    if (change == INITIAL_CHANGED || pair->program->changed)
      report_note(t->report, "variable `%s` takes its new initial value", name);
    return true;
  }
  if (change == INITIAL_CHANGED)
    report_note(t->report,
                "variable `%s` was changed and has a new initial value; the former is kept", name);
  return false;
}
