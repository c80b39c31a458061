/* df [-h]: prints how much of the file system is used; -h: in units for people. */
#include "apps/tools/human.h"
#include "libos/os.h"

static bool human;

static const char *size(unsigned long long blocks, unsigned long block, char text[24]) {
  char units[16];
  if (human)
    snprintf(text, 24, "%s", human_size(blocks * block, units));
  else
    snprintf(text, 24, "%llu", blocks * block / 1024);
  return text;
}

int main(int argc, char **argv) {
  struct statvfs st;
  char all[24], used[24], available[24];
  int option;
  os_start();
  while ((option = getopt(argc, argv, "h")) != -1) {
    if (option == '?') return 2;
    human = true;
  }
  if (os_statvfs(&st) < 0) os_die(1, "storage");
  printf("%10s       USED  AVAILABLE     INODES       FREE\n", human ? "BYTES" : "KBYTES");
  printf("%10s %10s %10s %10llu %10llu%s\n", size(st.f_blocks, st.f_frsize, all),
         size(st.f_blocks - st.f_bfree, st.f_frsize, used),
         size(st.f_bavail, st.f_frsize, available), (unsigned long long)st.f_files,
         (unsigned long long)st.f_ffree, st.f_flag & ST_RDONLY ? "  read-only" : "");
  return 0;
}
