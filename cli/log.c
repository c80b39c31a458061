/* Logs are plain files, written by busd: NAME.log, and NAME.log.1 for what came before. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"

/* Copies what is left of a file to standard output. */
static void copy_rest(int fd) {
  char buf[16384];
  ssize_t n;
  while ((n = read(fd, buf, sizeof(buf))) > 0)
    fwrite(buf, 1, (size_t)n, stdout);
  fflush(stdout);
}

static int show(const struct instance *instance, const char *name, const char *suffix) {
  char file[128], path[PATH_MAX];
  snprintf(file, sizeof(file), "log/%s.log%s", name, suffix);
  int fd = open(instance_path(instance, file, path), O_RDONLY | O_CLOEXEC);
  if (fd >= 0) copy_rest(fd);
  return fd;
}

/* Goes on until interrupted; a rotated file is read to its end, then the new one. */
static int follow(const struct instance *instance, const char *name, int fd) {
  char dir[PATH_MAX], event[4096];
  int watch = inotify_init1(IN_CLOEXEC);
  if (watch < 0 || inotify_add_watch(watch, instance_path(instance, "log", dir),
                                     IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF) < 0) {
    fprintf(stderr, "prctl: cannot follow %s: %s\n", dir, strerror(errno));
    return EXIT_FAILURE;
  }
  char file[128], path[PATH_MAX];
  snprintf(file, sizeof(file), "log/%s.log", name);
  instance_path(instance, file, path);
  while (read(watch, event, sizeof(event)) > 0) {
    struct stat there, ours;
    copy_rest(fd);
    if (stat(path, &there) == 0 && fstat(fd, &ours) == 0 && there.st_ino != ours.st_ino) {
      int next = open(path, O_RDONLY | O_CLOEXEC);
      if (next < 0) continue;
      close(fd);
      fd = next;
      copy_rest(fd);
    }
    if (access(dir, F_OK) < 0) break;
  }
  close(fd);
  close(watch);
  return EXIT_SUCCESS;
}

int log_command(const struct instance *instance, int argc, char **argv) {
  bool wait = option_flag(&argc, argv, "f");
  if (argc > 2 || (argc == 2 && (*argv[1] == '-' || strchr(argv[1], '/')))) {
    fprintf(stderr, "usage: prctl log [COMPONENT] [-f]\n");
    return EXIT_USAGE;
  }
  const char *name = argc == 2 ? argv[1] : "instance";
  if (access(instance->dir, F_OK) < 0) {
    fprintf(stderr, "prctl: no instance \"%s\" has run here\n", instance->name);
    return EXIT_FAILURE;
  }
  int before = show(instance, name, ".1");
  int fd = show(instance, name, "");
  if (before >= 0) close(before);
  if (fd < 0) {
    fprintf(stderr, "prctl: instance \"%s\" has no log of \"%s\"; prctl status lists components\n",
            instance->name, name);
    return EXIT_FAILURE;
  }
  if (wait) return follow(instance, name, fd);
  close(fd);
  return EXIT_SUCCESS;
}
