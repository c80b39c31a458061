/* Types whose names say their sizes. */
#ifndef SITES_H
#define SITES_H

#include <stddef.h>

struct s16 {
  long words[2];
};
struct s24 {
  long words[3];
};
struct s32 {
  long words[4];
};
struct s40 {
  long words[5];
};
struct s48 {
  long words[6];
};
struct s56 {
  long words[7];
};
struct s64 {
  long words[8];
};
struct s72 {
  long words[9];
};
struct s80 {
  long words[10];
};
struct s88 {
  long words[11];
};
struct s96 {
  long words[12];
};
struct s104 {
  long words[13];
};
struct s112 {
  long words[14];
};
struct s120 {
  long words[15];
};
struct s128 {
  long words[16];
};
struct s144 {
  long words[18];
};
struct s152 {
  long words[19];
};
struct s160 {
  long words[20];
};
struct s176 {
  long words[22];
};
struct s200 {
  long words[25];
};
struct s136 {
  long words[17];
  char tail[];
};
typedef struct {
  long words[23];
} typedef_184;

extern void *volatile sink;
void *xmalloc(size_t bytes);
void other_file(void);

#endif
