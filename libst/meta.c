#include "libst/meta.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "libst/meta_pack.h"

struct st_kept {
  struct st_kept *next;
  max_align_t unused[]; /* aligns what follows */
};

static int refuse(char *error, size_t cap, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int refuse(char *error, size_t cap, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(error, cap, format, args);
  va_end(args);
  return -EINVAL;
}

/* True when [offset, offset + bytes) lies in a whole of `total` bytes. */
static bool within(uint64_t offset, uint64_t bytes, uint64_t total) {
  return offset <= total && bytes <= total - offset;
}

/* Finds the section's bytes in the mapped file. */
static int find_section(const uint8_t *file, size_t total, const uint8_t **data, size_t *bytes,
                        char *error, size_t cap) {
  const Elf64_Ehdr *elf = (const void *)file;
  if (total < sizeof *elf || memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 ||
      elf->e_ident[EI_CLASS] != ELFCLASS64 || elf->e_ident[EI_DATA] != ELFDATA2LSB)
    return refuse(error, cap, "not a 64-bit ELF executable");
  if (elf->e_shoff == 0) return refuse(error, cap, "not instrumented: it has no sections");
  if (elf->e_shoff % 8 != 0 || elf->e_shentsize != sizeof(Elf64_Shdr) ||
      !within(elf->e_shoff, elf->e_shnum * sizeof(Elf64_Shdr), total) ||
      elf->e_shstrndx >= elf->e_shnum)
    return refuse(error, cap, "its section table is damaged");
  const Elf64_Shdr *sections = (const void *)(file + elf->e_shoff);
  const Elf64_Shdr *names = &sections[elf->e_shstrndx];
  if (!within(names->sh_offset, names->sh_size, total))
    return refuse(error, cap, "its section table is damaged");
  for (unsigned i = 0; i < elf->e_shnum; i++) {
    const Elf64_Shdr *s = &sections[i];
    if (!within(s->sh_name, sizeof ST_META_SECTION, names->sh_size) ||
        memcmp(file + names->sh_offset + s->sh_name, ST_META_SECTION, sizeof ST_META_SECTION) != 0)
      continue;
    if (s->sh_type == SHT_NOBITS || !within(s->sh_offset, s->sh_size, total) || s->sh_offset % 8)
      return refuse(error, cap, "its section " ST_META_SECTION " is damaged");
    *data = file + s->sh_offset;
    *bytes = s->sh_size;
    return 0;
  }
  return refuse(error, cap, "not instrumented: no section " ST_META_SECTION " (use st-instrument)");
}

/* The records of a table, or NULL when they do not lie in the section. */
static const void *table(const struct st_meta_header *h, const struct st_table *t, size_t record) {
  static const uint64_t empty;
  if (t->count == 0) return &empty;
  if (t->offset % 8 || !within(t->offset, (uint64_t)t->count * record, h->bytes)) return NULL;
  return (const char *)h + t->offset;
}

static int place_tables(struct st_meta *m) {
  const struct st_meta_header *h = m->header;
  m->strings = table(h, &h->strings, 1);
  m->variables = table(h, &h->variables, sizeof *m->variables);
  m->functions = table(h, &h->functions, sizeof *m->functions);
  m->sites = table(h, &h->sites, sizeof *m->sites);
  m->site_ranges = table(h, &h->site_ranges, sizeof *m->site_ranges);
  m->libraries = table(h, &h->libraries, sizeof *m->libraries);
  m->annotations = table(h, &h->annotations, sizeof *m->annotations);
  return m->strings && m->variables && m->functions && m->sites && m->site_ranges && m->libraries &&
                 m->annotations && h->strings.count > 0 && m->strings[0] == '\0' &&
                 m->strings[h->strings.count - 1] == '\0'
             ? 0
             : -EINVAL;
}

/* libbpf checks that records lie in the blob; references between them are left to the reader. */
static bool type_ids_valid(const struct btf *btf) {
  uint32_t count = btf__type_cnt(btf);
  for (uint32_t id = 1; id < count; id++) {
    const struct btf_type *t = btf__type_by_id(btf, id);
    if (!btf__name_by_offset(btf, t->name_off)) return false;
    switch (btf_kind(t)) {
    case BTF_KIND_PTR:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
      if (t->type >= count) return false;
      break;
    case BTF_KIND_ARRAY:
      if (btf_array(t)->type >= count || btf_array(t)->index_type >= count) return false;
      break;
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
      for (unsigned i = 0; i < btf_vlen(t); i++) {
        const struct btf_member *member = &btf_members(t)[i];
        if (member->type >= count || !btf__name_by_offset(btf, member->name_off)) return false;
      }
      break;
    case BTF_KIND_ENUM:
      for (unsigned i = 0; i < btf_vlen(t); i++)
        if (!btf__name_by_offset(btf, btf_enum(t)[i].name_off)) return false;
      break;
    case BTF_KIND_ENUM64:
      for (unsigned i = 0; i < btf_vlen(t); i++)
        if (!btf__name_by_offset(btf, btf_enum64(t)[i].name_off)) return false;
      break;
    case BTF_KIND_FUNC_PROTO:
      if (t->type >= count) return false;
      for (unsigned i = 0; i < btf_vlen(t); i++)
        if (btf_params(t)[i].type >= count) return false;
      break;
    case BTF_KIND_INT:
    case BTF_KIND_FLOAT:
    case BTF_KIND_FWD:
      break;
    default:
      return false;
    }
  }
  return true;
}

/* Marks of a walk over what types contain by value. */
enum mark { UNSEEN, OPEN, DONE };
enum { MAX_NESTING = 256 };

/* False when a type contains itself, or is nested too deeply: whoever walks it would not end. */
static bool ends(const struct btf *btf, uint32_t id, uint8_t *marks, unsigned depth) {
  if (marks[id] != UNSEEN) return marks[id] == DONE;
  if (depth == MAX_NESTING) return false;
  const struct btf_type *t = btf__type_by_id(btf, id);
  bool good = true;
  marks[id] = OPEN;
  switch (btf_kind(t)) {
  case BTF_KIND_TYPEDEF:
  case BTF_KIND_VOLATILE:
  case BTF_KIND_CONST:
  case BTF_KIND_RESTRICT:
    good = ends(btf, t->type, marks, depth + 1);
    break;
  case BTF_KIND_ARRAY:
    good = ends(btf, btf_array(t)->type, marks, depth + 1);
    break;
  case BTF_KIND_STRUCT:
  case BTF_KIND_UNION:
    for (unsigned i = 0; good && i < btf_vlen(t); i++)
      good = ends(btf, btf_members(t)[i].type, marks, depth + 1);
    break;
  default:
    break;
  }
  marks[id] = DONE;
  return good;
}

static bool types_end(const struct btf *btf) {
  uint32_t count = btf__type_cnt(btf);
  uint8_t *marks = calloc(count, 1);
  bool good = marks != NULL;
  for (uint32_t id = 1; good && id < count; id++)
    good = ends(btf, id, marks, 0);
  free(marks);
  return good;
}

/* Everything that a lookup will follow without asking again. */
static bool records_valid(const struct st_meta *m) {
  const struct st_meta_header *h = m->header;
  uint32_t strings = h->strings.count, types = btf__type_cnt(m->btf);
  if (h->component >= strings) return false;
  for (uint32_t i = 0; i < h->variables.count; i++) {
    const struct st_variable *v = &m->variables[i];
    if (v->name >= strings || v->file >= strings || v->function >= strings || v->note >= strings ||
        v->type >= types || v->nth > v->of || (i > 0 && v[-1].address > v->address))
      return false;
  }
  for (uint32_t i = 0; i < h->functions.count; i++) {
    const struct st_function *f = &m->functions[i];
    if (f->name >= strings || f->file >= strings || (i > 0 && f[-1].address > f->address))
      return false;
  }
  for (uint32_t i = 0; i < h->sites.count; i++) {
    const struct st_site *s = &m->sites[i];
    if (s->file >= strings || s->function >= strings || s->type >= types) return false;
  }
  for (uint32_t i = 0; i < h->site_ranges.count; i++) {
    const struct st_site_range *r = &m->site_ranges[i];
    if (r->site >= h->sites.count || r->lo >= r->hi || (i > 0 && r[-1].hi > r->lo)) return false;
  }
  for (uint32_t i = 0; i < h->libraries.count; i++)
    if (m->libraries[i] >= strings) return false;
  for (uint32_t i = 0; i < h->annotations.count; i++) {
    const struct st_annotation *a = &m->annotations[i];
    if (a->kind == 0 || a->kind >= ST_ANNOTATE_KINDS || a->target == 0 || a->target >= ST_TARGETS ||
        a->type >= types || a->operand >= types || a->scope >= strings || a->name >= strings ||
        a->argument >= strings || a->unit >= strings || a->file >= strings)
      return false;
  }
  return true;
}

/* `data` stays while `m` does. */
static int read_plain(struct st_meta *m, const void *data, size_t bytes, char *error, size_t cap) {
  const struct st_meta_header *h = m->header = data;
  if (bytes < sizeof *h || h->magic != ST_META_MAGIC)
    return refuse(error, cap, "its section " ST_META_SECTION " is damaged: no header");
  if (h->version != ST_META_VERSION)
    return refuse(error, cap, "its metadata has version %u, this libst reads %u: build it again",
                  h->version, ST_META_VERSION);
  if (h->bytes > bytes || place_tables(m) < 0)
    return refuse(error, cap, "its section " ST_META_SECTION " is damaged: a table lies outside");
  const void *types = table(h, &h->btf, 1);
  libbpf_print_fn_t print = libbpf_set_print(NULL); /* the error is told here */
  if (types) m->btf = btf__new(types, h->btf.count);
  libbpf_set_print(print);
  if (!m->btf || !type_ids_valid(m->btf) || !types_end(m->btf))
    return refuse(error, cap, "its section " ST_META_SECTION " is damaged: types");
  if (!records_valid(m))
    return refuse(error, cap, "its section " ST_META_SECTION " is damaged: records");
  return 0;
}

static bool is_packed(const void *data, size_t bytes) {
  const struct st_meta_packed *packed = data;
  return bytes >= sizeof *packed && packed->magic == ST_META_PACKED_MAGIC;
}

struct st_meta *st_meta_read(const void *data, size_t bytes, char *error, size_t error_cap) {
  struct st_meta *m = calloc(1, sizeof *m);
  if (!m) {
    refuse(error, error_cap, "out of memory");
    return NULL;
  }
  if (is_packed(data, bytes)) {
    m->section = st_meta_unpack(data, bytes, &bytes);
  } else if ((m->section = malloc(bytes + 1))) {
    memcpy(m->section, data, bytes);
  }
  if (!m->section)
    refuse(error, error_cap, "its section " ST_META_SECTION " is damaged: it cannot be unpacked");
  else if (read_plain(m, m->section, bytes, error, error_cap) == 0)
    return m;
  st_meta_close(m);
  return NULL;
}

struct st_meta *st_meta_open(int fd, char *error, size_t error_cap) {
  struct stat st = {0};
  void *map = MAP_FAILED;
  if (fstat(fd, &st) == 0 && st.st_size > 0)
    map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (map == MAP_FAILED) {
    refuse(error, error_cap, "cannot be read: %s", st.st_size ? strerror(errno) : "empty file");
    return NULL;
  }
  const uint8_t *data = NULL;
  size_t bytes = 0;
  struct st_meta *m = NULL;
  if (find_section(map, st.st_size, &data, &bytes, error, error_cap) == 0)
    m = st_meta_read(data, bytes, error, error_cap);
  munmap(map, st.st_size);
  return m;
}

void st_meta_close(struct st_meta *meta) {
  if (!meta) return;
  btf__free(meta->btf);
  for (struct st_kept *k = meta->kept, *next; k; k = next) {
    next = k->next;
    free(k);
  }
  free(meta->section);
  free(meta);
}

void *st_meta_keep(struct st_meta *meta, size_t bytes) {
  struct st_kept *k = calloc(1, sizeof *k + bytes);
  if (!k) return NULL;
  k->next = meta->kept;
  meta->kept = k;
  return k + 1;
}

const char *st_meta_component(const struct st_meta *meta) {
  return st_meta_string(meta, meta->header->component);
}

void st_meta_build_id(const struct st_meta *meta, char out[41]) {
  for (unsigned i = 0; i < sizeof meta->header->build_id; i++)
    sprintf(out + 2 * i, "%02x", meta->header->build_id[i]);
}

const char *st_meta_string(const struct st_meta *meta, uint32_t offset) {
  return offset < meta->header->strings.count ? meta->strings + offset : "";
}

const struct st_variable *st_meta_variable(const struct st_meta *meta, const char *name,
                                           const char *file) {
  const struct st_variable *found = NULL;
  for (uint32_t i = 0; i < meta->header->variables.count; i++) {
    const struct st_variable *v = &meta->variables[i];
    if (strcmp(meta->strings + v->name, name) != 0) continue;
    if (file && strcmp(meta->strings + v->file, file) != 0) continue;
    if (!found || (found->function && !v->function)) found = v;
  }
  return found;
}

/* Index of the last of `count` records whose leading address is not above `address`, or -1.
 * `first` points at that address in the first record. */
static ptrdiff_t last_below(const uint64_t *first, size_t record, size_t count, uint64_t address) {
  size_t lo = 0, hi = count;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    const uint64_t *at = (const void *)((const char *)first + mid * record);
    if (*at <= address)
      lo = mid + 1;
    else
      hi = mid;
  }
  return (ptrdiff_t)lo - 1;
}

const struct st_variable *st_meta_variable_at(const struct st_meta *meta, uint64_t address) {
  const struct st_variable *v = meta->variables;
  ptrdiff_t i = last_below(&v->address, sizeof *v, meta->header->variables.count, address);
  return i >= 0 && address - v[i].address < v[i].size ? &v[i] : NULL;
}

const struct st_function *st_meta_function_at(const struct st_meta *meta, uint64_t address) {
  const struct st_function *f = meta->functions;
  ptrdiff_t i = last_below(&f->address, sizeof *f, meta->header->functions.count, address);
  return i >= 0 && address - f[i].address < f[i].size ? &f[i] : NULL;
}

const struct st_site *st_meta_site_at(const struct st_meta *meta, uint64_t return_address) {
  const struct st_site_range *r = meta->site_ranges;
  uint64_t inside = return_address - 1;
  ptrdiff_t i = last_below(&r->lo, sizeof *r, meta->header->site_ranges.count, inside);
  return i >= 0 && inside < r[i].hi ? &meta->sites[r[i].site] : NULL;
}
