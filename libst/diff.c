/* st-diff OLD NEW: prints the plan for an update from one executable to the other, and whether it
 * would be refused before anything is frozen. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "libst/plan.h"
#include "libst/process.h"
#include "libst/report.h"
#include "libst/st.h"
#include "libst/type.h"

static struct st_report report;

static int open_new(const char *path) {
  char error[256];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || elf_file_open(&st_process.exe, fd) < 0) {
    fprintf(stderr, "st-diff: %s: no executable\n", path);
    return -1;
  }
  st_process.meta = st_meta_open(fd, error, sizeof(error));
  if (st_process.meta) return 0;
  fprintf(stderr, "st-diff: %s: %s\n", path, error);
  return -1;
}

/* Heap blocks: whether any exist shows only in the transfer. */
static void print_sites(struct plan *plan) {
  const struct st_meta *old = plan->old;
  for (uint32_t i = 0; i < old->header->sites.count; i++) {
    const struct st_site *s = &old->sites[i];
    uint32_t type = s->type ? programs_counterpart(plan->programs, s->type) : 0;
    const struct program *p = type ? program_for(plan->programs, s->type, type) : NULL;
    char text[160];
    printf(
        "block: %s from %s:%u: ", s->type ? type_text(old, s->type, text, sizeof(text)) : "untyped",
        st_meta_string(old, s->file), s->line);
    if (!s->type)
      printf("stays as it is; what its words point to must not change\n");
    else if (!p)
      printf("the new version lacks the type; stays as it is\n");
    else if (p->refusal)
      printf("refused: `%s` %s\n", p->refused, p->refusal);
    else if (p->changed)
      printf("converted (%u to %u bytes)\n", p->old_bytes, p->new_bytes);
    else
      printf("%s\n", p->points ? "pointers are followed" : "stays as it is");
  }
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: st-diff OLD NEW\n");
    return 2;
  }
  int old = open(argv[1], O_RDONLY | O_CLOEXEC);
  if (old < 0) {
    fprintf(stderr, "st-diff: %s: cannot be opened\n", argv[1]);
    return 2;
  }
  if (open_new(argv[2]) < 0) return 2;
  struct plan plan;
  int err = plan_make(&plan, old, &report);
  fputs(report.text, stdout);
  if (err) return 2;
  print_sites(&plan);
  plan_free(&plan);
  return report.violations ? 1 : 0;
}
