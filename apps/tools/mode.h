/* A file's type and permissions as ls and stat print them. */
#ifndef PROTEOS_TOOLS_MODE_H
#define PROTEOS_TOOLS_MODE_H

#include <sys/stat.h>

/** @param text  receives such as "drwxr-xr-x" */
static inline void mode_text(mode_t mode, char text[11]) {
  static const char letters[] = "rwxrwxrwx";
  text[0] = S_ISDIR(mode)    ? 'd'
            : S_ISLNK(mode)  ? 'l'
            : S_ISCHR(mode)  ? 'c'
            : S_ISBLK(mode)  ? 'b'
            : S_ISFIFO(mode) ? 'p'
            : S_ISSOCK(mode) ? 's'
                             : '-';
  for (int i = 0; i < 9; i++)
    text[1 + i] = mode & (0400u >> i) ? letters[i] : '-';
  if (mode & S_ISUID) text[3] = mode & S_IXUSR ? 's' : 'S';
  if (mode & S_ISGID) text[6] = mode & S_IXGRP ? 's' : 'S';
  if (mode & S_ISVTX) text[9] = mode & S_IXOTH ? 't' : 'T';
  text[10] = 0;
}

#endif
