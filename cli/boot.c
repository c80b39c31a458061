/* prctl boot: checks the manifest, starts the loader as a daemon, and waits until every component
 * runs or something has failed. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bus/loader_proto.h"
#include "bus/manifest.h"
#include "cli/beside.h"
#include "cli/commands.h"
#include "cli/control.h"
#include "cli/manifest_place.h"

/* In the build tree, and where they are installed. */
static const char *const loader_places[] = {"../bus/loader", "../libexec/proteos/loader", NULL};

/* What the sandbox lacks on this machine, in one line. */
static void warn_of_sandbox(const struct manifest *manifest) {
  long landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (manifest->sandbox == MANIFEST_SANDBOX_ON && landlock < 0)
    fprintf(stderr, "prctl: this kernel has no Landlock: components can read your files\n");
}

static bool check_manifest(const char *path) {
  char error[1024];
  struct manifest *manifest = manifest_load(path, error, sizeof(error));
  if (!manifest) {
    fprintf(stderr, "prctl: %s\n", error);
    return false;
  }
  warn_of_sandbox(manifest);
  manifest_free(manifest);
  return true;
}

static void put_at(int fd, int number) {
  if (fd != number) {
    dup2(fd, number);
    return;
  }
  fcntl(fd, F_SETFD, 0);
}

/* In the child: becomes the loader. Lock and result pipe are moved out of each other's way first.
 */
static void become_loader(const struct instance *instance, const char *loader, const char *manifest,
                          bool faults, int lock, int result) {
  char path[PATH_MAX];
  setsid();
  int log = open(instance_path(instance, "log/instance.log", path),
                 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (log < 0 || null < 0) _exit(127);
  lock = fcntl(lock, F_DUPFD_CLOEXEC, 20);
  result = fcntl(result, F_DUPFD_CLOEXEC, 20);
  put_at(null, STDIN_FILENO);
  put_at(null, STDOUT_FILENO);
  put_at(log, STDERR_FILENO);
  put_at(lock, LOADER_CHANNEL_FD);
  put_at(result, LOADER_BOOT_FD);
  if (chdir("/") < 0) _exit(127);
  umask(077);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execl(loader, "proteos-loader", instance->name, manifest, instance->dir,
        faults ? "--faults" : NULL, (char *)NULL);
  _exit(127);
}

/* @return true when the boot succeeded; otherwise says why it did not. */
static bool read_result(const struct instance *instance, int fd) {
  char text[2048];
  size_t used = 0;
  ssize_t n;
  while ((n = read(fd, text + used, sizeof(text) - 1 - used)) > 0 || (n < 0 && errno == EINTR))
    used += n > 0 ? (size_t)n : 0;
  text[used] = 0;
  if (strcmp(text, "ok\n") == 0) return true;
  text[strcspn(text, "\n")] = 0;
  fprintf(stderr, "prctl: instance \"%s\" did not start: %s\n", instance->name,
          *text ? text : "the loader or busd failed");
  fprintf(stderr, "prctl: its logs are in %s/log\n", instance->dir);
  return false;
}

static void print_running(const struct instance *instance) {
  int control = instance_connect(instance);
  if (control < 0) return;
  Proteos__ControlReply *reply = control_status(control);
  printf("Proteos instance \"%s\" is running", instance->name);
  if (reply && reply->instance) {
    printf(" with %zu components.\n", reply->n_components);
    for (size_t i = 0; i < reply->instance->n_urls; i++)
      printf("  %s\n", reply->instance->urls[i]);
  } else {
    printf(".\n");
  }
  if (reply) proteos__control_reply__free_unpacked(reply, NULL);
  close(control);
}

static void clean_up_stale(const struct instance *instance) {
  char path[PATH_MAX];
  unlink(instance_path(instance, "control.sock", path));
}

static int start(const struct instance *instance, const char *manifest, bool faults) {
  char loader[PATH_MAX];
  int result[2];
  if (!find_beside(loader_places, loader)) {
    fprintf(stderr, "prctl: the loader is not where prctl expects it; build or install again\n");
    return EXIT_FAILURE;
  }
  int lock = instance_lock(instance);
  if (lock < 0 && errno == EWOULDBLOCK) {
    fprintf(stderr, "prctl: instance \"%s\" is running already; prctl shutdown ends it\n",
            instance->name);
    return EXIT_FAILURE;
  }
  if (lock < 0 || pipe2(result, O_CLOEXEC) < 0) {
    fprintf(stderr, "prctl: %s: %s\n", instance->dir, strerror(errno));
    return EXIT_FAILURE;
  }
  clean_up_stale(instance);
  pid_t pid = fork();
  if (pid == 0) become_loader(instance, loader, manifest, faults, lock, result[1]);
  close(result[1]);
  close(lock);
  if (pid < 0) {
    fprintf(stderr, "prctl: cannot start the loader: %s\n", strerror(errno));
    return EXIT_FAILURE;
  }
  return read_result(instance, result[0]) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int boot_command(const struct instance *instance, int argc, char **argv) {
  const char *file = option_value(&argc, argv, "manifest");
  bool quiet = option_flag(&argc, argv, "q"), faults = option_flag(&argc, argv, "faults");
  char manifest[PATH_MAX];
  if (argc != 1) {
    fprintf(stderr, "usage: prctl boot [--manifest FILE] [--faults] [-q]\n");
    return EXIT_USAGE;
  }
  if (!manifest_place_find(file, manifest)) return EXIT_FAILURE;
  if (!check_manifest(manifest) || !instance_make(instance)) return EXIT_FAILURE;
  int status = start(instance, manifest, faults);
  if (status == EXIT_SUCCESS && !quiet) print_running(instance);
  return status;
}
