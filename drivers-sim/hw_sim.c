/* The hardware interface on a device model component (libsys/if/device.h). */
#include "drivers-sim/hw.h"

#include <errno.h>
#include <stdio.h>

#include "libsys/if/device.h"
#include "libsys/sys.h"

static int map_window(const char *device, const char *part, void **base, uint32_t *bytes) {
  char name[64];
  size_t size;
  snprintf(name, sizeof(name), "%s.%s", device, part);
  *base = sys_region(name, &size);
  if (!*base) return errno ? -errno : -ENOENT;
  *bytes = (uint32_t)size;
  return 0;
}

int hw_open(struct hw *hw, const char *device, const char *model, bool by_message) {
  void *bar;
  int r = map_window(device, "bar", &bar, &hw->bar_bytes);
  if (r < 0) return r;
  hw->bar = bar;
  hw->by_message = by_message;
  static const char *const parts[DMA_WINDOWS] = {[DMA_RINGS] = "rings", [DMA_FRAMES] = "frames"};
  for (int i = DMA_RINGS; i < DMA_WINDOWS; i++) {
    r = map_window(device, parts[i], &hw->windows[i].base, &hw->windows[i].bytes);
    if (r < 0 && r != -ENOENT) return r; /* not every device has DMA memory */
  }
  hw->model = sys_lookup(model);
  return hw->model < 0 ? hw->model : 0;
}

uint32_t hw_read(struct hw *hw, uint32_t reg) {
  uint32_t value = 0;
  if (hw->by_message && hw_read_effect(hw, reg, &value) == 0) return value;
  return __atomic_load_n(&hw->bar[reg / 4], __ATOMIC_ACQUIRE);
}

void hw_write(struct hw *hw, uint32_t reg, uint32_t value) {
  if (hw->by_message && hw_write_effect(hw, reg, value) == 0) return;
  __atomic_store_n(&hw->bar[reg / 4], value, __ATOMIC_RELEASE);
}

void hw_kick(struct hw *hw) {
  sys_notify(hw->model, DEVICE_DOORBELL);
}

int hw_read_effect(struct hw *hw, uint32_t reg, uint32_t *value) {
  msg_t m = {.type = DEVICE_READ};
  IPC(&m, device_read)->reg = reg;
  int r = sys_sendrec(hw->model, &m);
  if (r == 0) r = m.status;
  *value = r == 0 ? IPC_REPLY(&m, device_read)->value : 0;
  return r;
}

int hw_write_effect(struct hw *hw, uint32_t reg, uint32_t value) {
  msg_t m = {.type = DEVICE_WRITE};
  IPC(&m, device_write)->reg = reg;
  IPC(&m, device_write)->value = value;
  int r = sys_sendrec(hw->model, &m);
  return r == 0 ? m.status : r;
}

bool hw_is_interrupt(const struct hw *hw, const msg_t *m) {
  return m->type == SYS_NOTIFIED && m->source == hw->model && (m->bits & DEVICE_IRQ);
}
