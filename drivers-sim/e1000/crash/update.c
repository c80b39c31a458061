/* A new version that is wrong: it takes the table of transmit slots for a list and follows it, as
 * a bad hand-written conversion would, and so crashes before commit. For showing the rollback. */
#include "../driver.h"

struct node {
  struct node *next;
  uint64_t cookie;
};

int driver_live_update(void) {
  uint64_t sum = 0;
  struct node *node = (struct node *)driver.tx_slots;
  for (int i = 0; i < RING_DESCRIPTORS; i++) {
    sum += node->cookie;
    node->next = (struct node *)(uintptr_t)(node->cookie | 8);
    node = node->next;
  }
  return sum > 0;
}
