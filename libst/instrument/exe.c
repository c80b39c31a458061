#include "exe.h"
#include "array.h"
#include "libst/meta.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void read_file(struct exe *exe) {
  int fd = open(exe->path, O_RDONLY | O_CLOEXEC);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0) fail("%s: %s", exe->path, strerror(errno));
  if (!S_ISREG(st.st_mode)) fail("%s: not a regular file", exe->path);
  exe->written = st.st_mtim;
  exe->bytes = malloc(st.st_size + 1);
  if (!exe->bytes) fail("out of memory");
  while (exe->count < (size_t)st.st_size) {
    ssize_t r = read(fd, exe->bytes + exe->count, st.st_size - exe->count);
    if (r <= 0) fail("%s: cannot be read: %s", exe->path, r ? strerror(errno) : "it shrank");
    exe->count += r;
  }
  close(fd);
}

static void check_kind(const struct exe *exe) {
  GElf_Ehdr header;
  if (elf_kind(exe->elf) != ELF_K_ELF || !gelf_getehdr(exe->elf, &header))
    fail("%s: not an ELF file", exe->path);
  if (header.e_machine != EM_X86_64) fail("%s: not built for x86-64", exe->path);
  if (header.e_type == ET_REL)
    fail("%s: an object file; instrument the linked executable", exe->path);
  if (header.e_type != ET_DYN)
    fail("%s: not position-independent: compile with -fPIE and link with -pie", exe->path);
  size_t segments = 0;
  bool dynamic = false;
  elf_getphdrnum(exe->elf, &segments);
  for (size_t i = 0; i < segments; i++) {
    GElf_Phdr p;
    dynamic |= gelf_getphdr(exe->elf, i, &p) && p.p_type == PT_INTERP;
  }
  if (!dynamic)
    fail("%s: linked statically, so that libc's state is among its own: link without -static",
         exe->path);
}

static Elf_Scn *section(const struct exe *exe, const char *name, GElf_Shdr *header) {
  size_t names;
  if (elf_getshdrstrndx(exe->elf, &names) < 0) return NULL;
  for (Elf_Scn *s = elf_nextscn(exe->elf, NULL); s; s = elf_nextscn(exe->elf, s)) {
    gelf_getshdr(s, header);
    const char *found = elf_strptr(exe->elf, names, header->sh_name);
    if (found && strcmp(found, name) == 0) return s;
  }
  return NULL;
}

static void read_build_id(struct exe *exe) {
  const void *id;
  ssize_t bytes = dwelf_elf_gnu_build_id(exe->elf, &id);
  if (bytes <= 0) fail("%s: has no build id: link with -Wl,--build-id=sha1", exe->path);
  if ((size_t)bytes > sizeof exe->build_id) bytes = sizeof exe->build_id;
  memcpy(exe->build_id, id, bytes);
}

static void read_symbols(struct exe *exe) {
  GElf_Shdr header;
  Elf_Scn *s = section(exe, ".symtab", &header);
  Elf_Data *symbols = s ? elf_getdata(s, NULL) : NULL;
  Elf_Data *names = s ? elf_getdata(elf_getscn(exe->elf, header.sh_link), NULL) : NULL;
  if (!symbols || !names) return;
  exe->symbols = symbols->d_buf;
  exe->symbol_count = symbols->d_size / sizeof *exe->symbols;
  exe->symbol_names = names->d_buf;
}

struct exe *exe_open(const char *path) {
  struct exe *exe = calloc(1, sizeof *exe);
  if (!exe) fail("out of memory");
  exe->path = path;
  read_file(exe);
  elf_version(EV_CURRENT);
  exe->elf = elf_memory((char *)exe->bytes, exe->count);
  check_kind(exe);
  GElf_Shdr header;
  if (section(exe, ST_META_SECTION, &header)) fail("%s: is instrumented already", path);
  exe->dwarf = dwarf_begin_elf(exe->elf, DWARF_C_READ, NULL);
  if (!exe->dwarf || !section(exe, ".debug_info", &header))
    fail("%s: has no debug information: built without -g, or stripped", path);
  read_build_id(exe);
  read_symbols(exe);
  return exe;
}

void exe_close(struct exe *exe) {
  dwarf_end(exe->dwarf);
  elf_end(exe->elf);
  free(exe->bytes);
  free(exe);
}

bool exe_read_only(const struct exe *exe, uint64_t address) {
  size_t count = 0;
  bool read_only = false;
  elf_getphdrnum(exe->elf, &count);
  for (size_t i = 0; i < count; i++) {
    GElf_Phdr p;
    if (!gelf_getphdr(exe->elf, i, &p) || address - p.p_vaddr >= p.p_memsz) continue;
    if (p.p_type == PT_GNU_RELRO) return true;
    if (p.p_type == PT_LOAD) read_only = !(p.p_flags & PF_W);
  }
  return read_only;
}

bool exe_loaded(const struct exe *exe, uint64_t address) {
  for (Elf_Scn *s = elf_nextscn(exe->elf, NULL); s; s = elf_nextscn(exe->elf, s)) {
    GElf_Shdr header;
    if (gelf_getshdr(s, &header) && (header.sh_flags & SHF_ALLOC) && address >= header.sh_addr &&
        address - header.sh_addr <= header.sh_size)
      return true;
  }
  return false;
}

const uint8_t *exe_at(const struct exe *exe, uint64_t address, size_t bytes) {
  size_t count = 0;
  elf_getphdrnum(exe->elf, &count);
  for (size_t i = 0; i < count; i++) {
    GElf_Phdr p;
    if (!gelf_getphdr(exe->elf, i, &p) || p.p_type != PT_LOAD) continue;
    uint64_t offset = address - p.p_vaddr;
    if (address < p.p_vaddr || offset >= p.p_filesz || bytes > p.p_filesz - offset) continue;
    return exe->bytes + p.p_offset + offset;
  }
  return NULL;
}

const char *exe_section(const struct exe *exe, const char *name, size_t *bytes) {
  GElf_Shdr header;
  Elf_Scn *s = section(exe, name, &header);
  Elf_Data *data = s ? elf_rawdata(s, NULL) : NULL;
  *bytes = data ? data->d_size : 0;
  return data ? data->d_buf : NULL;
}

/* The `index`-th symbol of a type (STT_OBJECT, STT_TLS) with a value. */
static const Elf64_Sym *object(const struct exe *exe, unsigned type, uint64_t value, size_t index) {
  for (size_t i = 0; i < exe->symbol_count; i++) {
    const Elf64_Sym *s = &exe->symbols[i];
    if (ELF64_ST_TYPE(s->st_info) == type && s->st_shndx != SHN_UNDEF && s->st_value == value &&
        index-- == 0)
      return s;
  }
  return NULL;
}

uint64_t exe_object_size(const struct exe *exe, uint64_t address) {
  const Elf64_Sym *s = object(exe, STT_OBJECT, address, 0);
  return s ? s->st_size : 0;
}

const char *exe_object_name(const struct exe *exe, bool threads, uint64_t address, size_t index) {
  const Elf64_Sym *s = object(exe, threads ? STT_TLS : STT_OBJECT, address, index);
  return s ? exe->symbol_names + s->st_name : NULL;
}

bool exe_is_symbol_of(const char *symbol, const char *name) {
  size_t length = strlen(name);
  for (const char *part = symbol; part; part = strchr(part, '.')) {
    part += *part == '.';
    if (strncmp(part, name, length) == 0 && (part[length] == '\0' || part[length] == '.'))
      return true;
  }
  return false;
}

bool exe_object_named(const struct exe *exe, const char *name, uint64_t *address) {
  for (size_t i = 0; i < exe->symbol_count; i++) {
    const Elf64_Sym *s = &exe->symbols[i];
    if (ELF64_ST_TYPE(s->st_info) != STT_OBJECT || s->st_shndx == SHN_UNDEF ||
        strcmp(exe->symbol_names + s->st_name, name) != 0)
      continue;
    *address = s->st_value;
    return true;
  }
  return false;
}

const char *exe_needed(const struct exe *exe, size_t index) {
  GElf_Shdr header;
  GElf_Dyn entry;
  Elf_Scn *s = section(exe, ".dynamic", &header);
  Elf_Data *data = s ? elf_getdata(s, NULL) : NULL;
  for (int i = 0; data && gelf_getdyn(data, i, &entry); i++)
    if (entry.d_tag == DT_NEEDED && index-- == 0)
      return elf_strptr(exe->elf, header.sh_link, entry.d_un.d_val);
  return NULL;
}

bool exe_needs(const struct exe *exe, const char *soname) {
  const char *name;
  for (size_t i = 0; (name = exe_needed(exe, i)); i++)
    if (strcmp(name, soname) == 0) return true;
  return false;
}

/* A file being put together in memory. */
struct image {
  uint8_t *bytes;
  size_t count;
};

static size_t append(struct image *image, const void *data, size_t bytes) {
  size_t at = (image->count + 7) & ~(size_t)7;
  image->bytes = realloc(image->bytes, at + bytes);
  if (!image->bytes) fail("out of memory");
  memset(image->bytes + image->count, 0, at - image->count);
  memcpy(image->bytes + at, data, bytes);
  image->count = at + bytes;
  return at;
}

/* Everything new goes to the end of the file: the data, the section names with one more, the
 * section table with one more. */
static struct image with_section(const struct exe *exe, const char *name, const void *data,
                                 size_t bytes) {
  struct image image = {0};
  append(&image, exe->bytes, exe->count);
  const Elf64_Ehdr *old = (const void *)exe->bytes;
  const Elf64_Shdr *old_sections = (const void *)(exe->bytes + old->e_shoff);
  size_t table = old->e_shnum * sizeof *old_sections;
  Elf64_Shdr *sections = calloc(old->e_shnum + 1, sizeof *sections);
  Elf64_Shdr *names = &sections[old->e_shstrndx], *added = &sections[old->e_shnum];
  if (!sections) fail("out of memory");
  memcpy(sections, old_sections, table);

  added->sh_name = names->sh_size;
  added->sh_type = SHT_PROGBITS;
  added->sh_addralign = 8;
  added->sh_size = bytes;
  added->sh_offset = append(&image, data, bytes);

  char *strings = calloc(1, names->sh_size + strlen(name) + 1);
  if (!strings) fail("out of memory");
  memcpy(strings, exe->bytes + names->sh_offset, names->sh_size);
  strcpy(strings + names->sh_size, name);
  names->sh_size += strlen(name) + 1;
  names->sh_offset = append(&image, strings, names->sh_size);

  size_t at = append(&image, sections, table + sizeof *sections);
  Elf64_Ehdr *header = (void *)image.bytes;
  header->e_shoff = at;
  header->e_shnum++;
  free(strings);
  free(sections);
  return image;
}

void exe_write(const struct exe *exe, const char *path, const char *section, const void *data,
               size_t bytes) {
  struct image image = with_section(exe, section, data, bytes);
  /* A new file, not new contents: the old one may be running. */
  if (unlink(path) < 0 && errno != ENOENT) fail("%s: %s", path, strerror(errno));
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0777);
  if (fd < 0) fail("%s: %s", path, strerror(errno));
  for (size_t done = 0; done < image.count;) {
    ssize_t r = write(fd, image.bytes + done, image.count - done);
    if (r < 0) {
      int error = errno;
      unlink(path);
      fail("%s: %s", path, strerror(error));
    }
    done += r;
  }
  close(fd);
  free(image.bytes);
}
