/* The fault points that files contain, from their section "fault_points" (libst/fault.h). */
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fault.h"
#include "libst/elf_file.h"
#include "libst/fault.h"

#define POINTS_MAX 1024u

/* Beside prctl, in the build tree and installed. */
static const char *const places[] = {
    "../bus/loader",       "../libexec/proteos/loader", "../bus/busd",    "../libexec/proteos/busd",
    "../libsys/libsys.so", "../libst/libst.so",         "../root/bin/um",
};

static struct st_fault_point points[POINTS_MAX];
static size_t npoints;

static int compare(const void *a, const void *b) {
  return strcmp(((const struct st_fault_point *)a)->name, ((const struct st_fault_point *)b)->name);
}

static void add(const struct st_fault_point *more, size_t n) {
  for (size_t i = 0; i < n && npoints < POINTS_MAX; i++) {
    points[npoints] = more[i];
    points[npoints++].name[ST_FAULT_NAME_MAX - 1] = 0;
  }
}

/* @return false when it cannot be read */
static bool read_file(const char *path) {
  struct elf_file elf;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  int error = elf_file_open(&elf, fd);
  close(fd);
  if (error) return false;
  const Elf64_Shdr *s = elf_section(&elf, "fault_points");
  size_t bytes = 0;
  const void *contents = s ? elf_at(&elf, s->sh_addr, &bytes) : NULL;
  if (contents) add(contents, bytes / sizeof(*points));
  elf_file_close(&elf);
  return true;
}

static void read_own(void) {
  char exe[PATH_MAX] = "", path[PATH_MAX + 64];
  if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0) return;
  const char *folder = dirname(exe);
  for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
    snprintf(path, sizeof(path), "%s/%s", folder, places[i]);
    read_file(path);
  }
}

int fault_points(char **files, int n) {
  if (n == 0) read_own();
  for (int i = 0; i < n; i++) {
    if (read_file(files[i])) continue;
    fprintf(stderr, "prctl: %s is no executable and no library\n", files[i]);
    return EXIT_FAILURE;
  }
  qsort(points, npoints, sizeof(points[0]), compare);
  for (size_t i = 0; i < npoints; i++) {
    if (i && strcmp(points[i].name, points[i - 1].name) == 0) continue;
    printf("%-24s%s\n", points[i].name, points[i].error ? strerrorname_np(points[i].error) : "-");
  }
  return EXIT_SUCCESS;
}
