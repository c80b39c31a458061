/* Everything that can be renamed. Each version says what the other called it, so that updates go
 * both ways. */
#include <stdlib.h>
#include <string.h>

#include "libst/annotate.h"
#include "tests/updates/pair.h"

enum mode { MODE_SLOW, MODE_FAST, MODE_IDLE };

struct conn {
  int remote_port;
  enum mode mode;
  union {
    int seconds;
    char *title;
  };
  unsigned bits : 3;
  unsigned urgent : 1;
  struct conn *next;
  long added;
};

struct conn *conns;
static struct conn self = {.remote_port = 1};
static int depth = 1;
static int unrelated = 1;
static int *first_port;
void (*on_close)(struct conn *);

static int *steps(void) {
  static int made;
  return &made;
}

static void hung_up(struct conn *p) {
  p->remote_port = 0;
}

ST_TYPE(struct conn, renamed_from(struct peer));
ST_FIELD(struct conn, remote_port, renamed_from(port));
ST_FIELD(struct conn, title, renamed_from(label));
ST_FIELD(struct conn, bits, renamed_from(flags));
ST_ENUMERATOR(MODE_IDLE, renamed_from(MODE_NONE));
ST_VAR(conns, renamed_from(peers));
ST_VAR(self, renamed_from(home));
ST_VAR(depth, renamed_from(level));
ST_STATIC(steps, made, renamed_from(taken));
ST_FUNCTION(hung_up, renamed_from(closed));

static void verify(void) {
  int i = 19;
  CHECK(self.remote_port == 99 && self.next == conns && depth == 3 && unrelated == 1);
  for (struct conn *p = conns; p; p = p->next, i--) {
    CHECK(p->remote_port == i && p->mode == (enum mode)((i + 2) % 3) && p->bits == (unsigned)i % 8);
    CHECK(p->urgent == (unsigned)i % 2 && (i % 2 ? strcmp(p->title, "label") == 0 : !p->title));
  }
  CHECK(i == -1 && first_port == &conns->remote_port && on_close == hung_up && *steps() == 4);
  CHECK(conns->added == 0);
}

PAIR_MAIN(.verify = verify)
