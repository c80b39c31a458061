/* Two allocations that an optimiser makes one of when it may: 24 bytes of either type. */
#include <stdlib.h>

struct left {
  long words[3];
};
struct right {
  void *pointers[3];
};

void *volatile sink;

__attribute__((noinline)) static void *either(int which) {
  if (which) {
    struct left *l = malloc(sizeof(struct left));
    return l;
  }
  struct right *r = malloc(sizeof(struct right));
  return r;
}

int main(int argc, char **argv) {
  (void)argv;
  sink = either(argc > 0);
  sink = either(argc < 0);
  return 0;
}
