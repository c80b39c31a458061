/* The page that all processes of an experiment share: what is ordered, and what was hit. There are
 * no locks, as whoever held one could be the next to die: a record is taken by its state. */
#ifndef LIBST_FAULT_PAGE_H
#define LIBST_FAULT_PAGE_H

#include <stdatomic.h>
#include <stdint.h>

#include "libst/fault.h"

#define FAULT_ORDERS_MAX 64u
#define FAULT_HITS_MAX   1024u
#define FAULT_PARTY_MAX  40u

enum fault_action {
  FAULT_CRASH = 1, /* a segmentation fault */
  FAULT_KILL,      /* SIGKILL */
  FAULT_STOP,      /* SIGSTOP */
  FAULT_HANG,      /* goes no further, but is not stopped */
  FAULT_ERROR,     /* the operation fails */
  FAULT_DELAY,     /* waits, then goes on */
};

enum fault_record {
  FAULT_FREE,
  FAULT_TAKEN, /* being written */
  FAULT_VALID,
  FAULT_FIRED, /* an order that was carried out */
};

struct fault_order {
  _Atomic uint32_t state; /* enum fault_record */
  uint32_t action;
  uint32_t nth;          /* at which hit, from 1; counted from the order on */
  int32_t value;         /* ERROR: an errno, 0 for the point's own; DELAY: milliseconds */
  _Atomic uint32_t hits; /* so far */
  char party[FAULT_PARTY_MAX];
  char point[ST_FAULT_NAME_MAX];
};

struct fault_hit {
  _Atomic uint32_t state; /* enum fault_record */
  int32_t error;          /* the point's own */
  _Atomic uint64_t count;
  char party[FAULT_PARTY_MAX];
  char point[ST_FAULT_NAME_MAX];
};

struct fault_page {
  struct fault_order orders[FAULT_ORDERS_MAX];
  struct fault_hit hits[FAULT_HITS_MAX];
};

#endif
