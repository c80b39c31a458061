#include "libst/initial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libst/process.h"
#include "libst/report.h"

int initial_load(struct transfer *t) {
  const struct elf_file *exe = &t->plan->old_exe;
  const Elf64_Shdr *data = elf_section(exe, ".data");
  if (!data || data->sh_size == 0) return 0;
  t->initial = malloc(data->sh_size);
  if (!t->initial) return -ENOMEM;
  memcpy(t->initial, exe->map + data->sh_offset, data->sh_size);
  t->initial_address = data->sh_addr;
  t->initial_bytes = data->sh_size;
  return 0;
}

void initial_relocate(struct transfer *t) {
  size_t count;
  const Elf64_Rela *rela = elf_relocations(&t->plan->old_exe, ".rela.dyn", &count);
  for (size_t i = 0; i < count; i++) {
    uint64_t at = rela[i].r_offset - t->initial_address;
    if (ELF64_R_TYPE(rela[i].r_info) != R_X86_64_RELATIVE || t->initial_bytes < 8 ||
        at > t->initial_bytes - 8)
      continue;
    uint64_t value = t->old.image[0].base + (uint64_t)rela[i].r_addend;
    memcpy(t->initial + at, &value, sizeof(value));
  }
}

/* The initialiser of a variable of the old executable, or NULL when it began as zero. */
static const unsigned char *initial_of(const struct transfer *t, const struct st_variable *v) {
  uint64_t at = v->address - t->initial_address;
  if (at >= t->initial_bytes || v->size > t->initial_bytes - at) return NULL;
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
    if (change == INITIAL_CHANGED)
      report_note(t->report, "variable `%s` takes its new initial value", name);
    return true;
  }
  if (change == INITIAL_CHANGED)
    report_note(t->report,
                "variable `%s` was changed and has a new initial value; the former is kept", name);
  return false;
}
