/* Damages the metadata of an executable in many ways and asks everything of what can still be
 * opened, filters included. Built with sanitizers, which end it at the first wrong access. */
#include "libst/meta.h"
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

static unsigned compiled;

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

int main(int argc, char **argv) {
  int fd = open(argc > 1 ? argv[1] : "", O_RDONLY | O_CLOEXEC);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0) return 2;
  uint8_t *good = malloc(st.st_size), *bad = malloc(st.st_size);
  if (!good || !bad || read(fd, good, st.st_size) != st.st_size) return 2;
  size_t start = 0, bytes = 0;
  find_section(good, &start, &bytes);
  if (bytes == 0) return 2;
  int victim = memfd_create("victim", MFD_CLOEXEC);
  unsigned opened = 0;
  for (unsigned turn = 0; turn < TURNS; turn++) {
    memcpy(bad, good, st.st_size);
    size_t whole = st.st_size;
    for (unsigned n = turn ? random_below(5) : 0; n > 0; n--)
      bad[start + random_below(turn % 3 ? bytes : 256)] ^= 1 << random_below(8);
    if (turn % 50 == 49) whole = random_below(whole);
    if (ftruncate(victim, 0) < 0 || pwrite(victim, bad, whole, 0) != (ssize_t)whole) return 2;
    char error[200];
    struct st_meta *meta = st_meta_open(victim, error, sizeof error);
    if (!meta) continue;
    opened++;
    ask(meta);
    st_meta_close(meta);
  }
  printf("%u of %u opened, %u filters compiled\n", opened, TURNS, compiled);
  free(good);
  free(bad);
  /* Most damage is to names and numbers, which are then merely other ones. */
  return opened == 0 || opened == TURNS || compiled == 0;
}
