/* The packed form of a metadata section, in which an executable carries it: a fifth of the size.
 *
 * The records of each table are turned into columns, which repeat themselves more than records do,
 * and everything is deflated (RFC 1950, with its checksum). */
#ifndef LIBST_META_PACK_H
#define LIBST_META_PACK_H

#include <stddef.h>
#include <stdint.h>

#define ST_META_PACKED_MAGIC 0x5a4154454d5453ull /* "STMETAZ" */

struct st_meta_packed {
  uint64_t magic;
  uint32_t bytes;  /* of the section that is packed */
  uint32_t stored; /* bytes of the zlib stream that follows */
};

/** Packs a section.
 * @param section  whole and consistent (struct st_meta_header); becomes scrambled
 * @return owned by the caller (free), or NULL without memory */
void *st_meta_pack(void *section, size_t bytes, size_t *packed_bytes);

/** Unpacks what st_meta_pack() made. What comes out is checked by who reads it.
 * @return owned by the caller (free); NULL when it is damaged or without memory */
void *st_meta_unpack(const void *packed, size_t packed_bytes, size_t *bytes);

#endif
