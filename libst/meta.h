/* Metadata: the section `.st_meta` that st-instrument adds to an executable after the link, and the
 * reader for it.
 *
 * The section is not loaded; it is packed (libst/meta_pack.h) in the file, and this is what it
 * holds unpacked. All offsets are from its start, all strings are
 * offsets into one string table, addresses are link-time (add the image base). Types are one BTF
 * blob (kernel Documentation/bpf/btf.rst); type 0 is void. */
#ifndef LIBST_META_H
#define LIBST_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ST_META_SECTION ".st_meta"
#define ST_META_MAGIC   0x314154454d5453ull /* "STMETA1" */
#define ST_META_VERSION 3u

struct st_table {
  uint32_t offset; /* from the section's start, bytes; 8-aligned */
  uint32_t count;  /* records, or bytes for strings and btf */
};

struct st_meta_header {
  uint64_t magic;
  uint32_t version;
  uint32_t bytes; /* of the whole section */
  uint8_t build_id[20];
  uint32_t component;          /* string: what the executable is a version of ("net") */
  struct st_table strings;     /* bytes; offset 0 is "" */
  struct st_table btf;         /* bytes */
  struct st_table variables;   /* struct st_variable, by address */
  struct st_table functions;   /* struct st_function, by address */
  struct st_table sites;       /* struct st_site */
  struct st_table site_ranges; /* struct st_site_range, by lo */
  struct st_table libraries;   /* uint32_t strings: sonames of declared state libraries */
  struct st_table annotations; /* struct st_annotation */
};

enum st_variable_flags {
  ST_VAR_CONST = 1,   /* in a read-only segment (or RELRO) */
  ST_VAR_STATIC = 2,  /* file or function scope */
  ST_VAR_REFUSED = 4, /* DWARF shows it split, shrunk, thread-local or without a place: an update
                         is refused with `note` unless it is annotated */
};

struct st_variable {
  uint32_t name;
  uint32_t file;     /* source file as given to the compiler, relative where it was */
  uint32_t function; /* of a function static; 0 otherwise */
  uint32_t type;     /* BTF id */
  uint64_t address;
  uint64_t size; /* bytes */
  uint32_t flags;
  uint32_t note;
  /* Blocks of a function may have statics of one name: this is number `nth`, from 1, of `of`, in
   * the order of their declarations. 0 of 0 when it is the only one. Where the order is not known
   * they share a number. */
  uint32_t nth, of;
};

enum st_function_flags { ST_FUNC_STATIC = 1, ST_FUNC_WRAPPER = 2 /* allocator wrapper */ };

struct st_function {
  uint32_t name;
  uint32_t file;
  uint64_t address;
  uint64_t size;
  uint32_t flags;
  uint32_t unused;
};

enum st_site_flags {
  ST_SITE_FLEXIBLE = 1, /* one object whose last member is a flexible array; not an array of them */
  ST_SITE_CALLER = 2,  /* in an allocator wrapper, which hands the block on: the site is that of the
                          wrapper's caller, by the frame pointer; untyped when it has none */
  ST_SITE_UNSIZED = 4, /* one object: its size is not spelled as its type's. A block of another size
                          is something else, and untyped */
};

struct st_site {
  uint32_t file, function; /* strings */
  uint32_t line, column;
  uint32_t type; /* BTF id of one element; 0 = untyped (traced conservatively) */
  uint32_t flags;
};

/* A block allocated by a call whose return address r has lo < r <= hi comes from `site`. */
struct st_site_range {
  uint64_t lo, hi;
  uint32_t site; /* index in sites */
  uint32_t unused;
};

/* What an annotation says (libst/annotate.h). */
enum st_annotation_kind {
  ST_ANNOTATE_OPAQUE = 1,
  ST_ANNOTATE_DONT_TRANSFER,
  ST_ANNOTATE_RENAMED_FROM,
  ST_ANNOTATE_POINTER_TO,
  ST_ANNOTATE_NOT_POINTER,
  ST_ANNOTATE_TAGGED_POINTER,
  ST_ANNOTATE_POOL_OF,
  ST_ANNOTATE_LIVE_BY,
  ST_ANNOTATE_HANDLED_BY,
  ST_ANNOTATE_KINDS,
};

enum st_annotation_target {
  ST_TARGET_FIELD = 1,
  ST_TARGET_VARIABLE,
  ST_TARGET_STATIC,
  ST_TARGET_TYPE,
  ST_TARGET_ENUMERATOR,
  ST_TARGET_FUNCTION,
  ST_TARGET_BLOCKS,
  ST_TARGETS,
};

struct st_annotation {
  uint32_t kind, target; /* enum st_annotation_kind, st_annotation_target */
  uint32_t type;         /* BTF id: of what is annotated or has the field; else 0 */
  uint32_t scope;        /* string: that type as written, or the function of a static */
  uint32_t name;         /* string: field, variable, enumerator, function */
  uint32_t argument;     /* string, as written */
  uint32_t operand;      /* BTF id of the TYPE in the argument; else 0 */
  uint32_t unit; /* string: source file of the compilation unit, as struct st_variable has it */
  uint32_t file, line; /* string and number: where it is written */
};

/* ---- reader ---- */

struct btf;

struct st_mark; /* libst/annotation.h */

/** An opened metadata section. Immutable, except for annotations_apply() and its like. */
struct st_meta {
  const struct st_meta_header *header;
  const char *strings;
  const struct st_variable *variables;
  const struct st_function *functions;
  const struct st_site *sites;
  const struct st_site_range *site_ranges;
  const uint32_t *libraries;
  const struct st_annotation *annotations;
  struct btf *btf;              /* libbpf's view of the types */
  void *section;                /* its bytes */
  const struct st_mark **marks; /* by BTF id, after annotations_apply() */
  uint32_t mark_count;
  struct st_kept *kept; /* st_meta_keep() */
};

/** Reads the metadata of an executable.
 * @param fd     the executable, open for reading; not kept
 * @param error  receives one line on failure
 * @return owned by the caller (st_meta_close), or NULL: no ELF file, no section (not instrumented),
 *         unknown version, or inconsistent. */
struct st_meta *st_meta_open(int fd, char *error, size_t error_cap);
/** Reads a section, packed or not, that lies in memory at an address divisible by 8; it is copied.
 * Otherwise as st_meta_open(). */
struct st_meta *st_meta_read(const void *section, size_t bytes, char *error, size_t error_cap);
void st_meta_close(struct st_meta *meta);
/** Zeroed memory that lives as long as `meta`, or NULL. */
void *st_meta_keep(struct st_meta *meta, size_t bytes);

/** Name of the component that the executable is a version of; "" when it has none. */
const char *st_meta_component(const struct st_meta *meta);
/** Build id in hexadecimal, 40 digits and NUL. */
void st_meta_build_id(const struct st_meta *meta, char out[41]);
const char *st_meta_string(const struct st_meta *meta, uint32_t offset);

/** Finds a variable by name. When several have it (statics), one without function scope is
 * preferred; `file` (may be NULL) selects further. @return NULL when there is none. */
const struct st_variable *st_meta_variable(const struct st_meta *meta, const char *name,
                                           const char *file);
/** The variable or function that contains a link-time address, or NULL. */
const struct st_variable *st_meta_variable_at(const struct st_meta *meta, uint64_t address);
const struct st_function *st_meta_function_at(const struct st_meta *meta, uint64_t address);
/** The allocation site that a return address (link-time) belongs to, or NULL. */
const struct st_site *st_meta_site_at(const struct st_meta *meta, uint64_t return_address);

#endif
