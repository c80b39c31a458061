/* Damages the metadata of an executable in many ways and asks everything of what can still be
 * opened, filters included. Built with sanitizers, which end it at the first wrong access. */
#include "libst/annotation.h"
#include "libst/meta.h"
#include "libst/meta_pack.h"
#include "libst/st.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TURNS = 4000 };

/* What the run-time part of libst knows; here no memory is the program's. */
bool st_addressable(const void *p, size_t bytes) {
  (void)p;
  (void)bytes;
  return false;
}

uintptr_t st_image_base(void) {
  return 0;
}

static uint32_t state = 1;

static uint32_t random_below(uint32_t limit) {
  state = state * 1664525 + 1013904223;
  return (uint32_t)((uint64_t)state * limit >> 32);
}

static void find_section(const uint8_t *file, size_t *start, size_t *bytes) {
  const Elf64_Ehdr *elf = (const void *)file;
  const Elf64_Shdr *sections = (const void *)(file + elf->e_shoff);
  const char *names = (const char *)file + sections[elf->e_shstrndx].sh_offset;
  for (unsigned i = 0; i < elf->e_shnum; i++) {
    if (strcmp(names + sections[i].sh_name, ST_META_SECTION) != 0) continue;
    *start = sections[i].sh_offset;
    *bytes = sections[i].sh_size;
  }
}

/* Random words of the language, names of variables and members among them. */
static void random_filter(const struct st_meta *meta, char *text, size_t cap) {
  static const char *const words[] = {"(",
                                      ")",
                                      "[",
                                      "]",
                                      ".",
                                      "->",
                                      "!",
                                      "~",
                                      "-",
                                      "+",
                                      "*",
                                      "&",
                                      "/",
                                      "%",
                                      "<<",
                                      ">>",
                                      "<",
                                      "<=",
                                      "==",
                                      "!=",
                                      "^",
                                      "|",
                                      "&&",
                                      "||",
                                      "?",
                                      ":",
                                      "::",
                                      "1",
                                      "0x7f",
                                      "'a'",
                                      "2.5",
                                      "=",
                                      "@",
                                      "NULL",
                                      "port",
                                      "next",
                                      "depth",
                                      "tag",
                                      "7u",
                                      "0",
                                      "peers",
                                      "flags",
                                      "table",
                                      "mode",
                                      "current",
                                      "counted",
                                      "'filter_subject.c'"};
  size_t used = 0;
  unsigned count = 1 + random_below(12);
  for (unsigned i = 0; i < count && used < cap; i++) {
    const char *word = words[random_below(sizeof words / sizeof *words)];
    if (meta->header->variables.count && random_below(3) == 0)
      word =
          st_meta_string(meta, meta->variables[random_below(meta->header->variables.count)].name);
    used += snprintf(text + used, cap - used, "%s ", word);
  }
}

static unsigned compiled, applied;

static void ask(const struct st_meta *meta) {
  char id[41], text[512], error[64];
  st_meta_build_id(meta, id);
  st_meta_variable(meta, st_meta_component(meta), "x.c");
  for (unsigned i = 0; i < 20; i++) {
    uint64_t address = random_below(0x8000);
    const struct st_variable *v = st_meta_variable_at(meta, address);
    const struct st_function *f = st_meta_function_at(meta, address);
    const struct st_site *s = st_meta_site_at(meta, address);
    if (v && st_meta_string(meta, v->name)[0] == '?') abort();
    if (f && st_meta_string(meta, f->name)[0] == '?') abort();
    if (s && st_meta_string(meta, s->file)[0] == '?') abort();
    random_filter(meta, text, sizeof text);
    struct st_filter *filter = st_filter_compile(meta, text, error, sizeof error);
    if (filter) st_filter_eval(filter);
    compiled += filter != NULL;
    st_filter_free(filter);
  }
}

static void find_out(struct st_meta *meta, unsigned *opened) {
  if (!meta) return;
  ++*opened;
  ask(meta);
  char error[200];
  applied += annotations_apply(meta, error, sizeof error) == 0;
  ask(meta);
  st_meta_close(meta);
}

/* Records and types, where no checksum tells. */
static unsigned damage_plain(const uint8_t *good, size_t bytes) {
  uint8_t *bad = malloc(bytes);
  unsigned opened = 0;
  for (unsigned turn = 0; bad && turn < TURNS; turn++) {
    memcpy(bad, good, bytes);
    for (unsigned n = turn ? random_below(5) : 0; n > 0; n--)
      bad[random_below(turn % 3 ? bytes : 256)] ^= 1 << random_below(8);
    char error[200];
    find_out(st_meta_read(bad, turn % 50 == 49 ? random_below(bytes) : bytes, error, sizeof error),
             &opened);
  }
  free(bad);
  return opened;
}

/* The executable, in which the section is packed: whatever can still be opened is what it was. */
static unsigned damage_file(const uint8_t *good, size_t whole, size_t start, size_t bytes,
                            const uint8_t *plain) {
  uint8_t *bad = malloc(whole);
  int victim = memfd_create("victim", MFD_CLOEXEC);
  unsigned opened = 0;
  for (unsigned turn = 0; bad && turn < TURNS / 10; turn++) {
    memcpy(bad, good, whole);
    bad[start + random_below(turn % 2 ? bytes : sizeof(struct st_meta_packed))] ^=
        1 << random_below(8);
    size_t left = turn % 10 == 9 ? random_below(whole) : whole;
    if (ftruncate(victim, 0) < 0 || pwrite(victim, bad, left, 0) != (ssize_t)left) abort();
    char error[200];
    struct st_meta *meta = st_meta_open(victim, error, sizeof error);
    if (meta && memcmp(meta->header, plain, meta->header->bytes) != 0) abort();
    find_out(meta, &opened);
  }
  free(bad);
  close(victim);
  return opened;
}

int main(int argc, char **argv) {
  int fd = open(argc > 1 ? argv[1] : "", O_RDONLY | O_CLOEXEC);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0) return 2;
  uint8_t *file = malloc(st.st_size);
  if (!file || read(fd, file, st.st_size) != st.st_size) return 2;
  size_t start = 0, bytes = 0, plain_bytes = 0;
  find_section(file, &start, &bytes);
  uint8_t *plain = bytes ? st_meta_unpack(file + start, bytes, &plain_bytes) : NULL;
  if (!plain) return 2;
  unsigned opened = damage_plain(plain, plain_bytes);
  unsigned intact = damage_file(file, st.st_size, start, bytes, plain);
  printf("%u of %u opened, %u filters compiled; %u of %u files\n", opened, TURNS, compiled, intact,
         TURNS / 10);
  free(file);
  free(plain);
  /* Most damage is to names and numbers, which are then merely other ones. */
  return opened == 0 || opened == TURNS || compiled == 0 || applied == 0 || intact == TURNS / 10;
}
