/* Shared memory that components give each other, by the memory server (component `mm`).
 *
 * An area is memory that one component owns. It is made of segments of equal size, each a memory
 * object of its own, so that a part of the area, a run of whole segments, can be given to another
 * component and nothing else with it. That is a grant: to one holder, for reading or for reading
 * and writing, until it is revoked. The owner itself holds the first grant, of everything.
 *
 * The holder maps a grant (sys_area_map() of libsys/area.h, which uses MEM_MAP) and gives it back
 * with MEM_RELEASE once it has unmapped it. The bounds and the right are the kernel's: whoever may
 * only read has nothing that can be mapped writable. A mapping cannot be taken away by force, so a
 * grant that is mapped is revoked by asking: the holder gets the notification MEM_REVOKED, finds
 * the grants by MEM_NEXT_REVOKED, unmaps and releases them. A holder that has not done so by the
 * deadline is ended. The deadline waits while an update or a debugger holds the holder.
 *
 * Areas and grants are numbered from 1, and a number is used once. All of a component's areas and
 * grants end with it: areas of an owner that died are revoked from their holders with the server's
 * own deadline. A restart of the server (SYS_RESTARTED) ends everything; its live update nothing.
 *
 * Errors in a reply's status: -ENOENT (no such area or grant of the caller's, or it is revoked),
 * -EINVAL (sizes, ranges, rights), -EDQUOT (more than the caller may have), -ENFILE (a table of the
 * server is full), -ENOMEM, -ESRCH (no such component), -EBUSY, -ESTALE (the server was restarted
 * meanwhile). */
#ifndef PROTEOS_IF_MEM_H
#define PROTEOS_IF_MEM_H

#include "libsys/interface.h"

#define MEM_SEGMENTS_MAX  32u   /* of one area */
#define MEM_SEGMENT_BYTES 4096u /* its size is a multiple of this */

/** Notification bit from the memory server to a holder: ask MEM_NEXT_REVOKED. */
enum mem_bit { MEM_REVOKED = 1u << 3 };

enum mem_right { MEM_READ = 1, MEM_WRITE = 2 /* together with MEM_READ only */ };

/** One entry of MEM_LIST's payload: what a component has. */
struct mem_account {
  int32_t endpoint;
  uint32_t areas;
  uint64_t bytes; /* of its areas */
  uint64_t quota;
  uint32_t grants; /* that it holds, its own included */
  uint32_t mapped; /* of these */
};

/* MEM_CREATE: segment_bytes 0: all in one segment. The area has `bytes`, rounded up to whole
 *   segments. `grant` is the owner's own, for reading and writing.
 * MEM_GRANT: the run of segments from byte `first`; both `first` and `bytes` must be multiples of
 *   the segments' size. rights is enum mem_right.
 * MEM_MAP: payload of the reply: `segments` numbers, uint32_t, for the kernel. owner is the area's.
 * MEM_RELEASE: the holder has unmapped it. It may map it again, unless it was revoked.
 * MEM_REVOKE: by the area's owner. Answered when the grant is gone: at once if it is not mapped,
 *   else when the holder has released it or has died; `ended` 1: it was ended, since it did not
 *   within `patience_ms` (1 to 60000; at least the server's own patience). Use sys_call(): the
 *   holder may be waiting for the owner.
 * MEM_DESTROY: revokes all grants, then ends the area; answered then, `ended` holders were ended.
 *   -EBUSY while the owner itself maps any of it.
 * MEM_NEXT_REVOKED: the first of the caller's grants with a number beyond `after` that it is to
 *   release, 0: none.
 * MEM_LIST: payload: struct mem_account of each component that has anything. */
#define MEM_CREATE_FIELDS(F) F(u64, bytes) F(u64, segment_bytes)
#define MEM_CREATE_REPLY(F)  F(u64, bytes) F(u32, area) F(u32, grant)
#define MEM_GRANT_FIELDS(F)  F(u64, first) F(u64, bytes) F(u32, area) F(i32, to) F(x32, rights)
#define MEM_GRANT_REPLY(F)   F(u32, grant)
#define MEM_MAP_FIELDS(F)    F(u32, grant)
#define MEM_MAP_REPLY(F)                                                                           \
  F(u64, bytes) F(u64, segment_bytes) F(u32, segments) F(x32, rights) F(i32, owner)
#define MEM_RELEASE_FIELDS(F)      F(u32, grant)
#define MEM_REVOKE_FIELDS(F)       F(u32, grant) F(u32, patience_ms)
#define MEM_REVOKE_REPLY(F)        F(u32, ended)
#define MEM_DESTROY_FIELDS(F)      F(u32, area) F(u32, patience_ms)
#define MEM_DESTROY_REPLY(F)       F(u32, ended)
#define MEM_NEXT_REVOKED_FIELDS(F) F(u32, after)
#define MEM_NEXT_REVOKED_REPLY(F)  F(u32, grant)
#define MEM_LIST_FIELDS(F)
#define MEM_MESSAGES(M)                                                                            \
  M(MEM_CREATE, 0xc00, mem_create, MEM_CREATE_FIELDS, MEM_CREATE_REPLY)                            \
  M(MEM_GRANT, 0xc01, mem_grant, MEM_GRANT_FIELDS, MEM_GRANT_REPLY)                                \
  M(MEM_MAP, 0xc02, mem_map, MEM_MAP_FIELDS, MEM_MAP_REPLY)                                        \
  M(MEM_RELEASE, 0xc03, mem_release, MEM_RELEASE_FIELDS, IPC_NO_FIELDS)                            \
  M(MEM_REVOKE, 0xc04, mem_revoke, MEM_REVOKE_FIELDS, MEM_REVOKE_REPLY)                            \
  M(MEM_DESTROY, 0xc05, mem_destroy, MEM_DESTROY_FIELDS, MEM_DESTROY_REPLY)                        \
  M(MEM_NEXT_REVOKED, 0xc06, mem_next_revoked, MEM_NEXT_REVOKED_FIELDS, MEM_NEXT_REVOKED_REPLY)    \
  M(MEM_LIST, 0xc07, mem_list, MEM_LIST_FIELDS, IPC_NO_FIELDS)
IPC_INTERFACE(mem, MEM_MESSAGES)

#endif
