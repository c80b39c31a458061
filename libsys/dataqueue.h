/* Data queues: bulk data between two components without a message per item.
 *
 * A data queue is a single-producer single-consumer ring of descriptors in a shared region; the
 * descriptors point to buffers in a shared region. Whoever makes an empty ring non-empty, or a full
 * one non-full while the producer waits, notifies the other side (sys_notify). A full ring is the
 * back-pressure. After seL4's device driver framework (sDDF). The ring belongs to the pair of
 * endpoints, not to a version: indices live in the ring, so a new version goes on where the old one
 * stopped. */
#ifndef PROTEOS_DATAQUEUE_H
#define PROTEOS_DATAQUEUE_H

#include <stdbool.h>
#include <stdint.h>

struct dq_desc {
  uint32_t offset; /* of the buffer, from the start of the buffer region, bytes */
  uint32_t length; /* bytes */
  uint64_t cookie; /* the producer's own; given back unchanged */
};

/* In the region; capacity is a power of two. Producer and consumer each write their own line. */
struct dq_ring {
  uint32_t head __attribute__((aligned(64))); /* next slot the producer fills */
  uint32_t producer_waits;                    /* tell me when there is room */
  uint32_t tail __attribute__((aligned(64))); /* next slot the consumer takes */
  uint32_t consumer_waits;                    /* tell me when there is something */
  uint32_t capacity __attribute__((aligned(64)));
  struct dq_desc slots[] __attribute__((aligned(64)));
};

/** Bytes that a ring with `capacity` slots needs. */
#define DQ_BYTES(capacity) (sizeof(struct dq_ring) + (capacity) * sizeof(struct dq_desc))

/** Makes an empty ring in zeroed or used memory.
 * @param capacity  slots, a power of two */
static inline void dq_init(struct dq_ring *q, uint32_t capacity) {
  q->head = q->tail = 0;
  q->producer_waits = q->consumer_waits = 0;
  q->capacity = capacity;
}

static inline uint32_t dq_count(const struct dq_ring *q) {
  return __atomic_load_n(&q->head, __ATOMIC_ACQUIRE) - __atomic_load_n(&q->tail, __ATOMIC_ACQUIRE);
}

static inline bool dq_empty(const struct dq_ring *q) {
  return dq_count(q) == 0;
}

static inline bool dq_full(const struct dq_ring *q) {
  return dq_count(q) >= q->capacity;
}

/** Producer: adds a descriptor. @return false when the ring is full; the caller keeps the item, and
 * sets dq_want_room() to be told when there is room. */
static inline bool dq_push(struct dq_ring *q, struct dq_desc d) {
  if (dq_full(q)) return false;
  q->slots[q->head & (q->capacity - 1)] = d;
  __atomic_store_n(&q->head, q->head + 1, __ATOMIC_RELEASE);
  return true;
}

/** Consumer: takes the oldest descriptor. @return false when the ring is empty. */
static inline bool dq_pop(struct dq_ring *q, struct dq_desc *d) {
  if (dq_empty(q)) return false;
  *d = q->slots[q->tail & (q->capacity - 1)];
  __atomic_store_n(&q->tail, q->tail + 1, __ATOMIC_RELEASE);
  return true;
}

/** Consumer, before it waits: asks for a notification. @return true when items arrived meanwhile:
 * go on consuming instead of waiting. */
static inline bool dq_want_items(struct dq_ring *q) {
  __atomic_store_n(&q->consumer_waits, 1, __ATOMIC_SEQ_CST);
  if (dq_empty(q)) return false;
  __atomic_store_n(&q->consumer_waits, 0, __ATOMIC_SEQ_CST);
  return true;
}

/** Producer, before it waits: asks for a notification. @return true when there is room by now. */
static inline bool dq_want_room(struct dq_ring *q) {
  __atomic_store_n(&q->producer_waits, 1, __ATOMIC_SEQ_CST);
  if (dq_full(q)) return false;
  __atomic_store_n(&q->producer_waits, 0, __ATOMIC_SEQ_CST);
  return true;
}

/** Producer, after pushing a batch: @return true when the consumer waits and must be notified.
 * False for an empty ring, so that asking at the end of every turn is right too. */
static inline bool dq_must_notify_consumer(struct dq_ring *q) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return !dq_empty(q) && __atomic_load_n(&q->consumer_waits, __ATOMIC_RELAXED) &&
         __atomic_exchange_n(&q->consumer_waits, 0, __ATOMIC_SEQ_CST);
}

/** Consumer, after taking a batch: @return true when the producer waits and must be notified; false
 * for a full ring. */
static inline bool dq_must_notify_producer(struct dq_ring *q) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return !dq_full(q) && __atomic_load_n(&q->producer_waits, __ATOMIC_RELAXED) &&
         __atomic_exchange_n(&q->producer_waits, 0, __ATOMIC_SEQ_CST);
}

#endif
