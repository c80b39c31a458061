#include "libst/image.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libst/meta.h"

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static void note_build_id(struct image *image, const char *note, size_t bytes) {
  while (bytes >= sizeof(Elf64_Nhdr)) {
    const Elf64_Nhdr *n = (const Elf64_Nhdr *)note;
    size_t name = (n->n_namesz + 3u) & ~3u, desc = (n->n_descsz + 3u) & ~3u;
    if (n->n_type == NT_GNU_BUILD_ID && n->n_namesz == 4) {
      size_t size = n->n_descsz < 20 ? n->n_descsz : 20;
      memcpy(image->build_id, note + sizeof(*n) + name, size);
      return;
    }
    size_t step = sizeof(*n) + name + desc;
    if (step > bytes) return;
    note += step;
    bytes -= step;
  }
}

struct scan {
  struct images *images;
  struct {
    char path[512];
  } * paths;
  int err;
};

static int scan_one(struct dl_phdr_info *info, size_t size, void *ctx) {
  (void)size;
  struct scan *scan = ctx;
  struct images *im = scan->images;
  struct image *grown = realloc(im->image, (im->count + 1) * sizeof(*grown));
  if (grown) im->image = grown;
  void *paths = realloc(scan->paths, (im->count + 1) * sizeof(*scan->paths));
  if (paths) scan->paths = paths;
  if (!grown || !paths) {
    scan->err = -ENOMEM;
    return 1;
  }
  struct image *i = &im->image[im->count];
  memset(i, 0, sizeof(*i));
  snprintf(i->name, sizeof(i->name), "%.63s", im->count ? base_name(info->dlpi_name) : "");
  snprintf(scan->paths[im->count].path, sizeof(scan->paths[0].path), "%s", info->dlpi_name);
  im->count++;
  i->base = info->dlpi_addr;
  i->start = UINTPTR_MAX;
  for (unsigned p = 0; p < info->dlpi_phnum; p++) {
    const Elf64_Phdr *ph = &info->dlpi_phdr[p];
    uintptr_t at = i->base + ph->p_vaddr;
    if (ph->p_type == PT_LOAD) {
      if (at < i->start) i->start = at & ~4095ul;
      if (at + ph->p_memsz > i->end) i->end = at + ph->p_memsz;
    } else if (ph->p_type == PT_NOTE) {
      note_build_id(i, (const char *)at, ph->p_memsz);
    }
  }
  return 0;
}

/* Writable data proper: neither what the dynamic linker owns nor what it makes read-only. */
static bool is_state_section(const struct elf_file *elf, const Elf64_Shdr *s) {
  const char *name = elf_section_name(elf, s);
  return (s->sh_flags & (SHF_WRITE | SHF_ALLOC | SHF_TLS)) == (SHF_WRITE | SHF_ALLOC) &&
         (s->sh_type == SHT_PROGBITS || s->sh_type == SHT_NOBITS) && s->sh_size > 0 &&
         strncmp(name, ".got", 4) != 0 && strncmp(name, ".data.rel.ro", 12) != 0;
}

static int add_segments(struct image *image, const struct elf_file *elf) {
  image->state = true;
  for (unsigned i = 1; i < elf->header->e_shnum; i++) {
    const Elf64_Shdr *s = &elf->sections[i];
    if (!is_state_section(elf, s)) continue;
    if (image->segment_count == IMAGE_SEGMENTS) return -E2BIG;
    image->segments[image->segment_count++] =
        (struct image_segment){.address = image->base + s->sh_addr, .bytes = s->sh_size};
  }
  return 0;
}

static int add_copy(struct images *im, const struct image_copy *copy) {
  struct image_copy *grown = realloc(im->copies, (im->copy_count + 1) * sizeof(*grown));
  if (!grown) return -ENOMEM;
  im->copies = grown;
  im->copies[im->copy_count++] = *copy;
  return 0;
}

/* Finds the executable's copies of variables that state library `index` defines. */
static int add_copies(struct images *im, const struct elf_file *exe, const struct elf_file *lib,
                      unsigned index) {
  size_t relocations, exe_count, lib_count;
  const char *exe_names, *lib_names;
  const Elf64_Rela *rela = elf_relocations(exe, ".rela.dyn", &relocations);
  const Elf64_Sym *exe_syms = elf_symbols(exe, &exe_count, &exe_names);
  const Elf64_Sym *lib_syms = elf_symbols(lib, &lib_count, &lib_names);
  if (!rela || !exe_syms || !lib_syms) return 0;
  for (size_t r = 0; r < relocations; r++) {
    if (ELF64_R_TYPE(rela[r].r_info) != R_X86_64_COPY) continue;
    const Elf64_Sym *sym = &exe_syms[ELF64_R_SYM(rela[r].r_info)];
    for (size_t s = 1; s < lib_count; s++) {
      if (lib_syms[s].st_shndx == SHN_UNDEF ||
          strcmp(lib_names + lib_syms[s].st_name, exe_names + sym->st_name) != 0)
        continue;
      int err = add_copy(im, &(struct image_copy){im->image[0].base + rela[r].r_offset,
                                                  sym->st_size, index, lib_syms[s].st_value});
      if (err) return err;
      break;
    }
  }
  return 0;
}

static int add_library(struct images *im, const struct elf_file *exe, const char *soname,
                       const struct scan *scan) {
  for (unsigned i = 1; i < im->count; i++) {
    if (strcmp(im->image[i].name, soname) != 0) continue;
    struct elf_file lib;
    int fd = open(scan->paths[i].path, O_RDONLY | O_CLOEXEC);
    int err = fd < 0 ? -errno : elf_file_open(&lib, fd);
    if (fd >= 0) close(fd);
    if (err) return err;
    err = add_segments(&im->image[i], &lib);
    if (!err) err = add_copies(im, exe, &lib, i);
    elf_file_close(&lib);
    return err;
  }
  return -ENOENT;
}

/* Segments keep their places to each other in a snapshot, so that their pages can be a part of it.
 */
static void lay_out(struct images *im) {
  size_t at = IMAGE_PAGE;
  for (unsigned i = 0; i < im->count; i++) {
    struct image *image = &im->image[i];
    uintptr_t start = UINTPTR_MAX, end = 0;
    for (unsigned s = 0; s < image->segment_count; s++) {
      const struct image_segment *seg = &image->segments[s];
      if (seg->address < start) start = seg->address;
      if (seg->address + seg->bytes > end) end = seg->address + seg->bytes;
    }
    if (end == 0) continue;
    image->data = start & -IMAGE_PAGE;
    image->data_bytes = ((end + IMAGE_PAGE - 1) & -IMAGE_PAGE) - image->data;
    image->offset = at;
    for (unsigned s = 0; s < image->segment_count; s++)
      image->segments[s].offset = at + (image->segments[s].address - image->data);
    at += image->data_bytes;
  }
  im->snapshot_bytes = at;
}

int images_scan(struct images *im, const struct elf_file *exe, const struct st_meta *meta) {
  *im = (struct images){0};
  struct scan scan = {.images = im};
  dl_iterate_phdr(scan_one, &scan);
  int err = scan.err ? scan.err : add_segments(&im->image[0], exe);
  for (uint32_t i = 0; !err && i < meta->header->libraries.count; i++) {
    const char *soname = st_meta_string(meta, meta->libraries[i]);
    err = add_library(im, exe, soname, &scan);
    if (err) fprintf(stderr, "libst: state library %s: %s\n", soname, strerror(-err));
  }
  free(scan.paths);
  lay_out(im);
  return err;
}

const struct image *images_at(const struct images *im, uintptr_t address) {
  for (unsigned i = 0; i < im->count; i++)
    if (address >= im->image[i].start && address < im->image[i].end) return &im->image[i];
  return NULL;
}

const struct image *images_named(const struct images *im, const char *name) {
  for (unsigned i = 0; i < im->count; i++)
    if (strcmp(im->image[i].name, name) == 0) return &im->image[i];
  return NULL;
}

uint64_t images_offset(const struct images *im, uintptr_t address, size_t bytes) {
  for (unsigned i = 0; i < im->count; i++)
    for (unsigned s = 0; s < im->image[i].segment_count; s++) {
      const struct image_segment *seg = &im->image[i].segments[s];
      if (address - seg->address < seg->bytes && bytes <= seg->bytes - (address - seg->address))
        return seg->offset + (address - seg->address);
    }
  return 0;
}

void images_copy_apply(const struct images *im, unsigned char *snapshot) {
  for (unsigned c = 0; c < im->copy_count; c++) {
    const struct image_copy *copy = &im->copies[c];
    uintptr_t own = im->image[copy->image].base + copy->defined;
    uint64_t to = images_offset(im, own, copy->bytes);
    uint64_t from = images_offset(im, copy->address, copy->bytes);
    if (to && from) memcpy(snapshot + to, snapshot + from, copy->bytes);
  }
}

void images_free(struct images *im) {
  free(im->image);
  free(im->copies);
  *im = (struct images){0};
}
