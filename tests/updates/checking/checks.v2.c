#include <stdlib.h>

#include "tests/updates/pair.h"

enum mode { BUSY, IDLE }; /* other values */
struct conn {
  long added;
  struct conn *next;
  int id;
};

struct conn *conns, *nobody;
long num_conns;
int limit = 5;
enum mode mode;
double ratio = 0.5;
unsigned long mask = ~0ul;
int crowded = 1;
int num_hashed;

static void verify(void) {
  CHECK(num_conns == 3 && conns->id == 12 && !conns->added && !nobody && limit == 5);
  CHECK(mode == BUSY && ratio == 0.5 && mask == ~0ul && crowded && !num_hashed);
}

PAIR_MAIN(.verify = verify)
