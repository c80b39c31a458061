/* What annotations say of values: opaque, not transferred, integers that hold pointers, pointers
 * that hold numbers, tags. Both versions can be updated to the other. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libst/annotate.h"
#include "tests/updates/pair.h"

struct leaf {
  long added;
  int number;
};

struct node {
  long before;
  int order;
  void *raw[2];
  uintptr_t leaves[3];
  struct leaf *leaf;
  uint64_t cookie;
  char *cache;
  struct node *next;
  char room[200];
};

typedef void *handle_t;

struct user {
  handle_t handle;
};

struct carrier {
  int lead, first;
  struct hold {
    long seal[2];
    void *hint;
  } hold;
  struct part {
    int second;
  } part;
};

static struct carrier carrier;
static void *to_part;
#define SEAL  carrier.hold.seal
#define HINT  carrier.hold.hint
#define FIRST carrier.first

ST_FIELD(struct hold, seal, opaque);
ST_FIELD(struct hold, hint, not_pointer);

/* Bytes of a flexible array that look like addresses. */
struct packet {
  uint32_t fresh[3];
  uint32_t bytes;
  uint8_t data[];
};
static struct packet *packet;
enum { PACKET_BYTES = 400 };
ST_FIELD(struct packet, data, opaque);

static void *fresh[3];
static unsigned long high_tagged;
static struct node *root;
static struct node *plain_root;
static uintptr_t handles[4];
static struct user user;
static unsigned long cookies[2];
static int started = 1;
static struct leaf spare;
static char *secret;

ST_FIELD(struct node, next, tagged_pointer(1));
ST_FIELD(struct node, leaves, pointer_to(struct leaf));
ST_FIELD(struct node, raw, opaque);
ST_FIELD(struct node, cache, dont_transfer);
ST_VAR(root, tagged_pointer(3));
ST_VAR(handles, pointer_to(int));
ST_VAR(started, dont_transfer);
ST_VAR(high_tagged, tagged_pointer(0xff00000000000000ul));

static int *counter(void) {
  static int count;
  static __thread int reached;
  if (++reached < 0) abort();
  return &count;
}
ST_STATIC(counter, reached, dont_transfer);

static void build(void) {
  CHECK(fresh[1] == NULL);
}

#include "tests/updates/annotated_verify.h"

PAIR_MAIN(.build = build, .verify = verify)
