/* The NVM command set (6): reading, writing, flushing. */
#include "parts.h"

enum { ZEROES = 65536 };

static struct outcome ended(uint16_t status) {
  return (struct outcome){.status = status};
}

struct range {
  uint64_t offset;
  uint32_t bytes;
};

/** @param limit  whether MDTS counts for the command (5.15.2.2): those without data have none */
static uint16_t find_range(const struct device *d, const struct nvme_command *c, bool limit,
                           struct range *r) {
  uint64_t lba = c->cdw10 | (uint64_t)c->cdw11 << 32;
  uint32_t blocks = (c->cdw12 & 0xFFFF) + 1;
  uint64_t capacity = d->media.bytes / LBA_BYTES;
  if (c->nsid != 1) return NVME_INVALID_NAMESPACE | NVME_DNR;
  if (limit && blocks > TRANSFER_BYTES / LBA_BYTES) return NVME_INVALID_FIELD | NVME_DNR;
  if (lba >= capacity || blocks > capacity - lba) return NVME_LBA_OUT_OF_RANGE | NVME_DNR;
  *r = (struct range){lba * LBA_BYTES, blocks * LBA_BYTES};
  return NVME_SUCCESS;
}

static uint16_t media_status(struct device *d, int error, uint16_t status) {
  if (!error) return NVME_SUCCESS;
  d->smart.media_errors++;
  return status;
}

/* Moves data between the medium and the command's pages. @return 0, or why not */
static uint16_t transfer(struct device *d, const struct nvme_command *c, bool writes,
                         struct range *r) {
  struct segment segments[SEGMENTS_MAX];
  uint32_t n;
  uint16_t status = find_range(d, c, true, r);
  if (!status) status = prp_segments(d, c, r->bytes, segments, &n);
  if (status) return status;
  int error = 0;
  uint64_t at = r->offset;
  for (uint32_t i = 0; i < n && !error; at += segments[i++].bytes)
    error = writes ? cache_write(&d->cache, &d->media, at, segments[i].data, segments[i].bytes)
                   : cache_read(&d->cache, &d->media, at, segments[i].data, segments[i].bytes);
  return media_status(d, error, writes ? NVME_WRITE_FAULT : NVME_READ_ERROR);
}

static struct outcome read_blocks(struct device *d, const struct nvme_command *c) {
  struct range r;
  uint16_t status = transfer(d, c, false, &r);
  if (status) return ended(status);
  d->smart.reads++;
  d->smart.sectors_read += r.bytes / LBA_BYTES;
  return ended(NVME_SUCCESS);
}

/* Everything before it is kept then, too; that is more than FUA asks for. */
static int keep(struct device *d) {
  return cache_flush(&d->cache, &d->media);
}

static struct outcome write_blocks(struct device *d, const struct nvme_command *c) {
  struct range r;
  uint16_t status = transfer(d, c, true, &r);
  if (status) return ended(status);
  d->smart.writes++;
  d->smart.sectors_written += r.bytes / LBA_BYTES;
  return ended(media_status(d, c->cdw12 & NVME_RW_FUA ? keep(d) : 0, NVME_WRITE_FAULT));
}

static struct outcome write_zeroes(struct device *d, const struct nvme_command *c) {
  static const char zeroes[ZEROES];
  struct range r;
  uint16_t status = find_range(d, c, false, &r);
  if (status) return ended(status);
  int error = 0;
  for (uint32_t done = 0, n; done < r.bytes && !error; done += n) {
    n = r.bytes - done < ZEROES ? r.bytes - done : ZEROES;
    error = cache_write(&d->cache, &d->media, r.offset + done, zeroes, n);
  }
  if (!error && c->cdw12 & NVME_RW_FUA) error = keep(d);
  d->smart.writes++;
  return ended(media_status(d, error, NVME_WRITE_FAULT));
}

static struct outcome flush(struct device *d, const struct nvme_command *c) {
  if (c->nsid != 1 && c->nsid != NVME_NSID_ALL) return ended(NVME_INVALID_NAMESPACE | NVME_DNR);
  return ended(media_status(d, keep(d), NVME_WRITE_FAULT));
}

struct outcome io_command(struct device *d, const struct nvme_command *c) {
  switch (c->opcode) {
  case NVME_FLUSH:
    return flush(d, c);
  case NVME_WRITE:
    return write_blocks(d, c);
  case NVME_READ:
    return read_blocks(d, c);
  case NVME_WRITE_ZEROES:
    return write_zeroes(d, c);
  }
  return ended(NVME_INVALID_OPCODE | NVME_DNR);
}
