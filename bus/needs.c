#include "bus/needs.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the section ---- */

static bool read_at(int fd, void *to, size_t bytes, uint64_t at) {
  return pread(fd, to, bytes, (off_t)at) == (ssize_t)bytes;
}

static bool read_header(int exe, const Elf64_Ehdr *head, unsigned i, Elf64_Shdr *section) {
  return read_at(exe, section, sizeof(*section), head->e_shoff + i * sizeof(*section));
}

static bool is_needs(int exe, const Elf64_Shdr *names, const Elf64_Shdr *section) {
  char name[sizeof(NEEDS_SECTION)];
  return read_at(exe, name, sizeof(name), names->sh_offset + section->sh_name) &&
         memcmp(name, NEEDS_SECTION, sizeof(name)) == 0;
}

/* @return bytes, 0 when it needs nothing, or -ENOEXEC */
static int read_needs(int exe, char needs[NEEDS_MAX_BYTES]) {
  Elf64_Ehdr head;
  Elf64_Shdr names, section;
  if (!read_at(exe, &head, sizeof(head), 0) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0) return 0;
  if (head.e_shnum == 0) return 0;
  if (head.e_shentsize != sizeof(section) || !read_header(exe, &head, head.e_shstrndx, &names))
    return -ENOEXEC;
  for (unsigned i = 1; i < head.e_shnum; i++) {
    if (!read_header(exe, &head, i, &section)) return -ENOEXEC;
    if (!is_needs(exe, &names, &section)) continue;
    if (section.sh_size == 0 || section.sh_size > NEEDS_MAX_BYTES) return -ENOEXEC;
    bool whole =
        read_at(exe, needs, section.sh_size, section.sh_offset) && needs[section.sh_size - 1] == 0;
    return whole ? (int)section.sh_size : -ENOEXEC;
  }
  return 0;
}

/* ---- lists ---- */

struct pair {
  const char *kind, *name;
};

/* Takes the first pair off a list whose last byte is 0. @return false at its end */
static bool next_pair(const char **list, size_t *left, struct pair *p) {
  if (*left == 0) return false;
  p->kind = *list;
  size_t n = strlen(p->kind) + 1;
  if (n == *left) return false;
  p->name = *list + n;
  n += strlen(p->name) + 1;
  *list += n;
  *left -= n;
  return true;
}

static bool is_given(const char *given, size_t bytes, const struct pair *need) {
  struct pair p;
  while (next_pair(&given, &bytes, &p))
    if (strcmp(p.kind, need->kind) == 0 && strcmp(p.name, need->name) == 0) return true;
  return false;
}

static const char *argument(const char *given, size_t bytes, unsigned number) {
  struct pair p;
  while (next_pair(&given, &bytes, &p))
    if (strcmp(p.kind, "argument") == 0 && --number == 0) return p.name;
  return NULL;
}

/* "${N:-DEFAULT}REST" or "${N}REST": the N-th argument, as in a shell. @return false: malformed */
static bool expand(const char *name, const char *given, size_t bytes, char *to, size_t cap) {
  if (strncmp(name, "${", 2) != 0) return snprintf(to, cap, "%s", name) < (int)cap;
  char *after;
  unsigned long number = strtoul(name + 2, &after, 10);
  const char *end = strchr(name, '}');
  if (!isdigit((unsigned char)name[2]) || number == 0 || number > 64 || !end) return false;
  int length = 0;
  if (strncmp(after, ":-", 2) == 0)
    after += 2, length = (int)(end - after);
  else if (after != end)
    return false;
  const char *value = argument(given, bytes, (unsigned)number);
  if (!value || !*value) return snprintf(to, cap, "%.*s%s", length, after, end + 1) < (int)cap;
  return snprintf(to, cap, "%s%s", value, end + 1) < (int)cap;
}

/* ---- the message ---- */

static const struct {
  const char *kind, *format;
} words[] = {
    {"call", "`calls: [{to: %s}]`"}, {"send", "`sends: [%s]`"},        {"kernel", "`kernel: [%s]`"},
    {"syscall", "`syscalls: [%s]`"}, {"region", "to share region %s"},
};

static void name_need(const struct pair *need, char *text, size_t cap) {
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    if (strcmp(words[i].kind, need->kind) != 0) continue;
    snprintf(text, cap, words[i].format, need->name);
    return;
  }
  snprintf(text, cap, "'%s %s', which this system does not know", need->kind, need->name);
}

static void add_missing(const struct pair *need, unsigned before, char *text, size_t cap) {
  size_t used = strlen(text);
  if (before) used += (size_t)snprintf(text + used, cap - used, ", ");
  if (used < cap) name_need(need, text + used, cap - used);
}

int needs_check(int exe, const char *subject, const char *given, size_t bytes, char *why,
                size_t cap) {
  char needs[NEEDS_MAX_BYTES], name[256], missing[1024] = "";
  int n = read_needs(exe, needs);
  const char *at = needs;
  size_t left = n > 0 ? (size_t)n : 0;
  unsigned count = 0;
  struct pair need;
  while (n > 0 && next_pair(&at, &left, &need)) {
    if (!expand(need.name, given, bytes, name, sizeof(name))) n = -ENOEXEC;
    need.name = name;
    if (!is_given(given, bytes, &need)) add_missing(&need, count++, missing, sizeof(missing));
  }
  if (n < 0 || left) {
    snprintf(why, cap, "%s: what it needs cannot be read from it (section " NEEDS_SECTION ")",
             subject);
    return -ENOEXEC;
  }
  if (!count) return 0;
  snprintf(why, cap, "%s needs %s, which the manifest does not give it", subject, missing);
  return -EPERM;
}
