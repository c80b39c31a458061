/* st-meta: prints what an instrumented executable carries. */
#include "libst/annotation.h"
#include "libst/meta.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Prints a type as C would name it, qualifiers and pointers first. */
static void print_type(const struct btf *btf, uint32_t id) {
  const struct btf_type *t = btf__type_by_id(btf, id);
  if (id == 0 || !t) {
    printf("void");
    return;
  }
  const char *name = btf__name_by_offset(btf, t->name_off);
  switch (btf_kind(t)) {
  case BTF_KIND_PTR:
    print_type(btf, t->type);
    printf(" *");
    break;
  case BTF_KIND_CONST:
    printf("const ");
    print_type(btf, t->type);
    break;
  case BTF_KIND_VOLATILE:
    printf("volatile ");
    print_type(btf, t->type);
    break;
  case BTF_KIND_RESTRICT:
    print_type(btf, t->type);
    printf(" restrict");
    break;
  case BTF_KIND_ARRAY:
    print_type(btf, btf_array(t)->type);
    printf("[%u]", btf_array(t)->nelems);
    break;
  case BTF_KIND_FUNC_PROTO:
    printf("function returning ");
    print_type(btf, t->type);
    break;
  case BTF_KIND_STRUCT:
    printf("struct %s#%u", name, id);
    break;
  case BTF_KIND_UNION:
    printf("union %s#%u", name, id);
    break;
  case BTF_KIND_ENUM:
  case BTF_KIND_ENUM64:
    printf("enum %s#%u", name, id);
    break;
  case BTF_KIND_FWD:
    printf("opaque %s#%u", name, id);
    break;
  default:
    printf("%s", name);
    break;
  }
}

static void print_types(const struct btf *btf) {
  for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
    const struct btf_type *t = btf__type_by_id(btf, id);
    if (!btf_is_composite(t)) continue;
    printf("type ");
    print_type(btf, id);
    printf(" %u bytes\n", t->size);
    for (unsigned i = 0; i < btf_vlen(t); i++) {
      uint32_t bit = btf_member_bit_offset(t, i), width = btf_member_bitfield_size(t, i);
      printf("  %u", bit / 8);
      if (width) printf(".%u:%u", bit % 8, width);
      printf(" %s: ", btf__name_by_offset(btf, btf_members(t)[i].name_off));
      print_type(btf, btf_members(t)[i].type);
      printf("\n");
    }
  }
}

static void print_variables(const struct st_meta *m) {
  for (uint32_t i = 0; i < m->header->variables.count; i++) {
    const struct st_variable *v = &m->variables[i];
    printf("variable %06" PRIx64 " %" PRIu64 " %s", v->address, v->size,
           st_meta_string(m, v->name));
    printf(": ");
    print_type(m->btf, v->type);
    printf(" (%s", st_meta_string(m, v->file));
    if (v->function) printf(", in %s", st_meta_string(m, v->function));
    if (v->of) printf(", %u of %u", v->nth, v->of);
    if (v->flags & ST_VAR_STATIC) printf(", static");
    if (v->flags & ST_VAR_CONST) printf(", const");
    if (v->flags & ST_VAR_REFUSED) printf(", refused: %s", st_meta_string(m, v->note));
    printf(")\n");
  }
}

static void print_functions(const struct st_meta *m) {
  for (uint32_t i = 0; i < m->header->functions.count; i++) {
    const struct st_function *f = &m->functions[i];
    printf("function %06" PRIx64 " %" PRIu64 " %s (%s%s%s)\n", f->address, f->size,
           st_meta_string(m, f->name), st_meta_string(m, f->file),
           f->flags & ST_FUNC_STATIC ? ", static" : "",
           f->flags & ST_FUNC_WRAPPER ? ", allocator wrapper" : "");
  }
}

static void print_sites(const struct st_meta *m) {
  for (uint32_t i = 0; i < m->header->sites.count; i++) {
    const struct st_site *s = &m->sites[i];
    printf("site %s:%u:%u in %s: ", st_meta_string(m, s->file), s->line, s->column,
           st_meta_string(m, s->function));
    if (s->flags & ST_SITE_CALLER)
      printf("its caller's");
    else if (s->type == 0)
      printf("untyped");
    else
      print_type(m->btf, s->type);
    if (s->flags & ST_SITE_FLEXIBLE) printf(" (flexible)");
    if (s->flags & ST_SITE_UNSIZED) printf(" (if of its size)");
    for (uint32_t r = 0; r < m->header->site_ranges.count; r++)
      if (m->site_ranges[r].site == i)
        printf(" (%06" PRIx64 ",%06" PRIx64 "]", m->site_ranges[r].lo, m->site_ranges[r].hi);
    printf("\n");
  }
}

static void print_annotations(const struct st_meta *m) {
  char text[512];
  for (uint32_t i = 0; i < m->header->annotations.count; i++)
    printf("annotation %s\n", annotation_text(m, &m->annotations[i], text, sizeof text));
}

static const char usage[] = "usage: st-meta dump EXECUTABLE\n"
                            "       st-meta --help\n";

static const char help[] =
    "NAME\n"
    "  st-meta - print what st-instrument wrote into an executable\n"
    "\n"
    "SYNOPSIS\n"
    "  st-meta dump EXECUTABLE\n"
    "\n"
    "DESCRIPTION\n"
    "  Prints, a record a line: the component and build id; declared state libraries; structs and\n"
    "  unions with their members, each with its offset in bytes (4.2:3 is a bit-field at byte 4,\n"
    "  bit 2, 3 bits wide); variables with address, bytes and type, and why one is refused;\n"
    "  functions; allocation sites with what they make and the return addresses that are theirs;\n"
    "  annotations as they were written. #NUMBER after a type tells types of one name apart.\n"
    "\n"
    "EXIT STATUS\n"
    "  0  printed\n"
    "  1  the file is missing, not instrumented, or damaged\n"
    "  2  wrong usage\n"
    "\n"
    "SEE ALSO\n"
    "  st-instrument --help, st-diff --help\n";

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "--help") == 0) return fputs(help, stdout) < 0;
  if (argc != 3 || strcmp(argv[1], "dump") != 0) {
    fputs(usage, stderr);
    return 2;
  }
  int fd = open(argv[2], O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    fprintf(stderr, "st-meta: %s: %s\n", argv[2], strerror(errno));
    return 1;
  }
  char error[256], id[41];
  struct st_meta *m = st_meta_open(fd, error, sizeof error);
  if (!m) {
    fprintf(stderr, "st-meta: %s: %s\n", argv[2], error);
    return 1;
  }
  st_meta_build_id(m, id);
  printf("component %s\nbuild %s\n", st_meta_component(m), id);
  for (uint32_t i = 0; i < m->header->libraries.count; i++)
    printf("library %s\n", st_meta_string(m, m->libraries[i]));
  print_types(m->btf);
  print_variables(m);
  print_functions(m);
  print_sites(m);
  print_annotations(m);
  st_meta_close(m);
  return 0;
}
