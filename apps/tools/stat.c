/* stat FILE...: prints what is known of files; of a symbolic link itself. */
#include "apps/tools/mode.h"
#include "libos/os.h"

static void time_line(const char *what, const struct timespec *t) {
  char text[64];
  struct tm tm;
  gmtime_r(&t->tv_sec, &tm);
  strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
  printf("%s: %s.%09ld UTC\n", what, text, t->tv_nsec);
}

static int print(const char *path) {
  struct stat st;
  char mode[11];
  if (os_lstat(path, &st) < 0) {
    os_perror(path);
    return 1;
  }
  mode_text(st.st_mode, mode);
  printf("file: %s\nbytes: %lld\nsectors: %lld\ninode: %llu\nlinks: %llu\nmode: %04o %s\n"
         "user: %u\ngroup: %u\n",
         path, (long long)st.st_size, (long long)st.st_blocks, (unsigned long long)st.st_ino,
         (unsigned long long)st.st_nlink, st.st_mode & 07777, mode, st.st_uid, st.st_gid);
  time_line("accessed", &st.st_atim);
  time_line("modified", &st.st_mtim);
  time_line("changed", &st.st_ctim);
  return 0;
}

int main(int argc, char **argv) {
  int failed = 0;
  os_start();
  for (int i = 1; i < argc; i++)
    failed |= print(argv[i]);
  return failed;
}
