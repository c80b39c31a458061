#include "cli/manifest_place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bus/manifest.h"
#include "cli/beside.h"

bool manifest_place_find(const char *file, char path[PATH_MAX]) {
  static const char *const places[] = {"../system.yaml", "../share/proteos/system.yaml", NULL};
  char place[PATH_MAX];
  if (!file && find_beside(places, place)) file = place;
  if (file && realpath(file, path)) return true;
  fprintf(stderr, "prctl: manifest %s: %s\n", file ? file : "system.yaml", strerror(errno));
  return false;
}

static void print(void *arg, const char *line) {
  (void)arg;
  printf("%s\n", line);
}

struct manifest *manifest_load_and_print(const char *path) {
  struct stat st;
  if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
    printf("%s: is a folder, not a manifest\n", path);
    return NULL;
  }
  return manifest_load_and_report(path, print, NULL);
}
