/* chmod MODE FILE...: sets permissions: an octal number, or such as u+x, go-w and a=rX. */
#include "apps/tools/mode_change.h"
#include "libos/os.h"

static int change(const char *path, const char *text, mode_t mask) {
  struct stat st;
  if (os_stat(path, &st) == 0) {
    mode_change(text, mask, &st.st_mode);
    if (os_chmod(path, st.st_mode & 07777) == 0) return 0;
  }
  os_perror(path);
  return 1;
}

int main(int argc, char **argv) {
  int failed = 0;
  mode_t none = 0;
  os_start();
  mode_t mask = os_umask(0);
  os_umask(mask);
  if (argc < 3 || !mode_change(argv[1], mask, &none)) {
    fprintf(stderr, "usage: chmod MODE FILE..., with MODE as 644, u+x, go-w or a=rX\n");
    return 2;
  }
  for (int i = 2; i < argc; i++)
    failed |= change(argv[i], argv[1], mask);
  return failed;
}
