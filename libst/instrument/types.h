/* Types: from DWARF to BTF.
 *
 * Each DWARF type becomes one BTF type, so that types are scoped by compilation unit; then those
 * that are structurally equal are merged (libbpf's deduplication). That renumbers them: whoever
 * needs a type takes a reference to it first and asks for its number afterwards. */
#ifndef INSTRUMENT_TYPES_H
#define INSTRUMENT_TYPES_H

#include <elfutils/libdw.h>
#include <stdint.h>

struct types;

/** A type that will be asked for later. Zero is void. */
typedef uint32_t type_ref;

struct types *types_new(void);
void types_free(struct types *types);

/** Refers to the type that a DIE is; `die` may be NULL (void). */
type_ref types_refer(struct types *types, Dwarf_Die *die);

/** Offers the definition of a named struct or union. It is taken when something that is referred to
 * refers to a type that its own unit only declares, of this name. */
void types_offer(struct types *types, Dwarf_Die *die);

/** Converts and merges all that was referred to. To be called once.
 * @param bytes  receives the length
 * @return the BTF blob, owned by `types`. */
const void *types_finish(struct types *types, uint32_t *bytes);
/** BTF number of a reference, after types_finish(). */
uint32_t types_number(const struct types *types, type_ref ref);

/** Reads a finished blob back and compares each type referred to with DWARF, through members,
 * elements and targets of pointers: BTF wraps silently beyond its limits. Ends the program with
 * the path to the first difference. */
void types_verify(const struct types *types, const void *blob, uint32_t bytes);

#endif
