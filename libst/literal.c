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

uintptr_t literal_follow(struct transfer *t, uint64_t link) {
  size_t left;
  for (size_t i = 0; i < t->literal_count; i++)
    if (t->literals[i].old_address == link) return t->literals[i].new_address;
  const char *text = elf_at(&t->plan->old_exe, link, &left);
  const char *end = text ? memchr(text, 0, left) : NULL;
  if (!end) return 0;
  for (const char *c = text; c < end; c++)
    if (!isprint((unsigned char)*c) && !isspace((unsigned char)*c) && !((unsigned char)*c & 0x80))
      return 0;
  size_t bytes = (size_t)(end - text) + 1;
  uintptr_t found = find_in_executable(text, bytes);
  if (!found) found = copy_to_heap(text, bytes);
  struct literal *grown = realloc(t->literals, (t->literal_count + 1) * sizeof(*grown));
  if (!grown) return found;
  t->literals = grown;
  t->literals[t->literal_count++] = (struct literal){link, found};
  return found;
}
