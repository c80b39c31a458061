#include "bus/build_id.h"

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NOTES_MAX_BYTES 4096u

static bool read_at(int fd, void *to, size_t bytes, uint64_t at) {
  return pread(fd, to, bytes, (off_t)at) == (ssize_t)bytes;
}

static size_t aligned(size_t n) {
  return (n + 3) & ~(size_t)3;
}

static void print(const uint8_t *id, size_t bytes, char *text, size_t cap) {
  for (size_t i = 0; i < bytes && 2 * i + 2 < cap; i++)
    snprintf(text + 2 * i, 3, "%02x", id[i]);
}

static bool find_in(const uint8_t *notes, size_t bytes, char *text, size_t cap) {
  while (bytes >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr n;
    memcpy(&n, notes, sizeof(n));
    size_t name = sizeof(n), desc = name + aligned(n.n_namesz), end = desc + aligned(n.n_descsz);
    if (end > bytes || end < desc || desc < name) return false;
    if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 && memcmp(notes + name, "GNU", 4) == 0) {
      print(notes + desc, n.n_descsz, text, cap);
      return true;
    }
    notes += end;
    bytes -= end;
  }
  return false;
}

void build_id_read(int exe, char *text, size_t cap) {
  Elf64_Ehdr head;
  text[0] = 0;
  if (!read_at(exe, &head, sizeof(head), 0) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0) return;
  for (unsigned i = 0; i < head.e_phnum; i++) {
    Elf64_Phdr p;
    uint8_t notes[NOTES_MAX_BYTES];
    if (!read_at(exe, &p, sizeof(p), head.e_phoff + (uint64_t)i * head.e_phentsize)) return;
    if (p.p_type != PT_NOTE || p.p_filesz > sizeof(notes)) continue;
    if (read_at(exe, notes, p.p_filesz, p.p_offset) && find_in(notes, p.p_filesz, text, cap))
      return;
  }
}
