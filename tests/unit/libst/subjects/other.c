/* A wrapper of another file, a struct that has its name twice in the program, and #line. */
#include "sites.h"

#include <stdlib.h>

struct holder {
  long words[26]; /* 208 */
};

#line 500 "grammar.y"
static void from_grammar(void) {
  struct s16 *generated = malloc(sizeof *generated);
  struct s24 *same_line = malloc(sizeof *same_line);
  sink = generated;
  sink = same_line;
}
#line 19 "other.c"

void other_file(void) {
  struct holder *mine = xmalloc(sizeof *mine);
  sink = mine;
  from_grammar();
}
