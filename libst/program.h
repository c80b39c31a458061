/* Programs: how an object of a type of the old version becomes one of the new version's. One for
 * each pair of types, compiled before the state arrives. */
#ifndef LIBST_PROGRAM_H
#define LIBST_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct st_meta;
struct programs;

enum op_kind {
  OP_COPY,    /* bytes */
  OP_NUMBER,  /* integer of another width or sign: range-checked */
  OP_ENUM,    /* enumerator, by name */
  OP_BITS,    /* bit-field, from or to a bit-field or an integer */
  OP_POINTER, /* follows its target */
  OP_WORDS,   /* may hold pointers (unions): traced conservatively */
  OP_REPEAT,  /* elements of an array */
  OP_TAIL,    /* elements of a flexible array, to the object's end */
};

/* What a pointer points to by its type in either version, stripped; 0 = any. */
struct pointed {
  uint32_t old_type, new_type;
  bool retyped; /* what it pointed to is no longer what it points to */
};

struct enum_value {
  int64_t old_value, new_value;
  bool gone; /* the new version has no enumerator of this name */
};

struct op {
  uint8_t kind;
  bool old_signed, new_signed;
  uint32_t old_at, new_at;       /* byte offsets */
  uint32_t old_bytes, new_bytes; /* of a number; COPY and WORDS: old_bytes */
  union {
    struct {
      uint16_t old_bit, old_bits, new_bit; /* from the byte offset; OP_BITS */
      uint16_t new_bits;                   /* that one, and OP_NUMBER: 1 for _Bool */
    };
    struct pointed pointed; /* OP_POINTER */
    struct {
      const struct program *element;
      uint32_t old_count, new_count;
    };
    struct {
      const struct enum_value *values;
      uint32_t value_count;
    };
  };
  const char *path; /* from the object: ".peer.addr"; "" for the object itself */
};

/* Bytes of the old object that the new one has no place for. */
struct dropped {
  uint32_t at, bytes;
  const char *path;
};

struct program {
  uint32_t old_type, new_type; /* stripped */
  uint32_t old_bytes, new_bytes;
  bool changed;        /* the bytes, other than pointers, do not stay as they are */
  bool points;         /* has pointers or words */
  const char *refusal; /* why no object of this type can be transferred, or NULL */
  const char *refused; /* path of the member that this is about */
  struct op *ops;
  unsigned op_count;
  struct dropped *dropped;
  unsigned dropped_count;
};

#define PROGRAM_AMBIGUOUS (-2)
#define PROGRAM_RETYPED   (-3)

/** Makes an empty set. Both metadata are borrowed. @return NULL without memory */
struct programs *programs_new(const struct st_meta *old, const struct st_meta *new);
void programs_free(struct programs *programs);

/** The metadata of the old and of the new version. */
const struct st_meta *programs_old(const struct programs *programs);
const struct st_meta *programs_target(const struct programs *programs);

/** The program for a pair of types, compiled when it is asked for first.
 * @return owned by the set; NULL without memory */
const struct program *program_for(struct programs *programs, uint32_t old_type, uint32_t new_type);
/** The type of the new version that corresponds to one of the old: as pairing variables and members
 * has shown, else by name.
 * @return its id, or 0 when there is none */
uint32_t programs_counterpart(struct programs *programs, uint32_t old_type);

/** Where in the new object lies what is at `offset` in an old one.
 * @param pointed  of the pointer to it: tells an object from its first member, and from the end of
 *                 an array before it
 * @param exact    out: whether an object of the pointer's type begins there, or an array of it ends
 * @return the offset; -1 when the new version does not have it; PROGRAM_AMBIGUOUS when it is
 *         several things, which part in the new version; PROGRAM_RETYPED when it is there, but of a
 *         type that the pointer's does not fit */
int64_t program_offset(struct programs *programs, const struct program *program, uint64_t offset,
                       const struct pointed *pointed, bool *exact);
/** The same for a block of objects.
 * @param flexible  of one object, which ends in a flexible array
 * @param bytes     of the old block */
int64_t program_block_offset(struct programs *programs, const struct program *program,
                             bool flexible, uint64_t bytes, uint64_t offset,
                             const struct pointed *pointed);

#endif
