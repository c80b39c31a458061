/* Programs: how an object of a type of the old version becomes one of the new version's. One for
 * each pair of types, compiled before the state arrives. */
#ifndef LIBST_PROGRAM_H
#define LIBST_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct st_meta;
struct handler;
struct programs;

enum op_kind {
  OP_COPY,    /* bytes */
  OP_INTEGER, /* as wide as a pointer: bytes, which must be no address that changes */
  OP_NUMBER,  /* integer of another width or sign: range-checked */
  OP_ENUM,    /* enumerator, by name */
  OP_REAL,    /* floating point from or to another form, or an integer */
  OP_BITS,    /* bit-field, from or to a bit-field or an integer */
  OP_POINTER, /* follows its target */
  OP_WORDS,   /* may hold pointers (unions): traced conservatively */
  OP_REPEAT,  /* elements of an array */
  OP_TAIL,    /* elements of a flexible array, to the object's end */
  OP_TAGGED,  /* pointer with a tag */
  OP_OWN,     /* keeps the new version's value */
  OP_HANDLER, /* what a handler makes of the whole object */
  OP_LIVE,    /* union whose live member is known */
};

/* What a pointer points to by its type in either version, stripped; 0 = any. */
struct pointed {
  uint32_t old_type, new_type;
  bool retyped; /* what it pointed to is no longer what it points to */
  bool strict;  /* what it points to must be known to have the type */
};

enum enum_fate {
  ENUM_GONE, /* the new version has no enumerator of its names */
  ENUM_FOUND,
  ENUM_PARTED, /* it had several names, which have different values now */
};

struct enum_value {
  int64_t old_value, new_value;
  enum enum_fate fate;
};

struct enum_map {
  bool names_zero; /* the new version has a name for 0 */
  uint32_t count;
  struct enum_value values[];
};

/* What is live in a union for one value of its discriminator. */
struct live_choice {
  int64_t value;
  const struct program *program; /* of the member; NULL: nothing is live, or it is `gone` */
  const char *gone;              /* name of a member that the new version does not have */
};

struct live {
  int32_t at; /* of the discriminator, in bytes from the union */
  uint8_t bytes;
  bool is_signed;
  uint16_t bit, bits; /* of a bit-field, else 0 */
  uint32_t count;
  struct live_choice *choices;
  const struct live_choice *otherwise; /* for other values; NULL: there must be none */
};

struct op {
  uint8_t kind;
  bool old_signed, new_signed, old_real, new_real;
  uint32_t old_at, new_at;       /* byte offsets */
  uint32_t old_bytes, new_bytes; /* of a number; COPY, INTEGER and WORDS: old_bytes */
  union {
    struct {
      uint16_t old_bit, old_bits, new_bit; /* from the byte offset; OP_BITS */
      uint16_t new_bits;                   /* those, and of other numbers: 1 for _Bool */
      const struct enum_map *map;          /* OP_ENUM, OP_BITS; NULL: values stay */
    };
    struct {
      struct pointed pointed; /* OP_POINTER, OP_TAGGED */
      uint64_t mask;          /* bits of the tag */
    };
    const struct live *live;
    const struct handler *handler;
    struct {
      const struct program *element;
      uint32_t old_count, new_count;
    };
  };
  const char *path; /* from the object: ".peer.addr"; "" for the object itself */
};

/* Bytes of the old object that the new one has no place for. */
struct dropped {
  uint32_t at, bytes;
  uint32_t old_array,
      new_array; /* types of an array that ends before them; 0: they are no part of one */
  const char *path;
};

/* A member that is in another struct of the same object now. */
struct move {
  uint32_t old_at, new_at;
  uint32_t old_type, new_type;
  bool was_bits, is_bits;      /* nothing points into a bit-field */
  const char *path, *new_path; /* from the object, as in struct op */
};

struct program {
  uint32_t old_type, new_type; /* stripped */
  uint32_t old_bytes, new_bytes;
  bool changed;        /* the bytes, other than pointers, do not stay as they are */
  bool points;         /* has pointers or words */
  bool retyped;        /* has pointers whose target no longer has their type */
  const char *refusal; /* why no object of this type can be transferred, or NULL */
  const char *refused; /* path of the member that this is about */
  struct op *ops;
  unsigned op_count;
  struct dropped *dropped;
  unsigned dropped_count;
  struct move *moves;
  unsigned move_count;
};

#define PROGRAM_AMBIGUOUS (-2)
#define PROGRAM_RETYPED   (-3)
#define PROGRAM_MISREAD   (-4)

/** Makes an empty set. Both metadata are borrowed. @return NULL without memory */
struct programs *programs_new(const struct st_meta *old, const struct st_meta *new);
void programs_free(struct programs *programs);

/** Of an integer as wide as a pointer, which stays one? */
static inline bool program_is_integer(const struct program *p) {
  return p->op_count == 1 && p->ops[0].kind == OP_INTEGER && p->old_bytes == sizeof(void *) &&
         !p->changed;
}
/** The metadata of the old and of the new version. */
const struct st_meta *programs_old(const struct programs *programs);
const struct st_meta *programs_target(const struct programs *programs);
/** Handlers that will run; before programs are compiled. */
void programs_set_handlers(struct programs *programs, const struct handler *handlers);
/** The handler of a pair of types, or NULL. */
const struct handler *programs_handler(const struct programs *programs, uint32_t old_type,
                                       uint32_t new_type);

/** The program for a pair of types, compiled when it is asked for first.
 * @return owned by the set; NULL without memory */
const struct program *program_for(struct programs *programs, uint32_t old_type, uint32_t new_type);
/** Visits all programs of the set. */
void programs_each(const struct programs *programs,
                   void (*visit)(const struct program *program, void *ctx), void *ctx);
/** The type of the new version that corresponds to one of the old: as pairing variables and members
 * has shown, else by name.
 * @return its id, or 0 when there is none */
uint32_t programs_counterpart(struct programs *programs, uint32_t old_type);

/* Elements that pair one by one; of arrays of more dimensions, what is no array, when their numbers
 * of dimensions differ. */
struct array_pair {
  uint32_t old_element, new_element; /* types; 0 when the arrays have no counterparts */
  uint32_t old_count, new_count;
};
struct array_pair array_pair(const struct st_meta *old, uint32_t old_type,
                             const struct st_meta *new, uint32_t new_type);

/** Where in the new object lies what is at `offset` in an old one.
 * @param pointed  of the pointer to it: tells an object from its first member, and from the end of
 *                 an array before it
 * @param exact    out: whether an object of the pointer's type begins there, or an array of it ends
 * @return the offset; -1 when the new version does not have it; PROGRAM_AMBIGUOUS when it is
 *         several things, which part in the new version; PROGRAM_RETYPED when it is there, but of a
 *         type that the pointer's does not fit; PROGRAM_MISREAD when no object of the pointer's
 * type is known there, and who reads one there will find what it is not */
int64_t program_offset(struct programs *programs, const struct program *program, uint64_t offset,
                       const struct pointed *pointed, bool *exact);
/** The same for a block of objects.
 * @param flexible  of one object, which ends in a flexible array
 * @param bytes     of the old block */
int64_t program_block_offset(struct programs *programs, const struct program *program,
                             bool flexible, uint64_t bytes, uint64_t offset,
                             const struct pointed *pointed);

/** The value of a union's discriminator. @param united  the union, in its object */
int64_t live_value(const struct live *live, const unsigned char *united);
/** What is live in a union; NULL when its annotation does not say. */
const struct live_choice *live_choice(const struct live *live, const unsigned char *united);

#endif
