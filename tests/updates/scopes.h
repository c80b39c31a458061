/* What both files of the pair `scopes` have of their own. */
#ifndef TESTS_UPDATES_SCOPES_H
#define TESTS_UPDATES_SCOPES_H

static int table[4];

static inline int next_id(void) {
  static int id;
  return ++id;
}

void unit_build(void);
void unit_verify(void);

#endif
