/* Physical region pages: the pages that a command's data lies in (4.3). */
#include <string.h>

#include "parts.h"

enum { ENTRY_BYTES = 8 };

struct walk {
  const struct device *d;
  struct segment *segments;
  uint32_t n, left;
  uint16_t status;
};

static void add(struct walk *w, uint64_t address) {
  uint32_t room = NVME_PAGE_BYTES - address % NVME_PAGE_BYTES;
  uint32_t bytes = w->left < room ? w->left : room;
  char *data = dma_pointer(w->d->windows, address, bytes);
  if (!data) {
    w->status = NVME_DATA_TRANSFER_ERROR;
    return;
  }
  w->segments[w->n++] = (struct segment){data, bytes};
  w->left -= bytes;
}

/* Pages but the first begin at their beginning. */
static void add_page(struct walk *w, uint64_t address) {
  if (address % NVME_PAGE_BYTES)
    w->status = NVME_PRP_OFFSET_INVALID;
  else
    add(w, address);
}

/* The last entry of a page of the list points to the next one, if there is more to come. */
static void add_list(struct walk *w, uint64_t list) {
  while (w->left && !w->status) {
    const uint64_t *entry = dma_pointer(w->d->windows, list, ENTRY_BYTES);
    if (!entry || list % ENTRY_BYTES) {
      w->status = entry ? NVME_PRP_OFFSET_INVALID : NVME_DATA_TRANSFER_ERROR;
      return;
    }
    uint64_t address = __atomic_load_n(entry, __ATOMIC_ACQUIRE);
    bool is_last = (list + ENTRY_BYTES) % NVME_PAGE_BYTES == 0;
    if (is_last && w->left > NVME_PAGE_BYTES) {
      if (address % NVME_PAGE_BYTES) w->status = NVME_PRP_OFFSET_INVALID;
      list = address;
      continue;
    }
    add_page(w, address);
    list += ENTRY_BYTES;
  }
}

uint16_t prp_segments(const struct device *d, const struct nvme_command *c, uint32_t bytes,
                      struct segment *segments, uint32_t *n) {
  struct walk w = {.d = d, .segments = segments, .left = bytes};
  if (c->prp1 % 4) return NVME_PRP_OFFSET_INVALID | NVME_DNR;
  add(&w, c->prp1);
  if (w.left && !w.status) {
    if (w.left <= NVME_PAGE_BYTES)
      add_page(&w, c->prp2);
    else
      add_list(&w, c->prp2);
  }
  *n = w.n;
  return w.status ? w.status | NVME_DNR : NVME_SUCCESS;
}

uint16_t prp_fill(const struct device *d, const struct nvme_command *c, const void *data,
                  uint32_t length, uint32_t bytes) {
  struct segment segments[SEGMENTS_MAX];
  uint32_t n, done = 0;
  uint16_t status = prp_segments(d, c, bytes, segments, &n);
  if (status) return status;
  for (uint32_t i = 0; i < n; done += segments[i++].bytes) {
    uint32_t from_data = done < length ? length - done : 0;
    if (from_data > segments[i].bytes) from_data = segments[i].bytes;
    memcpy(segments[i].data, (const char *)data + done, from_data);
    memset(segments[i].data + from_data, 0, segments[i].bytes - from_data);
  }
  return NVME_SUCCESS;
}
