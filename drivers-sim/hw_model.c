#include "drivers-sim/hw_model.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "libsys/if/device.h"
#include "libsys/sys.h"

static endpoint_t driver; /* who used the device last: interrupts go there */

void hw_model_interrupt(void) {
  if (driver) sys_notify(driver, DEVICE_IRQ);
}

static void answer(const msg_t *m) {
  msg_t reply = {.type = m->type | SYS_REPLY_FLAG};
  switch (m->type) {
  case DEVICE_READ:
    driver = m->source;
    IPC_REPLY(&reply, device_read)->value = model_read(IPC(m, device_read)->reg);
    break;
  case DEVICE_WRITE:
    driver = m->source;
    model_write(IPC(m, device_write)->reg, IPC(m, device_write)->value);
    break;
  default:
    reply.status = -ENOSYS;
    break;
  }
  sys_reply(m->token, &reply);
}

/* Of a driver's end nothing follows: one that comes back resets the device, as on any machine. */
void hw_model_serve(const msg_t *m) {
  if (msg_is_request(m)) {
    answer(m);
  } else if (m->type == SYS_NOTIFIED && m->source != SYS_KERNEL) {
    driver = m->source;
    if (m->bits & DEVICE_DOORBELL) model_doorbell();
  }
}

void *hw_model_region(const char *device, const char *part, uint32_t least, uint32_t *bytes) {
  char name[64];
  size_t size = 0;
  snprintf(name, sizeof(name), "%s.%s", device, part);
  void *base = sys_region(name, &size);
  if (!base) {
    sys_log("region %s: %s", name, strerror(errno));
  } else if (size < least) {
    sys_log("region %s: %zu bytes are too few, %u are needed", name, size, least);
    base = NULL;
  }
  *bytes = (uint32_t)size;
  return base;
}
