/* The state heap: one arena at a fixed address, made of one sparse memfd.
 *
 * Everything that describes the heap lies in the arena itself, so a new version that maps it has
 * the heap. Layout, in pages of 4 KiB: the header; one `struct page` for each page; the site table;
 * then runs of pages. A run is a span (blocks of one size class, their records in front), one large
 * block, or free. A record says which site allocated the block and how much of it was not asked
 * for; there is always at least one such byte, so one-past-the-end is never the next block.
 *
 * The page map tells of each run which sites its blocks may come from, and blocks that may hold
 * pointers lie in other spans than those that cannot: whoever looks for the blocks of some sites
 * need not touch the rest of the heap.
 *
 * During a transfer the old version's blocks must stay recognisable: between arena_transfer_begin()
 * and arena_transfer_end() allocations come only from runs that held nothing before (marked fresh),
 * and nothing is given back. */
#ifndef LIBST_ARENA_H
#define LIBST_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARENA_BASE       0x2b5a00000000ul
#define ARENA_BYTES      (16ul << 30)
#define ARENA_MAGIC      0x314e4552415453ull /* "STAREN1" */
#define ARENA_FORMAT     2u
#define ARENA_PAGE_SHIFT 12
#define ARENA_PAGE       (1ul << ARENA_PAGE_SHIFT)
#define ARENA_PAGES      (ARENA_BYTES >> ARENA_PAGE_SHIFT)

enum page_kind { PAGE_FREE, PAGE_SPAN, PAGE_LARGE, PAGE_OWN /* the arena's own records */ };
enum page_flags {
  PAGE_HEAD = 1,  /* first of its run */
  PAGE_FRESH = 2, /* of a run allocated by the transfer in progress */
  PAGE_CLEAN = 4, /* head of a free run: its bytes are zero, and no memory is behind them */
};

struct page {
  uint8_t kind;
  uint8_t flags;
  uint16_t tag; /* span: size class, on each page; large block: its site */
  uint32_t run; /* pages back to the head; at the head of a large block or free run: its pages */
  union {
    uint64_t bytes; /* large block: size asked for */
    uint64_t sites; /* head of a span: bit (site % 64) of each site that had a block here */
    struct {
      uint32_t next, prev; /* free run: neighbours in its bin */
    } free;
  };
};

/* Each block size has two classes: 2n for blocks that cannot hold pointers, 2n + 1 for others. */
enum { ARENA_SIZES = 80, ARENA_CLASSES = 2 * ARENA_SIZES, ARENA_BINS = 23, ARENA_SITES = 65536 };
enum { ARENA_SMALL = 16384 }; /* blocks of fewer bytes lie in spans */

/* A block's record. All zero: the block was never used. A free block keeps its site, so that a
 * second free can name it. */
struct record {
  uint16_t site;
  uint16_t slack; /* bytes of the block that were not asked for, 1 or more; of a free block:
                     RECORD_FREE and the next free one of the span, or SPAN_END */
};

#define RECORD_FREE 0x8000u
#define SPAN_END    0x7fffu

/* Both halves at once: a live block's site and slack are not 0. */
static inline bool record_live(struct record r) {
  return (int32_t)((uint32_t)r.slack << 16 | r.site) > 0;
}

struct span {
  uint32_t next, prev; /* pages of its neighbours among the class's spans with room */
  uint16_t free;       /* first free block, or SPAN_END */
  uint16_t used;       /* blocks that are neither in the free list nor untouched */
  uint16_t touched;    /* blocks from here on were never used in this span */
  uint16_t dirty;      /* they are not known to be zero */
  struct record records[];
};

struct size_class {
  uint32_t size;      /* bytes of a block */
  uint32_t pages;     /* of a span */
  uint32_t count;     /* blocks in a span */
  uint32_t data;      /* offset of the first block */
  uint32_t divide;    /* ceil(2^32 / size) */
  uint32_t unused[3]; /* a power of two is found fastest */
};

/* What allocated a block: filled for the build that runs now, rewritten by each update. */
struct site {
  uint32_t type; /* BTF id in the present build's metadata; 0 = untyped */
  uint32_t line;
  uint16_t flags; /* enum site_flags */
  uint16_t unused;
  char function[44]; /* cut at the end */
  char file[72];     /* cut at the front */
};

enum site_flags {
  SITE_FLEXIBLE = 1, /* the block is one object with a flexible array at its end */
  SITE_CLEAR = 2, /* may hold pointers: blocks start zeroed, so that rests are not taken for them */
  SITE_ALIGNED = 4, /* asked for more than the usual alignment, which blocks keep when they move */
  SITE_UNSIZED = 8, /* a block of another size than the type's is untyped */
};

struct arena {
  uint64_t magic;
  uint32_t format;
  uint32_t pages;                  /* of the arena */
  uint32_t top;                    /* pages from here on are free and in no bin */
  uint32_t high;                   /* pages from here on were never used: zero */
  uint32_t sites;                  /* entries of the site table in use; entry 0 is none */
  uint32_t dirty;                  /* pages in free runs that are not clean */
  uint64_t mapping_top;            /* of the window of shared mappings */
  uint32_t bins[2][ARENA_BINS];    /* free runs by size: dirty, clean */
  uint32_t partial[ARENA_CLASSES]; /* spans with room, by class */
};

_Static_assert(sizeof(struct page) == 16, "part of the arena's format");
_Static_assert(sizeof(struct site) == 128, "part of the arena's format");
_Static_assert(sizeof(struct record) == 4, "part of the arena's format");

#define ARENA      ((struct arena *)ARENA_BASE)
#define ARENA_MAP  ((struct page *)(ARENA_BASE + ARENA_PAGE))
#define ARENA_SITE ((struct site *)(ARENA_BASE + ARENA_PAGE + ARENA_PAGES * sizeof(struct page)))
#define ARENA_FIRST                                                                                \
  (1 + (ARENA_PAGES * sizeof(struct page) + ARENA_SITES * sizeof(struct site)) / ARENA_PAGE)

/* Hidden: reached without a detour on each allocation. */
extern struct size_class arena_classes[ARENA_CLASSES] __attribute__((visibility("hidden")));
/* Smallest class of a size that exceeds 16 * i + 15 bytes, so that one byte is always left. */
extern uint8_t arena_class_of[ARENA_SMALL / 16] __attribute__((visibility("hidden")));

/** Pages of a run, given its head. */
static inline uint32_t arena_run_pages(const struct page *head) {
  return head->kind == PAGE_SPAN ? arena_classes[head->tag].pages : head->run;
}

/** A live block. */
struct block {
  uintptr_t address;
  size_t bytes;    /* asked for */
  size_t capacity; /* it may grow to this minus one in place */
  unsigned site;
  uint32_t page;  /* head of its run */
  uint32_t index; /* in a span, else 0 */
};

/** The bit that a site has in a set of sites; some share one. */
static inline uint64_t arena_site_bit(unsigned site) {
  return 1ull << (site % 64);
}

/** Reserves the arena's addresses. @return 0 or a negative errno. */
int arena_reserve(void);
/** Maps a part of `fd`, which is an arena, at its place.
 * @param kind  MAP_SHARED or MAP_PRIVATE. The part stays out of core dumps: the arena is a large
 *              hole with few pages in it. */
int arena_map(uintptr_t start, size_t bytes, int kind, int fd);
/** Creates an empty arena. @return its memfd, or a negative errno. */
int arena_create(void);
/** Maps `fd`, an arena of another process, copy-on-write, and checks its format. */
int arena_adopt(int fd);
/** Checks an adopted arena whose process was interrupted anywhere, and makes its lists anew.
 * @param types  BTF ids below this exist
 * @return what is wrong with it, or NULL */
const char *arena_recover(uint32_t types);
/** Makes the allocator usable; the arena is mapped. */
void arena_start(bool shared);
/** Runs may be given back to the kernel from now on. */
void arena_set_shared(void);
/** Is the arena mapped and in use? */
bool arena_live(void);

static inline bool arena_has(const void *p) {
  return (uintptr_t)p - ARENA_BASE < ARENA_BYTES;
}

/** Allocates `bytes` (which may be 0) aligned to 16.
 * @return memory that is zero when `clear`, or NULL with errno ENOMEM */
void *arena_alloc(size_t bytes, unsigned site, bool clear);
/** The same for a power-of-two alignment. */
void *arena_alloc_aligned(size_t alignment, size_t bytes, unsigned site, bool clear);
/** Frees a block; ends the program with a message that names its site when `p` is none. */
void arena_free(void *p);
/** Blocks that were freed last and wait in this process for their next use become ordinary free
 * ones: the arena alone then describes the heap. */
void arena_settle(void);
/** Gives free memory back to the kernel while there is more than a share of the heap.
 * @param pages  at most so many, about 0.3 us each
 * @return whether there is more to do */
bool arena_purge(uint32_t pages);
/** Frees all blocks of the span that starts at `page`, without touching it, if it is full. */
bool arena_release_full(uint32_t page);
/** Changes the size asked for, if the block can stay where it is. */
bool arena_resize(void *p, size_t bytes, unsigned site, bool clear);
/** Size asked for of the block that starts at `p`; ends the program when `p` is none. */
size_t arena_bytes(const void *p, unsigned *site);

/** Finds the live block that contains `address`, its slack included. See also libst/find.h.
 * @param fresh  also blocks allocated by the transfer in progress */
bool arena_find(uintptr_t address, bool fresh, struct block *out);
/** Calls `visit` for each live block that is not fresh; stops and returns its value if not 0. */
int arena_each(int (*visit)(const struct block *block, void *ctx), void *ctx);
/** The same for blocks of those sites only whose bit (site % 64) is set. Memory that holds none of
 * them is not touched. */
int arena_each_of(uint64_t sites, int (*visit)(const struct block *block, void *ctx), void *ctx);
/** Changes the record of a block that stays: another size asked for. */
void arena_set_bytes(const struct block *block, size_t bytes);

/** Faults in memory for about `pages` pages of fresh blocks, before the transfer: the arena is a
 * private copy, not written yet, of one that may still change. */
void arena_prepare(uint32_t pages);
/** The arena is a private copy of `fd`, and stays so until it is written back. */
int arena_transfer_begin(int fd);
/** Ends it: fresh runs become ordinary ones. */
void arena_transfer_end(void);

#endif
