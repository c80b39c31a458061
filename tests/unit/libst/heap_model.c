/* A million calls of the malloc family of an instrumented program, beside a model of what it should
 * hold: each block has its size, its alignment and its own bytes, whatever happens to the others.
 *
 *   heap_model [SEED]
 *
 * At the end everything is freed, and the memory must have gone back to the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libst/st.h"

enum { HELD = 20000, CALLS = 1000000, KEPT_KB = 12 * 1024 };

struct held {
  unsigned char *p;
  size_t bytes;
  unsigned char fill;
};

static struct held held[HELD];
static uint64_t state;
static unsigned long call;

#define CHECK(condition) check(condition, #condition, __LINE__)

static void check(bool holds, const char *what, int line) {
  if (holds) return;
  fprintf(stderr, "heap_model.c:%d: call %lu: not true: %s\n", line, call, what);
  exit(1);
}

static uint32_t next_random(void) {
  state = state * 6364136223846793005ull + 1442695040888963407ull;
  return (uint32_t)(state >> 33);
}

/* All sizes: mostly small ones, each size class, some of many pages, sometimes 0. */
static size_t random_size(void) {
  uint32_t r = next_random() % 1000;
  if (r < 700) return next_random() % 300;
  if (r < 900) return next_random() % 3000;
  if (r < 990) return next_random() % 20000;
  if (r < 999) return next_random() % 200000;
  return next_random() % 2000000;
}

static bool filled(const unsigned char *p, size_t bytes, unsigned char with) {
  return bytes == 0 || (p[0] == with && memcmp(p, p + 1, bytes - 1) == 0);
}

static void own(struct held *h, void *p, size_t bytes) {
  CHECK(p != NULL);
  CHECK((uintptr_t)p % 16 == 0);
  CHECK(malloc_usable_size(p) == bytes);
  *h = (struct held){p, bytes, (unsigned char)next_random()};
  memset(h->p, h->fill, bytes);
}

static void take_aligned(struct held *h, size_t bytes) {
  size_t alignment = (size_t)16 << next_random() % 10;
  void *p = NULL;
  switch (next_random() % 4) {
  case 0: {
    char *got = aligned_alloc(alignment, bytes);
    p = got;
    break;
  }
  case 1:
    CHECK(posix_memalign(&p, alignment, bytes) == 0);
    break;
  case 2: {
    char *got = memalign(alignment, bytes);
    p = got;
    break;
  }
  default: {
    char *got = valloc(bytes);
    p = got;
    alignment = 4096;
  }
  }
  own(h, p, bytes);
  CHECK((uintptr_t)p % alignment == 0);
}

static void take(struct held *h) {
  size_t bytes = random_size();
  uint32_t r = next_random() % 100;
  if (r < 50) {
    char *p = malloc(bytes);
    own(h, p, bytes);
  } else if (r < 75) {
    char *p = calloc(bytes / 8, 8);
    CHECK(p && filled((unsigned char *)p, bytes / 8 * 8, 0));
    own(h, p, bytes / 8 * 8);
  } else if (r < 85) {
    void **p = malloc((bytes + 7) & ~7ul); /* may hold pointers: zero */
    CHECK(p && filled((unsigned char *)p, (bytes + 7) & ~7ul, 0));
    own(h, p, (bytes + 7) & ~7ul);
  } else {
    take_aligned(h, bytes);
  }
}

static void change(struct held *h) {
  size_t bytes = random_size(), kept = bytes < h->bytes ? bytes : h->bytes;
  if (bytes == 0) bytes = kept = 1;
  if (kept > h->bytes) kept = h->bytes;
  char *p = next_random() % 2 ? realloc(h->p, bytes) : reallocarray(h->p, bytes, 1);
  CHECK(p && filled((unsigned char *)p, kept, h->fill));
  own(h, p, bytes);
}

static void drop(struct held *h) {
  CHECK(filled(h->p, h->bytes, h->fill));
  free(h->p);
  *h = (struct held){0};
}

/* Private and shared memory of this process. */
static long resident_kb(void) {
  char line[128];
  long kb = 0, part;
  FILE *f = fopen("/proc/self/smaps_rollup", "r");
  while (f && fgets(line, sizeof(line), f))
    if (sscanf(line, "Anonymous: %ld", &part) == 1 || sscanf(line, "Pss_Shmem: %ld", &part) == 1)
      kb += part;
  if (f) fclose(f);
  return kb;
}

/* Requests that no heap can fulfil fail, and say so. */
static void ask_too_much(void) {
  volatile size_t most = SIZE_MAX / 2, all = SIZE_MAX;
  errno = 0;
  CHECK(!malloc(most) && errno == ENOMEM);
  errno = 0;
  CHECK(!calloc(all / 4, 8) && errno == ENOMEM);
  char *p = malloc(100);
  errno = 0;
  CHECK(!realloc(p, most) && errno == ENOMEM);
  errno = 0;
  CHECK(!reallocarray(p, all / 4, 8) && errno == ENOMEM);
  memset(p, 1, 100);
  free(p);
}

int main(int argc, char **argv) {
  if (st_init(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), false) < 0) return 1;
  uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 8;
  printf("seed %lu\n", (unsigned long)seed);
  state = seed;
  memset(held, 0, sizeof(held));
  long before = resident_kb(), most;
  for (call = 0; call < CALLS; call++) {
    struct held *h = &held[next_random() % HELD];
    if (!h->p)
      take(h);
    else if (next_random() % 4 == 0)
      change(h);
    else
      drop(h);
  }
  ask_too_much();
  most = resident_kb();
  for (unsigned i = 0; i < HELD; i++)
    if (held[i].p) drop(&held[i]);
  printf("%ld KB before, %ld KB at work, %ld KB after\n", before, most, resident_kb());
  CHECK(most > before + 3 * KEPT_KB);
  CHECK(resident_kb() < before + KEPT_KB);
  return 0;
}
