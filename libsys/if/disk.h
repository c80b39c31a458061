/* Between a block client (the storage server) and a disk driver.
 *
 * Requests and data lie in the region `<disk>.frames`, which the device, the driver and the client
 * share: the device reads and writes the data in place. Two rings are at its start; then a table of
 * DISK_REQUESTS request records, which are the client's to give out; then whole pages for data from
 * DISK_PAGES_OFFSET on. A descriptor in a ring has a record's number as its `offset`, and a cookie
 * of the client's. To make a request the client fills a record in and pushes it to
 * DISK_RING_SUBMIT; the driver reads it once, carries it out, in any order beside others, writes
 * `status`, and pushes the descriptor to DISK_RING_DONE. While a request is under way its pages are
 * the device's.
 *
 * What was written is kept over a loss of power once a flush that was submitted after its
 * completion has succeeded, or if it was written with DISK_FUA.
 *
 * A device that fails and comes back may have lost what was not flushed. The driver then sends
 * DISK_TO_CLIENT_LOST, before it gives back anything that was done since, and fails the flushes
 * that were under way (-EIO); all other requests are made again. A flush that was submitted before
 * the client saw that says nothing about what was written before.
 *
 * DISK_DO carries out one record without the rings, for a client that has to wait for it.
 *
 * An update of any side keeps all requests. When the driver restarts (SYS_RESTARTED) those under
 * way are lost: start again, and make them again. The answer tells whether the device has lost its
 * write cache meanwhile. */
#ifndef PROTEOS_IF_DISK_H
#define PROTEOS_IF_DISK_H

#include "libsys/dataqueue.h"
#include "libsys/interface.h"

#define DISK_PAGE_BYTES    4096u
#define DISK_REQUESTS      256u
#define DISK_REQUEST_PAGES 32u /* of one request: 128 KiB */

enum disk_operation { DISK_READ = 1, DISK_WRITE, DISK_ZERO, DISK_FLUSH };

enum disk_flag {
  DISK_FUA = 1, /* of DISK_WRITE and DISK_ZERO: keep it before completing */
};

/* Numbers are in the device's blocks (DISK_START tells their size). DISK_ZERO and DISK_FLUSH have
 * no pages, DISK_FLUSH no blocks either. */
struct disk_request {
  uint32_t operation; /* enum disk_operation */
  int32_t status;     /* 0; -EINVAL: the record is wrong; -ERANGE: beyond the disk's end; -EIO: the
                         device failed, or is gone for good */
  uint64_t block;     /* the first */
  uint32_t blocks;    /* at least 1; of reads and writes at most what fits in the pages */
  uint32_t flags;     /* enum disk_flag */
  uint32_t page[DISK_REQUEST_PAGES]; /* offsets in the region, in the order of the data */
};

/* Where the rings and records lie in the region. */
enum disk_ring_index { DISK_RING_SUBMIT, DISK_RING_DONE, DISK_RINGS };

#define DISK_RING_BYTES     8192u
#define DISK_RECORDS_OFFSET (DISK_RINGS * DISK_RING_BYTES)
#define DISK_PAGES_OFFSET   65536u
_Static_assert(DQ_BYTES(DISK_REQUESTS) <= DISK_RING_BYTES, "a ring does not fit");
_Static_assert(DISK_RECORDS_OFFSET + DISK_REQUESTS * sizeof(struct disk_request) <=
                   DISK_PAGES_OFFSET,
               "records overlap pages");

/** A ring of the region `frames` (sys_region("<disk>.frames")). */
static inline struct dq_ring *disk_ring(void *frames, enum disk_ring_index which) {
  return (struct dq_ring *)((char *)frames + which * DISK_RING_BYTES);
}

/** A request record of it. @param number  less than DISK_REQUESTS */
static inline struct disk_request *disk_record(void *frames, uint32_t number) {
  return (struct disk_request *)((char *)frames + DISK_RECORDS_OFFSET) + number;
}

/* Notification bits. */
enum disk_bit {
  DISK_TO_DRIVER = 1u << 0,      /* client to driver: the rings have changed */
  DISK_TO_CLIENT_DONE = 1u << 0, /* driver to client: requests are done */
  DISK_TO_CLIENT_LOST = 1u << 1, /* driver to client: the device has lost its write cache */
};

/* DISK_START: the client begins, or begins again: nothing is under way, and the rings are empty.
 * block_bytes is a power of two from 512 to DISK_PAGE_BYTES. lost is 1 when the device has lost its
 * write cache since a client was last told so; at the first start of all it is. -EIO: the device
 * does not work now.
 * DISK_DO: carries out the record with that number, which the client has filled in and which is in
 *   no ring. Answered when it is done; the reply's status is the record's. -EPERM: not from the
 *   client; -EAGAIN: too many are under way.
 * DISK_INFO: counters since the driver was started. */
#define DISK_START_FIELDS(F)
#define DISK_START_REPLY(F) F(u64, blocks) F(u32, block_bytes) F(u32, lost)
#define DISK_INFO_FIELDS(F)
#define DISK_INFO_REPLY(F)                                                                         \
  F(u64, blocks)                                                                                   \
  F(u64, reads) F(u64, writes) F(u32, flushes) F(u32, errors) F(u32, resets) F(u32, under_way)
#define DISK_DO_FIELDS(F) F(u32, record)
#define DISK_MESSAGES(M)                                                                           \
  M(DISK_START, 0x600, disk_start, DISK_START_FIELDS, DISK_START_REPLY)                            \
  M(DISK_INFO, 0x601, disk_info, DISK_INFO_FIELDS, DISK_INFO_REPLY)                                \
  M(DISK_DO, 0x602, disk_do, DISK_DO_FIELDS, IPC_NO_FIELDS)
IPC_INTERFACE(disk, DISK_MESSAGES)

#endif
