/* Registers, commands and data structures of NVM Express 1.4 (the names are the specification's),
 * for the device model and for drivers. All values are little-endian. */
#ifndef PROTEOS_NVME_H
#define PROTEOS_NVME_H

#include <stdint.h>

/* ---- controller registers (3.1) ---- */

enum nvme_register {
  NVME_CAP = 0x00, /* 64 bits */
  NVME_CAP_HIGH = 0x04,
  NVME_VS = 0x08,
  NVME_INTMS = 0x0C,
  NVME_INTMC = 0x10,
  NVME_CC = 0x14,
  NVME_CSTS = 0x1C,
  NVME_AQA = 0x24,
  NVME_ASQ = 0x28, /* 64 bits */
  NVME_ASQ_HIGH = 0x2C,
  NVME_ACQ = 0x30, /* 64 bits */
  NVME_ACQ_HIGH = 0x34,
  NVME_DOORBELLS = 0x1000, /* of queue 0: submission tail, completion head; then queue 1 ... */
  NVME_BAR_BYTES = 0x2000,
};

#define NVME_VS_1_4 0x00010400u

/** Doorbells with a stride of 4 bytes (CAP.DSTRD = 0). */
static inline uint32_t nvme_sq_doorbell(uint32_t queue) {
  return NVME_DOORBELLS + queue * 8;
}
static inline uint32_t nvme_cq_doorbell(uint32_t queue) {
  return NVME_DOORBELLS + queue * 8 + 4;
}

/* CAP, low half: MQES, CQR, TO; high half: CSS. */
#define NVME_CAP_MQES(cap)    ((cap)&0xFFFF) /* entries of a queue, less one */
#define NVME_CAP_CQR          (1u << 16)     /* queues must be contiguous */
#define NVME_CAP_TO_SHIFT     24             /* time to become ready, units of 500 ms */
#define NVME_CAP_TO(cap)      ((cap) >> 24)
#define NVME_CAP_HIGH_CSS_NVM (1u << 5)

#define NVME_CC_EN           1u
#define NVME_CC_CSS(cc)      ((cc) >> 4 & 7)
#define NVME_CC_MPS(cc)      ((cc) >> 7 & 15)
#define NVME_CC_AMS(cc)      ((cc) >> 11 & 7)
#define NVME_CC_SHN(cc)      ((cc) >> 14 & 3)
#define NVME_CC_SHN_NORMAL   (1u << 14)
#define NVME_CC_IOSQES(cc)   ((cc) >> 16 & 15)
#define NVME_CC_IOCQES(cc)   ((cc) >> 20 & 15)
#define NVME_CC_IOSQES_SHIFT 16
#define NVME_CC_IOCQES_SHIFT 20

#define NVME_CSTS_RDY           1u
#define NVME_CSTS_CFS           2u
#define NVME_CSTS_SHST_MASK     (3u << 2)
#define NVME_CSTS_SHST_COMPLETE (2u << 2)

enum {
  NVME_PAGE_BYTES = 4096,
  NVME_SQE_BYTES = 64,
  NVME_SQE_SHIFT = 6,
  NVME_CQE_BYTES = 16,
  NVME_CQE_SHIFT = 4,
  NVME_IDENTIFY_BYTES = 4096,
};

/* ---- commands (4.2) and completions (4.6) ---- */

struct nvme_command {
  uint8_t opcode;
  uint8_t flags; /* FUSE, PSDT */
  uint16_t cid;
  uint32_t nsid;
  uint32_t cdw2, cdw3;
  uint64_t mptr;
  uint64_t prp1, prp2;
  uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};
_Static_assert(sizeof(struct nvme_command) == NVME_SQE_BYTES, "a submission queue entry");

struct nvme_completion {
  uint32_t result;
  uint32_t reserved;
  uint16_t sq_head, sq_id;
  uint16_t cid;
  uint16_t status; /* bit 0: phase tag; the status field above it */
};
_Static_assert(sizeof(struct nvme_completion) == NVME_CQE_BYTES, "a completion queue entry");

#define NVME_PHASE 1u

/* Status field (4.6.1), as in bits 15:1 of `status`, shifted down: SC, SCT, DNR. */
#define NVME_STATUS(sct, sc) ((uint16_t)((sct) << 8 | (sc)))
#define NVME_STATUS_CODE(s)  ((s)&0x7FF) /* SCT and SC */
#define NVME_DNR             0x4000u     /* do not retry */

enum nvme_status {
  NVME_SUCCESS = 0,
  NVME_INVALID_OPCODE = 0x01,
  NVME_INVALID_FIELD = 0x02,
  NVME_DATA_TRANSFER_ERROR = 0x04,
  NVME_INTERNAL_ERROR = 0x06,
  NVME_ABORT_REQUESTED = 0x07,
  NVME_INVALID_NAMESPACE = 0x0B,
  NVME_PRP_OFFSET_INVALID = 0x13,
  NVME_LBA_OUT_OF_RANGE = 0x80,
  NVME_CQ_INVALID = 0x100,
  NVME_QID_INVALID = 0x101,
  NVME_QUEUE_SIZE_INVALID = 0x102,
  NVME_ABORT_LIMIT_EXCEEDED = 0x103,
  NVME_AER_LIMIT_EXCEEDED = 0x105,
  NVME_VECTOR_INVALID = 0x108,
  NVME_LOG_PAGE_INVALID = 0x109,
  NVME_QUEUE_DELETION_INVALID = 0x10C,
  NVME_FEATURE_NOT_CHANGEABLE = 0x10E,
  NVME_WRITE_FAULT = 0x280,
  NVME_READ_ERROR = 0x281,
};

/* Admin commands (5). */
enum nvme_admin_opcode {
  NVME_DELETE_SQ = 0x00,
  NVME_CREATE_SQ = 0x01,
  NVME_GET_LOG_PAGE = 0x02,
  NVME_DELETE_CQ = 0x04,
  NVME_CREATE_CQ = 0x05,
  NVME_IDENTIFY = 0x06,
  NVME_ABORT = 0x08,
  NVME_SET_FEATURES = 0x09,
  NVME_GET_FEATURES = 0x0A,
  NVME_ASYNC_EVENT = 0x0C,
};

/* NVM commands (6). */
enum nvme_opcode {
  NVME_FLUSH = 0x00,
  NVME_WRITE = 0x01,
  NVME_READ = 0x02,
  NVME_WRITE_ZEROES = 0x08,
};

#define NVME_QUEUE_CONTIGUOUS 1u /* CDW11 of the create commands: PC */
#define NVME_CQ_INTERRUPTS    2u /* IEN */
#define NVME_RW_FUA           (1u << 30)
#define NVME_NSID_ALL         UINT32_MAX

enum nvme_feature {
  NVME_FEATURE_VOLATILE_CACHE = 0x06,
  NVME_FEATURE_QUEUES = 0x07,
};

enum nvme_log_page { NVME_LOG_ERROR = 0x01, NVME_LOG_SMART = 0x02 };

/* Identify's CNS (5.15). */
enum nvme_cns {
  NVME_CNS_NAMESPACE = 0x00,
  NVME_CNS_CONTROLLER = 0x01,
  NVME_CNS_NAMESPACES = 0x02,
};

/* Identify Controller (figure 247), what is used of it. */
struct nvme_id_controller {
  uint16_t vid, ssvid;
  char serial[20], model[40], firmware[8];
  uint8_t rab, ieee[3], cmic, mdts;
  uint16_t cntlid;
  uint32_t ver;
  uint8_t reserved1[256 - 84];
  uint16_t oacs;
  uint8_t acl, aerl, frmw, lpa, elpe, npss;
  uint8_t reserved2[512 - 264];
  uint8_t sqes, cqes;
  uint16_t maxcmd;
  uint32_t nn;
  uint16_t oncs, fuses;
  uint8_t fna, vwc;
  uint8_t reserved3[NVME_IDENTIFY_BYTES - 526];
};
_Static_assert(sizeof(struct nvme_id_controller) == NVME_IDENTIFY_BYTES, "figure 247");

#define NVME_ONCS_WRITE_ZEROES (1u << 3)
#define NVME_VWC_PRESENT       1u

/* Identify Namespace (figure 245). */
struct nvme_id_namespace {
  uint64_t nsze, ncap, nuse;
  uint8_t nsfeat, nlbaf, flbas;
  uint8_t reserved1[128 - 27];
  struct {
    uint16_t ms;
    uint8_t lbads, rp;
  } lbaf[16];
  uint8_t reserved2[NVME_IDENTIFY_BYTES - 192];
};
_Static_assert(sizeof(struct nvme_id_namespace) == NVME_IDENTIFY_BYTES, "figure 245");

#endif
