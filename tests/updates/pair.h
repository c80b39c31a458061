/* An update pair: NAME.v1.c builds state, NAME.v2.c is the new version that verifies it. Both are
 * ordinary programs that end in PAIR_MAIN; the test `update-pair` starts them and moves the state
 * from the one to the other. What drives them is in a library, so it is not part of their state. */
#ifndef TESTS_UPDATES_PAIR_H
#define TESTS_UPDATES_PAIR_H

/** A version's functions; NULL where it has none. */
struct pair {
  void (*build)(void);    /* fresh start */
  void (*imported)(void); /* when the state has arrived, before commit */
  void (*verify)(void);   /* after an update, and after one that was cancelled */
};

int pair_main(int argc, char **argv, const struct pair *pair);
/** Ends the program with a message when `holds` is 0. */
void pair_check(int holds, const char *what, const char *file, int line);

#define CHECK(condition) pair_check(!!(condition), #condition, __FILE__, __LINE__)
#define PAIR_MAIN(...)                                                                             \
  int main(int argc, char **argv) {                                                                \
    return pair_main(argc, argv, &(const struct pair){__VA_ARGS__});                               \
  }

#endif
