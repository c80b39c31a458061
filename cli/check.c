/* prctl check: everything that is wrong with a manifest, before anybody boots it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bus/manifest.h"
#include "cli/commands.h"
#include "cli/manifest_place.h"
#include "libst/meta.h"

static bool has_metadata(const char *executable) {
  char error[256];
  int fd = open(executable, O_RDONLY | O_CLOEXEC);
  struct st_meta *meta = fd >= 0 ? st_meta_open(fd, error, sizeof(error)) : NULL;
  if (fd >= 0) close(fd);
  if (!meta) return false;
  st_meta_close(meta);
  return true;
}

/* What is no mistake in the file, and yet good to know. */
static void print_notes(const struct manifest *m, const char *path) {
  for (unsigned i = 0; i < m->components_count; i++) {
    const struct manifest_component *c = &m->components[i];
    if (!c->program && !has_metadata(c->executable))
      printf("%s: note: component %s: %s has no metadata: it cannot be updated\n", path, c->name,
             c->executable);
  }
  if (m->sandbox == MANIFEST_SANDBOX_NONE)
    printf("%s: note: sandbox: none: components can do whatever you can\n", path);
}

static void print_ok(const struct manifest *m, const char *path) {
  unsigned programs = m->programs.at_most;
  printf("%s: ok, %u components, ", path, m->components_count - programs);
  if (programs) printf("%u programs at most, ", programs);
  printf("calls are acyclic\n");
}

/* @return false when this machine cannot give the confinement that the manifest requires */
static bool check_machine(const struct manifest *m, const char *path) {
  if (m->sandbox == MANIFEST_SANDBOX_NONE ||
      syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 0)
    return true;
  if (m->sandbox == MANIFEST_SANDBOX_REQUIRED) {
    printf("%s: sandbox: required, but this kernel has no Landlock\n", path);
    return false;
  }
  printf("%s: note: this kernel has no Landlock: components can read your files\n", path);
  return true;
}

int check_command(const struct instance *instance, int argc, char **argv) {
  (void)instance;
  char path[PATH_MAX];
  if (argc > 2 || (argc == 2 && *argv[1] == '-')) {
    fprintf(stderr, "usage: prctl check [FILE]\n");
    return EXIT_USAGE;
  }
  const char *file = argc == 2 ? argv[1] : NULL;
  if (!file && !manifest_place_find(NULL, path)) return EXIT_FAILURE;
  if (!file) file = path;
  struct manifest *m = manifest_load_and_print(file);
  if (!m) return EXIT_FAILURE;
  print_notes(m, file);
  bool good = check_machine(m, file);
  if (good) print_ok(m, file);
  manifest_free(m);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
