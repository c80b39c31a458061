/* Constants of the old executable that have no name: followed by content. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "libst/process.h"
#include "libst/site.h"
#include "libst/st.h"
#include "libst/transfer.h"
#include "libst/type.h"

static const char literal_file[] = "(literal)";

static uintptr_t find_in_executable(const char *text, size_t bytes) {
  const struct elf_file *exe = &st_process.exe;
  for (unsigned i = 1; i < exe->header->e_shnum; i++) {
    const Elf64_Shdr *s = &exe->sections[i];
    if (s->sh_type != SHT_PROGBITS || (s->sh_flags & (SHF_ALLOC | SHF_WRITE)) != SHF_ALLOC ||
        (s->sh_flags & SHF_EXECINSTR))
      continue;
    const unsigned char *data = exe->map + s->sh_offset;
    const unsigned char *hit = memmem(data, s->sh_size, text, bytes);
    if (hit) return st_image_base() + s->sh_addr + (uintptr_t)(hit - data);
  }
  return 0;
}

struct wanted {
  const char *text;
  size_t bytes;
  uintptr_t found;
};

static int is_wanted(const struct block *b, void *ctx) {
  struct wanted *w = ctx;
  if (b->bytes != w->bytes || strcmp(ARENA_SITE[b->site].file, literal_file) != 0 ||
      memcmp((const void *)b->address, w->text, w->bytes) != 0)
    return 0;
  w->found = b->address;
  return 1;
}

/* Texts copied in earlier updates serve again, so that their number does not grow. */
static uintptr_t copy_to_heap(const char *text, size_t bytes) {
  struct wanted w = {text, bytes, 0};
  arena_each(is_wanted, &w);
  if (w.found) return w.found;
  struct site site = {.type = 0, .flags = SITE_CLEAR, .file = "(literal)"};
  char *p = arena_alloc(bytes, site_intern(&site), false);
  return p ? (uintptr_t)memcpy(p, text, bytes) : 0;
}

static bool is_text(unsigned char c) {
  return isprint(c) || isspace(c) || c & 0x80;
}

/* The text around a byte of the old executable: linkers merge literals that end alike, and programs
 * keep pointers into the middle of a text beside one to its start.
 * @param length  without the 0 at its end
 * @return its start, or NULL when it is no text */
static const char *text_around(const struct elf_file *exe, uint64_t link, size_t *length) {
  size_t left, section_left;
  const char *at = elf_executable(exe, link) ? NULL : elf_at(exe, link, &left);
  const char *end = at ? memchr(at, 0, left) : NULL;
  if (!end) return NULL;
  for (const char *c = at; c < end; c++)
    if (!is_text((unsigned char)*c)) return NULL;
  const char *start = at;
  while (elf_at(exe, link - (uint64_t)(at - start) - 1, &section_left) == start - 1 &&
         section_left > left && is_text((unsigned char)start[-1]))
    start--;
  *length = (size_t)(end - start);
  return start;
}

/* May a pointer of this type point to text? Of anything else the bytes up to a 0 are a part. */
static bool points_to_text(struct transfer *t, const struct pointed *pointed, size_t length) {
  if (pointed->old_type) return type_is_char(t->plan->old, pointed->old_type);
  return length > 0;
}

uintptr_t literal_follow(struct transfer *t, uint64_t link, const struct pointed *pointed) {
  size_t length;
  const struct elf_file *exe = &t->plan->old_exe;
  const char *text = text_around(exe, link, &length);
  if (!text || !points_to_text(t, pointed, length)) return 0;
  uint64_t offset = (uint64_t)((const char *)elf_at(exe, link, NULL) - text);
  for (size_t i = 0; i < t->literal_count; i++)
    if (t->literals[i].text == text) return t->literals[i].new_address + offset;
  uintptr_t found = find_in_executable(text, length + 1);
  if (!found) found = copy_to_heap(text, length + 1);
  if (!found) return 0;
  struct literal *grown = realloc(t->literals, (t->literal_count + 1) * sizeof(*grown));
  if (!grown) return found + offset;
  t->literals = grown;
  t->literals[t->literal_count++] = (struct literal){text, found};
  return found + offset;
}
