/* What annotations say of values: opaque, not transferred, integers that hold pointers, pointers
 * that hold numbers, tags. Both versions can be updated to the other. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libst/annotate.h"
#include "tests/updates/pair.h"

struct leaf {
  int number;
};

struct node {
  uintptr_t next; /* a struct node * with its colour in the lowest bit */
  void *cookie;   /* a number that may look like an address */
  struct leaf *leaf;
  uintptr_t leaves[3];
  void *raw[2];
  int order;
  char *cache;
};

typedef uintptr_t handle_t;

struct user {
  handle_t handle;
};

/* Annotated members that move into a nested struct, and the first one of another that moves out. */
struct carrier {
  int lead;
  long seal[2];
  void *hint;
  struct part {
    int first, second;
  } part;
};

static struct carrier carrier;
static void *to_part;
#define SEAL  carrier.seal
#define HINT  carrier.hint
#define FIRST carrier.part.first

ST_FIELD(struct carrier, seal, opaque);
ST_FIELD(struct carrier, hint, not_pointer);

/* Bytes of a flexible array that look like addresses. */
struct packet {
  uint32_t bytes;
  uint8_t data[];
};
static struct packet *packet;
enum { PACKET_BYTES = 400 };
ST_FIELD(struct packet, data, opaque);

static uintptr_t root;
static struct node *plain_root;
static uintptr_t handles[4];
static struct user user;
static void *cookies[2];
static int started = 1;
static struct leaf spare;
static char *secret;
static unsigned long high_tagged;

ST_FIELD(struct node, next, tagged_pointer(1));
ST_FIELD(struct node, cookie, not_pointer);
ST_FIELD(struct node, leaves, pointer_to(struct leaf));
ST_FIELD(struct node, raw, opaque);
ST_FIELD(struct node, cache, dont_transfer);
ST_TYPE(handle_t, pointer_to(void));
ST_VAR(root, tagged_pointer(3));
ST_VAR(handles, pointer_to(int));
ST_VAR(cookies, not_pointer);
ST_VAR(started, dont_transfer);
ST_VAR(high_tagged, tagged_pointer(0xff00000000000000ul));

static int *counter(void) {
  static int count;
  static __thread int reached;
  if (++reached < 0) abort();
  return &count;
}
ST_STATIC(counter, reached, dont_transfer);

static struct node *make(int order) {
  struct node *n = calloc(1, sizeof(*n));
  n->leaf = malloc(sizeof(*n->leaf));
  n->leaf->number = order * 10;
  n->order = order;
  n->cookie = (void *)n; /* as a number */
  n->leaves[1] = (uintptr_t)n->leaf;
  n->leaves[2] = (uintptr_t)&spare;
  n->raw[0] = n->leaf;
  n->raw[1] = (void *)0x123456789000;
  n->cache = (char *)0x123456789000; /* nowhere */
  return n;
}

static void build(void) {
  struct node *last = NULL;
  for (int i = 9; i >= 0; i--) {
    struct node *n = make(i);
    n->next = (uintptr_t)last | (unsigned)(i % 2);
    last = n;
  }
  plain_root = last;
  root = (uintptr_t)last | 2;
  handles[1] = (uintptr_t)&last->leaf->number;
  handles[2] = (uintptr_t)counter();
  user.handle = (uintptr_t)last->leaf;
  cookies[1] = last;
  secret = (char *)last;
  started = 7;
  high_tagged = (uintptr_t)last | 0xa5ul << 56;
  *counter() = 5;
  packet = malloc(sizeof(*packet) + PACKET_BYTES);
  packet->bytes = PACKET_BYTES;
  for (unsigned i = 0; i < PACKET_BYTES; i += sizeof(last))
    memcpy(packet->data + i, &last, sizeof(last));
  carrier = (struct carrier){1, {(long)last, 2}, last, {3, 4}};
  to_part = &carrier.part;
}

#include "tests/updates/annotated_verify.h"

PAIR_MAIN(.build = build, .verify = verify)
