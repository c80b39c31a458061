/* Fuzzes the metadata reader, and what asks the metadata that it lets pass: lookups, filters, and
 * the compiling of the plan's programs. An input's first byte says what the rest is: a whole file,
 * a section as it is before it is packed, or one as it is stored. */
#include "libst/meta.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libst/meta_pack.h"
#include "libst/program.h"
#include "libst/site.h"
#include "libst/st.h"
#include "tests/fuzz/seeds.h"

enum kind { WHOLE_FILE, UNPACKED, STORED, KINDS };

bool st_addressable(const void *p, size_t bytes) {
  (void)p;
  (void)bytes;
  return false;
}

uintptr_t st_image_base(void) {
  return 0;
}

/* Of the part that knows allocation sites; either answer must do. */
bool site_may_point(const struct st_meta *meta, uint32_t type) {
  (void)meta;
  return type % 2;
}

struct file {
  Elf64_Ehdr elf;
  Elf64_Shdr sections[3];
  char names[16];
};

static const char names[16] = "\0" ST_META_SECTION "\0.n";

/* An executable with nothing but this section. */
static void write_file(int fd, const void *section, size_t bytes) {
  struct file f = {
      .elf = {.e_type = ET_DYN,
              .e_machine = EM_X86_64,
              .e_shoff = offsetof(struct file, sections),
              .e_shentsize = sizeof(Elf64_Shdr),
              .e_shnum = 3,
              .e_shstrndx = 2},
      .sections =
          {{0},
           {.sh_name = 1, .sh_type = SHT_PROGBITS, .sh_offset = sizeof(f), .sh_size = bytes},
           {.sh_name = sizeof(ST_META_SECTION) + 1,
            .sh_type = SHT_STRTAB,
            .sh_offset = offsetof(struct file, names),
            .sh_size = sizeof(names)}},
  };
  memcpy(f.elf.e_ident, ELFMAG, SELFMAG);
  f.elf.e_ident[EI_CLASS] = ELFCLASS64;
  f.elf.e_ident[EI_DATA] = ELFDATA2LSB;
  memcpy(f.names, names, sizeof(names));
  if (pwrite(fd, &f, sizeof(f), 0) < 0 || pwrite(fd, section, bytes, sizeof(f)) < 0) abort();
}

static void write_unpacked(int fd, const uint8_t *data, size_t bytes) {
  size_t packed_bytes;
  uint8_t *copy = malloc(bytes + 1);
  memcpy(copy, data, bytes);
  void *packed = st_meta_pack(copy, bytes, &packed_bytes);
  if (packed) write_file(fd, packed, packed_bytes);
  free(packed);
  free(copy);
}

static void ask_programs(const struct st_meta *meta) {
  struct programs *programs = programs_new(meta, meta);
  struct pointed any = {0};
  bool exact;
  for (uint32_t i = 0; i < meta->header->variables.count && i < 64; i++) {
    const struct st_variable *v = &meta->variables[i];
    const struct program *p = program_for(programs, v->type, v->type);
    if (p) program_offset(programs, p, v->size / 2, &any, &exact);
    programs_counterpart(programs, v->type);
  }
  for (uint32_t i = 0; i < meta->header->sites.count && i < 64; i++) {
    struct pointed one = {meta->sites[i].type, meta->sites[i].type, false};
    const struct program *p = program_for(programs, one.old_type, one.new_type);
    if (p) program_block_offset(programs, p, i % 2, 64, i, &one);
  }
  programs_free(programs);
}

static void ask(const struct st_meta *meta) {
  char id[41], error[200];
  st_meta_build_id(meta, id);
  st_meta_variable(meta, st_meta_component(meta), "x.c");
  for (uint32_t i = 0; i < meta->header->variables.count && i < 64; i++) {
    const char *name = st_meta_string(meta, meta->variables[i].name);
    st_meta_variable_at(meta, meta->variables[i].address + 1);
    st_meta_function_at(meta, meta->variables[i].address);
    st_meta_site_at(meta, meta->variables[i].address);
    struct st_filter *filter = st_filter_compile(meta, name, error, sizeof(error));
    if (filter) st_filter_eval(filter);
    st_filter_free(filter);
  }
  ask_programs(meta);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  const char *exe = getenv("FUZZ_SEED");
  if (!exe) return 0;
  char error[200];
  struct st_meta *meta = seed_metadata(exe, error);
  size_t bytes = meta->header->bytes;
  uint8_t *seed = malloc(bytes + 1);
  seed[0] = UNPACKED;
  memcpy(seed + 1, meta->header, bytes);
  seed_write(seed, bytes + 1);
  exit(0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  char error[200];
  int fd = memfd_create("subject", MFD_CLOEXEC);
  enum kind kind = data[0] % KINDS;
  if (kind == UNPACKED)
    write_unpacked(fd, data + 1, size - 1);
  else if (kind == STORED)
    write_file(fd, data + 1, size - 1);
  else if (pwrite(fd, data + 1, size - 1, 0) < 0)
    abort();
  struct st_meta *meta = st_meta_open(fd, error, sizeof(error));
  close(fd);
  if (!meta) return 0;
  ask(meta);
  st_meta_close(meta);
  return 0;
}
