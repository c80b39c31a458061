/* Each change of changes_table.h, in each place where an object can be. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/updates/pair.h"

#if VERSION == 1
#define PICK(old, new) old
#else
#define PICK(old, new) new
#endif
#define BODY(...)            __VA_ARGS__
#define OPEN(in_parentheses) BODY in_parentheses

#include "tests/updates/changes_types.h"

/* Only one version runs `set`, and the compiler must not know what is there afterwards. */
#define CHANGE(name, old, new, set, check)                                                         \
  struct name {                                                                                    \
    OPEN(PICK(old, new))                                                                           \
  };                                                                                               \
  struct name##_outer {                                                                            \
    char before;                                                                                   \
    struct name in[2];                                                                             \
    short after;                                                                                   \
  };                                                                                               \
  struct name name##_global, name##_table[2][2];                                                   \
  static struct name name##_static;                                                                \
  static struct name *name##_block, *name##_blocks, *name##_middle, *name##_end;                   \
  static struct name##_outer name##_nested, *name##_nested_block;                                  \
  static struct name *name##_inside(void) {                                                        \
    static struct name inside;                                                                     \
    return &inside;                                                                                \
  }                                                                                                \
  __attribute__((unused, noinline)) static void name##_set(struct name *s, int n) {                \
    (void)n;                                                                                       \
    OPEN(PICK(set, ()));                                                                           \
  }                                                                                                \
  __attribute__((noinline)) static void name##_check(struct name *s, int n) {                      \
    (void)n;                                                                                       \
    CHECK(check);                                                                                  \
  }                                                                                                \
  static void name##_each(void visit(struct name *, int)) {                                        \
    visit(&name##_global, 0);                                                                      \
    visit(&name##_table[1][0], 1);                                                                 \
    visit(&name##_static, 2);                                                                      \
    visit(name##_block, 3);                                                                        \
    visit(&name##_blocks[0], 4);                                                                   \
    visit(&name##_blocks[2], 5);                                                                   \
    visit(&name##_nested.in[1], 6);                                                                \
    visit(&name##_nested_block->in[0], 7);                                                         \
    visit(name##_middle, 8);                                                                       \
    visit(name##_inside(), 9);                                                                     \
  }                                                                                                \
  __attribute__((unused, noinline)) static void name##_new_block(void) {                           \
    name##_block = calloc(1, sizeof(struct name));                                                 \
  }                                                                                                \
  __attribute__((unused, noinline)) static void name##_new_blocks(void) {                          \
    name##_blocks = calloc(4, sizeof(struct name));                                                \
  }                                                                                                \
  __attribute__((unused, noinline)) static void name##_new_nested_block(void) {                    \
    name##_nested_block = calloc(1, sizeof(struct name##_outer));                                  \
  }                                                                                                \
  __attribute__((unused)) static void name##_build(void) {                                         \
    name##_new_block();                                                                            \
    name##_new_blocks();                                                                           \
    name##_new_nested_block();                                                                     \
    name##_middle = &name##_blocks[1];                                                             \
    name##_end = name##_blocks + 4;                                                                \
    name##_nested.before = name##_nested_block->before = 'b';                                      \
    name##_nested.after = name##_nested_block->after = -2;                                         \
    name##_each(name##_set);                                                                       \
  }                                                                                                \
  static void name##_verify(void) {                                                                \
    CHECK(name##_middle == &name##_blocks[1] && name##_end == name##_blocks + 4);                  \
    CHECK(name##_nested.before == 'b' && name##_nested.after == -2);                               \
    CHECK(name##_nested_block->before == 'b' && name##_nested_block->after == -2);                 \
    name##_each(name##_check);                                                                     \
  }
#include "tests/updates/changes_table.h"
#undef CHANGE

#if VERSION == 1
static void build(void) {
#define CHANGE(name, old, new, set, check) name##_build();
#include "tests/updates/changes_table.h"
#undef CHANGE
}
#define BUILD .build = build,
#else
#define BUILD
#endif

static void verify(void) {
#define CHANGE(name, old, new, set, check) name##_verify();
#include "tests/updates/changes_table.h"
#undef CHANGE
}

PAIR_MAIN(BUILD.verify = verify)
