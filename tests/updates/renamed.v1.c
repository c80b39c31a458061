/* Everything that can be renamed. Each version says what the other called it, so that updates go
 * both ways. */
#include <stdlib.h>
#include <string.h>

#include "libst/annotate.h"
#include "tests/updates/pair.h"

enum mode { MODE_NONE, MODE_SLOW, MODE_FAST };

struct peer {
  int port;
  enum mode mode;
  union {
    int seconds;
    char *label;
  };
  unsigned flags : 3;
  unsigned urgent : 1;
  struct peer *next;
};

struct peer *peers;
static struct peer home = {.port = 1};
static int level = 1;
static int unrelated = 1;
static int *first_port;
void (*on_close)(struct peer *);

static int *steps(void) {
  static int taken;
  return &taken;
}

static void closed(struct peer *p) {
  p->port = 0;
}

ST_TYPE(struct peer, renamed_from(struct conn));
ST_FIELD(struct peer, port, renamed_from(remote_port));
ST_FIELD(struct peer, label, renamed_from(title));
ST_FIELD(struct peer, flags, renamed_from(bits));
ST_ENUMERATOR(MODE_NONE, renamed_from(MODE_IDLE));
ST_VAR(peers, renamed_from(conns));
ST_VAR(home, renamed_from(self));
ST_VAR(level, renamed_from(depth));
ST_STATIC(steps, taken, renamed_from(made));
ST_FUNCTION(closed, renamed_from(hung_up));

static void build(void) {
  for (int i = 0; i < 20; i++) {
    struct peer *p = malloc(sizeof(*p));
    *p = (struct peer){
        .port = i, .mode = (enum mode)(i % 3), .flags = i % 8, .urgent = i % 2, .next = peers};
    p->label = i % 2 ? strdup("label") : NULL;
    peers = p;
  }
  home.port = 99;
  home.next = peers;
  level = 3;
  first_port = &peers->port;
  on_close = closed;
  *steps() = 4;
}

static void verify(void) {
  int i = 19;
  CHECK(home.port == 99 && home.next == peers && level == 3 && unrelated == 1);
  for (struct peer *p = peers; p; p = p->next, i--) {
    CHECK(p->port == i && p->mode == (enum mode)(i % 3) && p->flags == (unsigned)i % 8);
    CHECK(p->urgent == (unsigned)i % 2 && (i % 2 ? strcmp(p->label, "label") == 0 : !p->label));
  }
  CHECK(i == -1 && first_port == &peers->port && on_close == closed && *steps() == 4);
}

PAIR_MAIN(.build = build, .verify = verify)
