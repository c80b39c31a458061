/* Allocator operations one by one, the same program for each allocator.
 *
 *   alloc CPU                     nanoseconds for each operation, a line `OP NS` each
 *   alloc memory COUNT [BYTES]    COUNT live blocks, of the mix or of one size: prints how many
 * bytes were asked for and how many the process grew by
 *
 * Built four times: instrumented and with libst (ALLOC_LIBST), plain with glibc's allocator, with
 * mimalloc, and with the bump allocator of bump.c, which does the least that an allocator must.
 * Calls, sizes, types and the order of events are the same for all. Sizes are drawn from what
 * servers allocate: three quarters nodes of lists and trees (24 to 96 bytes), the rest strings and
 * connection objects up to 1,024, and one in a hundred a buffer of up to 16 KiB. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef ALLOC_LIBST
#include "libst/st.h"
#endif
#include "pin.h"

enum { SLOTS = 10000, ROUNDS = 40, PAIRS = 200000, CHURN = 400000 };
enum kind { NODE, TREE, TIMER, TEXT, CONNECTION, BUFFER, KINDS };

struct node {
  struct node *next;
  long key, value;
};

struct tree {
  struct tree *left, *right;
  long key;
  char name[24];
};

struct timer {
  long due, period, count;
  int id, flags;
  long rest[8];
};

struct connection {
  struct connection *next, *peer;
  char *in, *out;
  long counters[36];
};

struct shape {
  unsigned char kind;
  unsigned bytes;
};

static struct shape shapes[SLOTS];
static void *blocks[SLOTS];
static unsigned order[SLOTS];

static unsigned next_random(void) {
  static unsigned long seed = 20130316;
  seed = seed * 6364136223846793005ul + 1442695040888963407ul;
  return (unsigned)(seed >> 33);
}

static struct shape draw(void) {
  unsigned r = next_random() % 100;
  if (r < 30) return (struct shape){NODE, sizeof(struct node)};
  if (r < 60) return (struct shape){TREE, sizeof(struct tree)};
  if (r < 75) return (struct shape){TIMER, sizeof(struct timer)};
  if (r < 90) return (struct shape){TEXT, 8 + next_random() % 120};
  if (r < 99) return (struct shape){CONNECTION, sizeof(struct connection)};
  return (struct shape){BUFFER, 1024 + next_random() % 15360};
}

static void shuffle(void) {
  for (unsigned i = 0; i < SLOTS; i++)
    order[i] = i;
  for (unsigned i = SLOTS - 1; i > 0; i--) {
    unsigned k = next_random() % (i + 1), was = order[i];
    order[i] = order[k];
    order[k] = was;
  }
}

/* Each type has its own call, as in a program. What is taken goes to a slot: a function that
 * returned it would be an allocator to st-instrument, and its callers would be asked for the type.
 */
static void take(void **slot, struct shape s) {
  switch ((enum kind)s.kind) {
  case NODE: {
    struct node *p = malloc(sizeof(*p));
    *slot = p;
    return;
  }
  case TREE: {
    struct tree *p = malloc(sizeof(*p));
    *slot = p;
    return;
  }
  case TIMER: {
    struct timer *p = malloc(sizeof(*p));
    *slot = p;
    return;
  }
  case CONNECTION: {
    struct connection *p = malloc(sizeof(*p));
    *slot = p;
    return;
  }
  default: {
    char *p = malloc(s.bytes);
    *slot = p;
    return;
  }
  }
}

static void take_clear(void **slot, struct shape s) {
  if (s.kind == NODE) {
    struct node *p = calloc(1, sizeof(*p));
    *slot = p;
  } else if (s.kind == TREE) {
    struct tree *p = calloc(1, sizeof(*p));
    *slot = p;
  } else {
    char *p = calloc(1, s.bytes);
    *slot = p;
  }
}

static void take_aligned(void **slot, struct shape s) {
  char *p = aligned_alloc(64, s.bytes);
  *slot = p;
}

static void grow(void **slot, unsigned bytes) {
  char *p = realloc(*slot, bytes);
  *slot = p;
}

static void need(const void *p) {
  if (!p) errx(1, "out of memory");
}

static void free_all(void) {
  for (unsigned i = 0; i < SLOTS; i++)
    free(blocks[order[i]]);
}

/* The best round is the one that was disturbed least. */
struct best {
  const char *op;
  double ns;
};

static void note(struct best *best, const char *op, uint64_t from, unsigned count) {
  double ns = (double)(now_ns() - from) / count;
  if (!best->op || ns < best->ns) *best = (struct best){op, ns};
}

/* Each way to make SLOTS live blocks, then freeing them in random order. */
static void time_takes(struct best *best, const char *op, void (*how)(void **, struct shape),
                       struct best *freed) {
  for (unsigned r = 0; r < ROUNDS; r++) {
    shuffle();
    uint64_t from = now_ns();
    for (unsigned i = 0; i < SLOTS; i++)
      how(&blocks[i], shapes[i]);
    note(best, op, from, SLOTS);
    for (unsigned i = 0; i < SLOTS; i++)
      need(blocks[i]), *(volatile long *)blocks[i] = 1;
    from = now_ns();
    free_all();
    note(freed, "free", from, SLOTS);
  }
}

static void time_realloc(struct best *best) {
  for (unsigned r = 0; r < ROUNDS; r++) {
    shuffle();
    for (unsigned i = 0; i < SLOTS; i++)
      take(&blocks[i], shapes[i]), need(blocks[i]);
    uint64_t from = now_ns();
    for (unsigned i = 0; i < SLOTS; i++)
      grow(&blocks[i], shapes[i].bytes + shapes[i].bytes / 2);
    note(best, "realloc", from, SLOTS);
    free_all();
  }
}

/* A block that is freed right after its allocation: what caches are made for. */
static void time_pairs(struct best *best) {
  for (unsigned r = 0; r < ROUNDS / 4; r++) {
    uint64_t from = now_ns();
    for (unsigned i = 0; i < PAIRS; i++) {
      take(&blocks[0], shapes[i % SLOTS]);
      *(volatile long *)blocks[0] = 1;
      free(blocks[0]);
    }
    note(best, "pair", from, PAIRS);
  }
}

/* A steady live heap in which a random block is replaced again and again: a server's life. */
static void time_churn(struct best *best) {
  for (unsigned i = 0; i < SLOTS; i++)
    take(&blocks[i], shapes[i]), need(blocks[i]);
  for (unsigned r = 0; r < ROUNDS / 4; r++) {
    uint64_t from = now_ns();
    for (unsigned i = 0; i < CHURN; i++) {
      unsigned k = next_random() % SLOTS;
      free(blocks[k]);
      take(&blocks[k], shapes[i % SLOTS]);
      *(volatile long *)blocks[k] = 1;
    }
    note(best, "malloc_free", from, CHURN);
  }
  free_all();
}

static void print_times(void) {
  enum { OPS = 8 };
  struct best best[OPS] = {{0}}, *freed = &best[1], other = {0};
  time_takes(&best[0], "malloc", take, freed);
  time_takes(&best[2], "calloc", take_clear, &other);
  time_takes(&best[3], "aligned", take_aligned, &other);
  time_realloc(&best[4]);
  time_pairs(&best[5]);
  time_churn(&best[6]);
  for (unsigned i = 0; i < OPS; i++)
    if (best[i].op) printf("%s %.2f\n", best[i].op, best[i].ns);
}

/* ---- memory ---- */

static long resident(void) {
  char line[128];
  long kb = 0, part;
  FILE *f = fopen("/proc/self/smaps_rollup", "r");
  while (f && fgets(line, sizeof(line), f))
    if (sscanf(line, "Anonymous: %ld", &part) == 1 || sscanf(line, "Pss_Shmem: %ld", &part) == 1)
      kb += part;
  if (f) fclose(f);
  return kb * 1024;
}

/* A table outside of every heap, in memory from the start. */
static void *table(size_t bytes) {
  void *p =
      mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (p == MAP_FAILED) err(1, "mmap");
  return p;
}

/* Live blocks after a life of random frees; every byte of them was written. */
static void print_memory(unsigned fixed, unsigned count) {
  void **live = table(count * sizeof(*live));
  unsigned *bytes = table(count * sizeof(*bytes));
  long before = resident(), asked = 0;
  for (unsigned i = 0; i < 2 * count; i++) {
    unsigned k = i < count ? i : next_random() % count;
    struct shape s = fixed ? (struct shape){TEXT, fixed} : draw();
    free(live[k]);
    take(&live[k], s), need(live[k]);
    memset(live[k], 1, bytes[k] = s.bytes);
  }
  for (unsigned i = 0; i < count; i++)
    asked += bytes[i];
  printf("asked %ld\nused %ld\n", asked, resident() - before);
}

int main(int argc, char **argv) {
  if (argc < 2) errx(2, "usage: alloc CPU | alloc memory COUNT [BYTES]");
#ifdef ALLOC_LIBST
  int error = st_init(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), false);
  if (error) errx(1, "st_init: %s", strerror(-error));
#endif
  if (strcmp(argv[1], "memory") == 0) {
    print_memory(argc > 3 ? (unsigned)atoi(argv[3]) : 0, argc > 2 ? (unsigned)atoi(argv[2]) : 0);
    return 0;
  }
  pin_to_cpu(argv[1]);
  for (unsigned i = 0; i < SLOTS; i++)
    shapes[i] = draw();
  print_times();
  return 0;
}
