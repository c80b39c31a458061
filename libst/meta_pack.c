#include "libst/meta_pack.h"

#include <linux/btf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "libst/meta.h"

/* Three 32-bit words: the usual size of a record of types. */
enum { BTF_RECORD = 12 };
/* Deflate cannot do better: a size beyond that is damage. */
enum { MOST_EXPANSION = 1032 };

/* Byte `i` of record `r` changes places with byte `r` of column `i`. */
static void transpose(uint8_t *at, size_t rows, size_t columns, uint8_t *scratch) {
  memcpy(scratch, at, rows * columns);
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++)
      at[c * rows + r] = scratch[r * columns + c];
}

struct turn {
  uint8_t *section, *scratch;
  size_t bytes;
  bool pack;
};

/* A table whose records are in the order of their addresses. */
struct sorted {
  size_t table; /* in the header */
  size_t record, address, size;
};

static const struct sorted sorted[] = {
    {offsetof(struct st_meta_header, variables), sizeof(struct st_variable),
     offsetof(struct st_variable, address), offsetof(struct st_variable, size)},
    {offsetof(struct st_meta_header, functions), sizeof(struct st_function),
     offsetof(struct st_function, address), offsetof(struct st_function, size)},
};
enum { SORTED = sizeof(sorted) / sizeof(*sorted) };

/* An address becomes its distance from the end of the record before: often nothing. */
static void turn_addresses(const struct sorted *s, uint8_t *records, size_t count, bool pack) {
  uint64_t end = 0, address, size;
  for (size_t i = 0; i < count; i++, records += s->record) {
    memcpy(&address, records + s->address, sizeof(address));
    memcpy(&size, records + s->size, sizeof(size));
    uint64_t turned = pack ? address - end : address + end;
    memcpy(records + s->address, &turned, sizeof(turned));
    end = (pack ? address : turned) + size;
  }
}

/* True when records lie in the section; if not they are left as they are, for the reader to refuse.
 */
static bool lies_in(const struct turn *t, uint64_t offset, uint64_t count, size_t record) {
  return offset >= sizeof(struct st_meta_header) && offset <= t->bytes &&
         count <= (t->bytes - offset) / record;
}

static void turn_records(const struct turn *t, uint64_t offset, uint64_t count, size_t record) {
  if (!lies_in(t, offset, count, record)) return;
  if (t->pack)
    transpose(t->section + offset, count, record, t->scratch);
  else
    transpose(t->section + offset, record, count, t->scratch);
}

static void turn_sorted(const struct turn *t, const struct sorted *s) {
  struct st_table table;
  memcpy(&table, t->section + s->table, sizeof(table));
  if (!lies_in(t, table.offset, table.count, s->record)) return;
  if (t->pack) turn_addresses(s, t->section + table.offset, table.count, true);
  turn_records(t, table.offset, table.count, s->record);
  if (!t->pack) turn_addresses(s, t->section + table.offset, table.count, false);
}

static void turn_types(const struct turn *t, const struct st_table *btf) {
  struct btf_header types;
  if (btf->offset > t->bytes || t->bytes - btf->offset < sizeof(types)) return;
  memcpy(&types, t->section + btf->offset, sizeof(types));
  turn_records(t, (uint64_t)btf->offset + types.hdr_len + types.type_off,
               types.type_len / BTF_RECORD, BTF_RECORD);
}

static bool turn_tables(uint8_t *section, size_t bytes, bool pack) {
  struct st_meta_header h;
  struct turn t = {.section = section, .bytes = bytes, .pack = pack};
  if (bytes < sizeof(h) || !(t.scratch = malloc(bytes))) return false;
  memcpy(&h, section, sizeof(h));
  turn_types(&t, &h.btf);
  for (unsigned i = 0; i < SORTED; i++)
    turn_sorted(&t, &sorted[i]);
  turn_records(&t, h.sites.offset, h.sites.count, sizeof(struct st_site));
  turn_records(&t, h.site_ranges.offset, h.site_ranges.count, sizeof(struct st_site_range));
  free(t.scratch);
  return true;
}

void *st_meta_pack(void *section, size_t bytes, size_t *packed_bytes) {
  uLongf stored = compressBound(bytes);
  struct st_meta_packed *packed = malloc(sizeof(*packed) + stored);
  if (packed && turn_tables(section, bytes, true) &&
      compress2((Bytef *)(packed + 1), &stored, section, bytes, Z_BEST_COMPRESSION) == Z_OK) {
    *packed = (struct st_meta_packed){ST_META_PACKED_MAGIC, (uint32_t)bytes, (uint32_t)stored};
    *packed_bytes = sizeof(*packed) + stored;
    return packed;
  }
  free(packed);
  return NULL;
}

void *st_meta_unpack(const void *data, size_t packed_bytes, size_t *bytes) {
  const struct st_meta_packed *packed = data;
  if (packed_bytes < sizeof(*packed) || packed->magic != ST_META_PACKED_MAGIC ||
      packed->stored > packed_bytes - sizeof(*packed) ||
      packed->bytes / MOST_EXPANSION > packed->stored)
    return NULL;
  uLongf got = packed->bytes;
  uint8_t *section = malloc(got ? got : 1);
  if (section && uncompress(section, &got, (const Bytef *)(packed + 1), packed->stored) == Z_OK &&
      got == packed->bytes && turn_tables(section, got, false)) {
    *bytes = got;
    return section;
  }
  free(section);
  return NULL;
}
