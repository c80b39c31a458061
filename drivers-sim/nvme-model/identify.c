/* What the controller tells of itself and of its namespace (5.15). */
#include <string.h>

#include "parts.h"

enum { VENDOR = 0x1AF4, NAMESPACES = NVME_IDENTIFY_BYTES / 4 };

/* Text in structures is padded with spaces (1.5). */
static void put_text(char *field, size_t bytes, const char *text) {
  memset(field, ' ', bytes);
  memcpy(field, text, strlen(text));
}

static void describe_controller(struct nvme_id_controller *id) {
  id->vid = id->ssvid = VENDOR;
  put_text(id->serial, sizeof(id->serial), "1");
  put_text(id->model, sizeof(id->model), "Proteos simulated NVMe");
  put_text(id->firmware, sizeof(id->firmware), "1.0");
  id->mdts = TRANSFER_PAGES_SHIFT;
  id->ver = NVME_VS_1_4;
  id->acl = 0;
  id->aerl = ASYNC_EVENTS - 1;
  id->frmw = 1 | 1 << 1; /* one slot, read-only */
  id->sqes = NVME_SQE_SHIFT << 4 | NVME_SQE_SHIFT;
  id->cqes = NVME_CQE_SHIFT << 4 | NVME_CQE_SHIFT;
  id->nn = 1;
  id->oncs = NVME_ONCS_WRITE_ZEROES;
  id->vwc = NVME_VWC_PRESENT;
}

static void describe_namespace(const struct device *d, struct nvme_id_namespace *id) {
  id->nsze = id->ncap = id->nuse = d->media.bytes / LBA_BYTES;
  id->lbaf[0].lbads = LBA_SHIFT;
}

uint16_t identify(struct device *d, const struct nvme_command *c) {
  union {
    struct nvme_id_controller controller;
    struct nvme_id_namespace space;
    uint32_t namespaces[NAMESPACES];
  } id;
  memset(&id, 0, sizeof(id));
  switch (c->cdw10 & 0xFF) {
  case NVME_CNS_CONTROLLER:
    describe_controller(&id.controller);
    break;
  case NVME_CNS_NAMESPACE:
    if (c->nsid != 1) return NVME_INVALID_NAMESPACE | NVME_DNR;
    describe_namespace(d, &id.space);
    break;
  case NVME_CNS_NAMESPACES: /* those with greater numbers */
    if (c->nsid == 0) id.namespaces[0] = 1;
    break;
  default:
    return NVME_INVALID_FIELD | NVME_DNR;
  }
  return prp_fill(d, c, &id, sizeof(id), sizeof(id));
}
