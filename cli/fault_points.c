/* The fault points that files contain, from their section "fault_points" (libst/fault.h). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/beside.h"
#include "cli/fault.h"
#include "cli/running.h"
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

/* @return 0 or a negative errno; -ENOEXEC: it is no executable and no library */
static int read_file(const char *path) {
  struct elf_file elf;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  int error = elf_file_open(&elf, fd);
  close(fd);
  if (error) return -ENOEXEC;
  const Elf64_Shdr *s = elf_section(&elf, "fault_points");
  size_t bytes = 0;
  const void *contents = s ? elf_at(&elf, s->sh_addr, &bytes) : NULL;
  if (contents) add(contents, bytes / sizeof(*points));
  elf_file_close(&elf);
  return 0;
}

static void read_own(void) {
  char path[PATH_MAX];
  for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
    if (beside(places[i], path)) read_file(path);
}

int fault_points(char **files, int n) {
  if (n == 0) read_own();
  for (int i = 0; i < n; i++) {
    int error = read_file(files[i]);
    if (!error) continue;
    if (error == -ENOEXEC)
      fprintf(stderr, "prctl: %s is no executable and no library\n", files[i]);
    else
      fprintf(stderr, "prctl: %s: %s\n", files[i], strerror(-error));
    return EXIT_FAILURE;
  }
  qsort(points, npoints, sizeof(points[0]), compare);
  for (size_t i = 0; i < npoints; i++) {
    if (i && strcmp(points[i].name, points[i - 1].name) == 0) continue;
    printf("%-24s%s\n", points[i].name, points[i].error ? strerrorname_np(points[i].error) : "-");
  }
  return EXIT_SUCCESS;
}

bool fault_point_known(const char *point, const Proteos__ControlReply *status) {
  char path[PATH_MAX];
  read_own();
  for (size_t i = 0; i < status->n_components; i++) {
    running_executable(status->components[i]->pid, status->components[i]->path, path);
    read_file(path);
  }
  for (size_t i = 0; i < npoints; i++)
    if (strcmp(points[i].name, point) == 0) return true;
  return false;
}
