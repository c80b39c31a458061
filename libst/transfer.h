/* One transfer: the old version's state, frozen, becomes this process's. */
#ifndef LIBST_TRANSFER_H
#define LIBST_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libst/arena.h"
#include "libst/image.h"
#include "libst/plan.h"

struct st_report;

/* Where a datum is, for messages: a chain from the datum up to its variable or block. */
struct place {
  const struct place *up;
  const char *text;              /* a variable's name or a member path */
  const struct block *block;     /* a heap block, at the chain's end */
  long index;                    /* of an array; -1 = none */
  const struct program *program; /* with `op`: what the datum's types are; NULL = not known */
  const struct op *op;
};

/* What happens to the blocks of one site. */
struct site_plan {
  bool known;  /* the rest is filled in */
  bool typed;  /* else traced conservatively */
  bool skip;   /* nothing in its blocks can change */
  bool orphan; /* the new version lacks the type: blocks stay as they are, pointers are followed */
  bool flexible;
  bool unsized; /* holds only for blocks of the type's size */
  bool pool;    /* its blocks may have a rest behind their last object */
  const struct program *program;
};

struct literal {
  const char *text; /* in the old executable's file */
  uintptr_t new_address;
};

struct transfer {
  struct plan *plan;
  struct st_report *report;
  struct images old;             /* of the old version, at its addresses */
  const unsigned char *snapshot; /* its writable data */
  size_t snapshot_bytes;
  bool kept; /* both were left by a process that has ended, maybe in the middle of a change */
  unsigned char *initial;   /* the old executable's .data as it was at start */
  uint64_t initial_address; /* link-time */
  size_t initial_bytes;
  struct site_plan *sites; /* by index of the arena's table */
  uint32_t *site_pairs;    /* the same; site_pairs_new() */
  uint32_t **moved; /* by page of the arena: new places of the blocks of a span, in 16 byte units
                       from the arena's base; 0 = stays */
  uint32_t *moved_pages; /* those that have an entry there */
  size_t moved_count, moved_cap;
  uint32_t *places; /* memory for `moved`, made ready in advance; when it is used up, calloc() is */
  size_t places_count, places_left;
  uintptr_t at; /* of the block being transferred; those before it are done, in the end all */
  struct literal *literals;
  size_t literal_count;
  unsigned untyped; /* blocks without a type met, and the site of the first */
  unsigned untyped_site;
  bool relocate;           /* every block moves that can: libst/relocate.h */
  bool validate;           /* libst/validate.h */
  struct reverse *reverse; /* not NULL: the way is back, libst/reverse.h */
};

/** Makes what transfer_run() will need, while the old version still runs; the plan is made.
 * @return 0 or -ENOMEM */
int transfer_prepare(struct transfer *t);
/** Makes room for where about so many blocks go. */
void transfer_prepare_moves(struct transfer *t, size_t blocks);
/** Transfers everything; the heap is adopted, the snapshot mapped, the old images are known.
 * @return 0, or a negative errno; -EINVAL when there are violations in the report */
int transfer_run(struct transfer *t);
/** Gives back everything, the snapshot too. */
void transfer_free(struct transfer *t);

/** Fills in what transfer_site() returns. */
const struct site_plan *transfer_plan_site(struct transfer *t, unsigned site);
/** The plan for a site of the old version's table. */
static inline const struct site_plan *transfer_site(struct transfer *t, unsigned site) {
  const struct site_plan *sp = &t->sites[site];
  return __builtin_expect(sp->known, 1) ? sp : transfer_plan_site(t, site);
}
/** What happens to a block whose site does not tell for all sizes. */
const struct site_plan *transfer_by_size(const struct transfer *t, const struct site_plan *site,
                                         const struct block *block);
/** The plan for a block of the old version, whether it has been transferred already or not. */
static inline const struct site_plan *transfer_plan_of(struct transfer *t,
                                                       const struct block *block) {
  const struct site_plan *sp = transfer_site(t, block->site);
  return __builtin_expect(sp->unsized, 0) ? transfer_by_size(t, sp, block) : sp;
}
/** Where a block of the old version starts now. */
static inline uintptr_t transfer_block(const struct transfer *t, const struct block *block) {
  const uint32_t *span = t->moved[block->page];
  return span && span[block->index] ? ARENA_BASE + ((uintptr_t)span[block->index] << 4)
                                    : block->address;
}
/** Is a block of a struct or union that the new version does not know? Code of the new version that
 * has its address takes it for something else. */
bool transfer_type_is_lost(const struct transfer *t, const struct site_plan *site,
                           const struct block *block);
/** How many bytes a block had in the old version. */
size_t transfer_old_bytes(const struct transfer *t, const struct site_plan *site,
                          const struct block *block);
/** Bytes of the snapshot for run-time addresses of the old version, or NULL. */
const unsigned char *transfer_snapshot(const struct transfer *t, uintptr_t address, size_t bytes);
/** A violation at a place: "`conns[3]->peer`: text". */
void transfer_refuse(struct transfer *t, const struct place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Makes the new object out of an old one.
 * @param bytes  of the old object (more than the type's when it ends in a flexible array) */
void program_run(struct transfer *t, const struct program *program, const unsigned char *old,
                 unsigned char *new, size_t bytes, const struct place *place);
/** Bytes of an old object behind the last whole element of its flexible array. */
size_t program_rest(const struct program *program, size_t bytes);
/** Bytes of the new object for an old one of `bytes`. */
size_t program_new_bytes(const struct program *program, size_t bytes);
/** Bytes of the old object that became one of `bytes`, at least. */
size_t program_old_bytes(const struct program *program, size_t bytes);

/** Follows a pointer of the old version.
 * @param pointed  what it points to by its type
 * @return what to store in its stead; the value itself after a violation */
uint64_t pointer_follow(struct transfer *t, uint64_t value, const struct pointed *pointed,
                        const struct place *place);
/** Of a pointer that may point to anything. */
extern const struct pointed pointed_any;
/** Follows a word that may be a pointer or may be none; its target must not change. */
uint64_t word_follow(struct transfer *t, uint64_t value, const struct place *place);
/** Follows all aligned words of memory that is in its new place already. Only words that change are
 * written. */
void words_follow(struct transfer *t, void *memory, size_t bytes, const struct place *place);
/** Integers as wide as a pointer, of the old version, that are carried over as they are: one that
 * is an address which changes is a violation. */
void integers_check(struct transfer *t, const unsigned char *memory, size_t bytes,
                    const struct place *place);
/** The same for a union, which a packed struct may have at any address. */
void union_follow(struct transfer *t, void *memory, size_t bytes, const struct place *place);
/** Copies words, following them. */
void words_copy(struct transfer *t, const void *from, void *to, size_t bytes,
                const struct place *place);

/** Where a text of the old executable is in this one, by content; copied to the heap when it is not
 * there.
 * @param pointed  of the pointer to it: only `char *` and pointers of unknown type point to text
 * @return 0 when it is no text */
uintptr_t literal_follow(struct transfer *t, uint64_t old_link_address,
                         const struct pointed *pointed);

/** Prints a place; what is too long loses its middle. @return `out` */
const char *place_text(struct transfer *t, const struct place *place, char *out, size_t cap);
/** Prints the annotation that would say `what` of a place; "" where it is not plain which one
 * would.
 * @return `out` */
const char *place_annotation(struct transfer *t, const struct place *place, const char *what,
                             char *out, size_t cap);
/** Prints what all places of a member of a type have in common, in quotes: "`.next` of a `struct
 * node`". @return `out` */
const char *place_general(struct transfer *t, const struct place *place, char *out, size_t cap);

#endif
