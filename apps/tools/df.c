/* df: prints how much of the file system is used. */
#include "libos/os.h"

int main(void) {
  struct statvfs st;
  os_start();
  if (os_statvfs(&st) < 0) os_die(1, "storage");
  unsigned long long k = st.f_frsize / 1024 ? st.f_frsize / 1024 : 1;
  printf("    KBYTES       USED  AVAILABLE     INODES       FREE\n%10llu %10llu %10llu %10llu "
         "%10llu%s\n",
         st.f_blocks * k, (st.f_blocks - st.f_bfree) * k, st.f_bavail * k,
         (unsigned long long)st.f_files, (unsigned long long)st.f_ffree,
         st.f_flag & ST_RDONLY ? "  read-only" : "");
  return 0;
}
