#include "servers/net/share.h"

#include <errno.h>

static struct share {
  endpoint_t endpoint;
  uint16_t handle;
} shares[MAX_SHARES]; /* in the order in which they came */
static unsigned nshares;

static void forget(unsigned i) {
  nshares--;
  for (; i < nshares; i++)
    shares[i] = shares[i + 1];
}

bool share_has(uint32_t handle, endpoint_t endpoint) {
  for (unsigned i = 0; i < nshares; i++)
    if (shares[i].handle == handle && shares[i].endpoint == endpoint) return true;
  return false;
}

int share_add(uint32_t handle, endpoint_t endpoint) {
  if (nshares == MAX_SHARES) return -EMFILE;
  shares[nshares++] = (struct share){.endpoint = endpoint, .handle = (uint16_t)handle};
  return 0;
}

bool share_drop(uint32_t handle, endpoint_t endpoint) {
  for (unsigned i = 0; i < nshares; i++) {
    if (shares[i].handle != handle || shares[i].endpoint != endpoint) continue;
    forget(i);
    return true;
  }
  return false;
}

endpoint_t share_take(uint32_t handle) {
  for (unsigned i = 0; i < nshares; i++) {
    endpoint_t endpoint = shares[i].endpoint;
    if (shares[i].handle != handle) continue;
    forget(i);
    return endpoint;
  }
  return 0;
}
