/* Prints its own types, as st-meta does: name, size, and place and width of each member. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum narrow { MINUS = -1, PLUS = 200 };
enum wide { SMALL = 1, LARGE = 0x1ffffffffll };
enum tiny { TINY } __attribute__((packed));
struct node;
typedef int (*callback)(struct node *, const char *, ...);
typedef struct {
  int x;
  struct node *owner;
} plain;
union number {
  int32_t i;
  double d;
  struct {
    char low, high;
  } pair;
};
struct node {
  struct node *next, **table;
  unsigned ready : 1;
  signed level : 5;
  unsigned : 0;
  uint64_t long_field : 33;
  bool flag : 1;
  char name[17];
  enum narrow narrow;
  enum wide wide;
  enum tiny tiny;
  union number number;
  int matrix[2][3][4];
  callback call;
  _Bool on;
  float f;
  double d;
  long double ld;
  _Complex double complex;
  const volatile short cv;
  _Atomic long atomic;
  __int128 huge;
  struct {
    int inner_a;
    union {
      char inner_b;
      short inner_c;
    };
  };
  plain plain[2];
  void *(*factory)(void (*)(int), int[3]);
};
struct __attribute__((packed)) packed {
  char c;
  uint32_t u;
  uint64_t split : 60;
};
struct aligned {
  char c;
  char line[3] __attribute__((aligned(64)));
};
struct flexible {
  unsigned count;
  plain items[];
};
struct empty {};

struct node node;
struct packed packed;
struct aligned aligned;
struct flexible flexible = {2, {{1, NULL}, {2, NULL}}};
struct empty empty;
struct opaque *opaque;

/* Where the bits of a field are that was set to ones. */
static void print_bits(const char *name, const void *object, size_t bytes) {
  const unsigned char *p = object;
  unsigned first = 0, width = 0;
  while (first < 8 * bytes && !(p[first / 8] >> first % 8 & 1))
    first++;
  while (first + width < 8 * bytes && p[(first + width) / 8] >> (first + width) % 8 & 1)
    width++;
  printf("  %u.%u:%u %s\n", first / 8, first % 8, width, name);
}

#define TYPE(t)      printf("type %s %zu bytes\n", #t, sizeof(t))
#define MEMBER(t, m) printf("  %zu %s\n", offsetof(t, m), #m)
#define BITS(t, m)                                                                                 \
  do {                                                                                             \
    t object;                                                                                      \
    memset(&object, 0, sizeof object);                                                             \
    object.m = -1;                                                                                 \
    print_bits(#m, &object, sizeof object);                                                        \
  } while (0)

int main(void) {
  TYPE(struct node);
  MEMBER(struct node, next);
  MEMBER(struct node, table);
  BITS(struct node, ready);
  BITS(struct node, level);
  BITS(struct node, long_field);
  BITS(struct node, flag);
  MEMBER(struct node, name);
  MEMBER(struct node, narrow);
  MEMBER(struct node, wide);
  MEMBER(struct node, tiny);
  MEMBER(struct node, number);
  MEMBER(struct node, matrix);
  MEMBER(struct node, call);
  MEMBER(struct node, on);
  MEMBER(struct node, f);
  MEMBER(struct node, d);
  MEMBER(struct node, ld);
  MEMBER(struct node, complex);
  MEMBER(struct node, cv);
  MEMBER(struct node, atomic);
  MEMBER(struct node, huge);
  printf("  %zu \n", offsetof(struct node, inner_a));
  MEMBER(struct node, plain);
  MEMBER(struct node, factory);
  TYPE(struct packed);
  MEMBER(struct packed, c);
  MEMBER(struct packed, u);
  BITS(struct packed, split);
  TYPE(struct aligned);
  MEMBER(struct aligned, c);
  MEMBER(struct aligned, line);
  TYPE(struct flexible);
  MEMBER(struct flexible, count);
  MEMBER(struct flexible, items);
  TYPE(struct empty);
  TYPE(union number);
  MEMBER(union number, i);
  MEMBER(union number, d);
  MEMBER(union number, pair);
  return opaque != NULL;
}
