#include "typeindex.h"
#include "array.h"
#include "die.h"

#include <dwarf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MAX_KEY_BYTES = 512 };

struct entry {
  char *key;
  Dwarf_Die die;
  bool ambiguous;
};

struct typeindex {
  ARRAY(struct entry) entries; /* by key */
};

static bool is_tagged(int tag) {
  return tag == DW_TAG_structure_type || tag == DW_TAG_union_type || tag == DW_TAG_enumeration_type;
}

static bool base_key(Dwarf_Die *die, char *key, size_t cap) {
  char kind;
  switch (die_number(die, DW_AT_encoding, 0)) {
  case DW_ATE_signed:
    kind = 'i';
    break;
  case DW_ATE_UTF:
  case DW_ATE_unsigned:
    kind = 'u';
    break;
  case DW_ATE_signed_char:
    kind = 'c';
    break;
  case DW_ATE_unsigned_char:
    kind = 'C';
    break;
  case DW_ATE_boolean:
    kind = 'b';
    break;
  case DW_ATE_float:
    kind = 'f';
    break;
  case DW_ATE_complex_float:
    kind = 'x';
    break;
  default:
    return false;
  }
  snprintf(key, cap, "%c%lu", kind, (unsigned long)die_bytes(die));
  return true;
}

/* Writes the key of a type; false when it has none. `die` NULL is void. */
static bool key_of(Dwarf_Die *die, char *key, size_t cap) {
  Dwarf_Die target;
  if (cap < 2) return false;
  if (!die) return snprintf(key, cap, "v") > 0;
  bool has_target = die_type(die, &target);
  switch (dwarf_tag(die)) {
  case DW_TAG_base_type:
    return base_key(die, key, cap);
  case DW_TAG_structure_type:
  case DW_TAG_union_type:
  case DW_TAG_enumeration_type: {
    const char *kind = dwarf_tag(die) == DW_TAG_structure_type ? "struct"
                       : dwarf_tag(die) == DW_TAG_union_type   ? "union"
                                                               : "enum";
    int bytes = snprintf(key, cap, "%s %s", kind, die_name(die));
    return *die_name(die) && bytes < (int)cap;
  }
  case DW_TAG_typedef:
    if (!has_target || !is_tagged(dwarf_tag(&target)) || *die_name(&target))
      return key_of(has_target ? &target : NULL, key, cap);
    return snprintf(key, cap, "typedef %s", die_name(die)) < (int)cap;
  case DW_TAG_const_type:
  case DW_TAG_volatile_type:
  case DW_TAG_restrict_type:
  case DW_TAG_atomic_type:
    return key_of(has_target ? &target : NULL, key, cap);
  case DW_TAG_array_type:
    return has_target && key_of(&target, key, cap);
  case DW_TAG_subroutine_type:
    return snprintf(key, cap, "f") > 0;
  case DW_TAG_pointer_type:
    key[0] = '*';
    return key_of(has_target ? &target : NULL, key + 1, cap - 1);
  default:
    return false;
  }
}

/* Types that a key finds: qualified ones and arrays have the key of another. */
static bool has_own_key(Dwarf_Die *die) {
  Dwarf_Die target;
  switch (dwarf_tag(die)) {
  case DW_TAG_structure_type:
  case DW_TAG_union_type:
  case DW_TAG_enumeration_type:
    return !die_flag(die, DW_AT_declaration);
  case DW_TAG_base_type:
  case DW_TAG_pointer_type:
    return true;
  case DW_TAG_typedef:
    return die_type(die, &target) && is_tagged(dwarf_tag(&target)) && !*die_name(&target);
  default:
    return false;
  }
}

static void collect(struct typeindex *index, Dwarf_Die *parent) {
  Dwarf_Die child;
  for (int r = dwarf_child(parent, &child); r == 0; r = dwarf_siblingof(&child, &child)) {
    char key[MAX_KEY_BYTES];
    if (has_own_key(&child) && key_of(&child, key, sizeof key)) {
      struct entry *e = array_add(&index->entries);
      e->key = text_copy(key);
      e->die = child;
    }
    if (dwarf_haschildren(&child) > 0) collect(index, &child);
  }
}

static int by_key(const void *a, const void *b) {
  const struct entry *x = a, *y = b;
  int keys = strcmp(x->key, y->key);
  if (keys) return keys;
  return ((char *)x->die.addr > (char *)y->die.addr) - ((char *)x->die.addr < (char *)y->die.addr);
}

struct typeindex *typeindex_new(Dwarf_Die *unit) {
  struct typeindex *index = calloc(1, sizeof *index);
  if (!index) fail("out of memory");
  collect(index, unit);
  if (index->entries.count == 0) return index;
  array_sort(&index->entries, by_key);
  size_t kept = 0;
  for (size_t i = 1; i < index->entries.count; i++) {
    struct entry *last = &index->entries.items[kept], *e = &index->entries.items[i];
    if (strcmp(last->key, e->key) == 0) {
      last->ambiguous |= is_tagged(dwarf_tag(&e->die)) || dwarf_tag(&e->die) == DW_TAG_typedef;
      /* "char" rather than "signed char", which is another type of the same kind. */
      if (strlen(die_name(&e->die)) < strlen(die_name(&last->die))) last->die = e->die;
      free(e->key);
    } else {
      index->entries.items[++kept] = *e;
    }
  }
  index->entries.count = kept + 1;
  return index;
}

void typeindex_free(struct typeindex *index) {
  for (size_t i = 0; i < index->entries.count; i++)
    free(index->entries.items[i].key);
  free(index->entries.items);
  free(index);
}

static const struct entry *lookup(const struct typeindex *index, const char *key) {
  size_t lo = 0, hi = index->entries.count;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    const struct entry *e = &index->entries.items[mid];
    int order = strcmp(e->key, key);
    if (order == 0) return e;
    if (order < 0)
      lo = mid + 1;
    else
      hi = mid;
  }
  return NULL;
}

enum typeindex_result typeindex_find(const struct typeindex *index, const char *key,
                                     Dwarf_Die *type) {
  const struct entry *e = lookup(index, key);
  const struct entry *target = lookup(index, key + strspn(key, "*"));
  if (!e) return TYPEINDEX_NONE;
  *type = e->die;
  return e->ambiguous || (target && target->ambiguous) ? TYPEINDEX_SEVERAL : TYPEINDEX_FOUND;
}
