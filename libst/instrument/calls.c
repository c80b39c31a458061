#include "calls.h"
#include "typemap.h"

#include <string.h>

/* Instructions: call and jump relative, call and jump through memory relative to the next one. */
enum { OP_CALL = 0xe8, OP_JUMP = 0xe9, OP_INDIRECT = 0xff, MODRM_CALL = 0x15, MODRM_JUMP = 0x25 };
enum { RELATIVE_BYTES = 5, INDIRECT_BYTES = 6 };

struct search {
  const struct exe *exe;
  const struct callee *callees;
  size_t count;
  struct typemap slots;   /* address in the global offset table -> callee + 1 */
  struct typemap entries; /* address of code -> callee + 1 */
  struct calls *out;
};

static uint64_t relative(const uint8_t *operand, uint64_t next) {
  int32_t offset;
  memcpy(&offset, operand, sizeof offset);
  return next + (int64_t)offset;
}

/* Slots that the dynamic linker fills with the address of a callee. */
static void read_relocations(struct search *s, Elf_Scn *section, const GElf_Shdr *header) {
  Elf_Data *data = elf_getdata(section, NULL);
  Elf_Scn *table = elf_getscn(s->exe->elf, header->sh_link);
  Elf_Data *symbols = table ? elf_getdata(table, NULL) : NULL;
  GElf_Shdr names;
  if (!data || !symbols || !gelf_getshdr(table, &names) || header->sh_entsize == 0) return;
  for (size_t i = 0; i < header->sh_size / header->sh_entsize; i++) {
    GElf_Rela relocation;
    GElf_Sym symbol;
    if (!gelf_getrela(data, i, &relocation) ||
        !gelf_getsym(symbols, GELF_R_SYM(relocation.r_info), &symbol))
      continue;
    const char *name = elf_strptr(s->exe->elf, names.sh_link, symbol.st_name);
    for (size_t c = 0; name && c < s->count; c++)
      if (!s->callees[c].address && strcmp(s->callees[c].name, name) == 0)
        *typemap_slot(&s->slots, relocation.r_offset) = c + 1;
  }
}

/* Stubs of the procedure linkage table: a jump through a slot, after an optional marker of
 * indirect branch targets (endbr64) and a prefix. */
static void read_stubs(struct search *s, const uint8_t *code, uint64_t address, size_t bytes) {
  static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
  for (size_t i = 0; i + INDIRECT_BYTES <= bytes; i++) {
    if (code[i] != OP_INDIRECT || code[i + 1] != MODRM_JUMP) continue;
    uint32_t callee = typemap_get(&s->slots, relative(code + i + 2, address + i + INDIRECT_BYTES));
    if (!callee) continue;
    size_t start = i;
    if (start > 0 && code[start - 1] == 0xf2) start--;
    if (start >= 4 && memcmp(code + start - 4, endbr64, sizeof endbr64) == 0) start -= 4;
    *typemap_slot(&s->entries, address + start) = callee;
  }
}

static void add(struct search *s, uint32_t callee, uint64_t address, unsigned bytes, bool jump) {
  struct call *call = array_add(&s->out->items);
  *call = (struct call){address, address + bytes, s->callees[callee - 1].name, jump};
}

static void read_code(struct search *s, const uint8_t *code, uint64_t address, size_t bytes) {
  for (size_t i = 0; i + RELATIVE_BYTES <= bytes; i++) {
    uint32_t callee = 0;
    if (code[i] == OP_CALL || code[i] == OP_JUMP) {
      callee = typemap_get(&s->entries, relative(code + i + 1, address + i + RELATIVE_BYTES));
      if (callee) add(s, callee, address + i, RELATIVE_BYTES, code[i] == OP_JUMP);
    } else if (code[i] == OP_INDIRECT && i + INDIRECT_BYTES <= bytes &&
               (code[i + 1] == MODRM_CALL || code[i + 1] == MODRM_JUMP)) {
      callee = typemap_get(&s->slots, relative(code + i + 2, address + i + INDIRECT_BYTES));
      if (callee) add(s, callee, address + i, INDIRECT_BYTES, code[i + 1] == MODRM_JUMP);
    }
  }
}

static bool is_linkage(const struct exe *exe, const GElf_Shdr *header) {
  size_t names;
  if (elf_getshdrstrndx(exe->elf, &names) < 0) return false;
  const char *name = elf_strptr(exe->elf, names, header->sh_name);
  return name && strncmp(name, ".plt", 4) == 0;
}

static void each_code_section(struct search *s, bool linkage,
                              void (*read)(struct search *, const uint8_t *, uint64_t, size_t)) {
  for (Elf_Scn *scn = elf_nextscn(s->exe->elf, NULL); scn; scn = elf_nextscn(s->exe->elf, scn)) {
    GElf_Shdr header;
    if (!gelf_getshdr(scn, &header) || !(header.sh_flags & SHF_EXECINSTR) ||
        is_linkage(s->exe, &header) != linkage)
      continue;
    const uint8_t *code = exe_at(s->exe, header.sh_addr, header.sh_size);
    if (code) read(s, code, header.sh_addr, header.sh_size);
  }
}

struct calls *calls_find(const struct exe *exe, const struct callee *callees, size_t count) {
  struct calls *out = calloc(1, sizeof *out);
  if (!out) fail("out of memory");
  struct search s = {.exe = exe, .callees = callees, .count = count, .out = out};
  for (size_t i = 0; i < count; i++)
    if (callees[i].address) *typemap_slot(&s.entries, callees[i].address) = i + 1;
  for (Elf_Scn *scn = elf_nextscn(exe->elf, NULL); scn; scn = elf_nextscn(exe->elf, scn)) {
    GElf_Shdr header;
    if (gelf_getshdr(scn, &header) && header.sh_type == SHT_RELA)
      read_relocations(&s, scn, &header);
  }
  each_code_section(&s, true, read_stubs);
  each_code_section(&s, false, read_code);
  typemap_clear(&s.slots);
  typemap_clear(&s.entries);
  return out;
}

void calls_free(struct calls *calls) {
  free(calls->items.items);
  free(calls);
}
