/* The nvme-model component: the device on the bus.
 *
 * Arguments: DISK. The regions DISK.bar, DISK.rings and DISK.frames are its register space and DMA
 * windows. Its blocks are in the file that it inherits as DISK, or else in the region DISK.media.
 * When its process dies, what was written since the last flush is lost, as by a power cut. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "drivers-sim/hw_model.h"
#include "host.h"
#include "libsys/sys.h"

SYS_NEEDS(region, "${1:-disk0}.bar");
SYS_NEEDS(region, "${1:-disk0}.rings");
SYS_NEEDS(region, "${1:-disk0}.frames");
SYS_NEEDS(syscall, "pread64");
SYS_NEEDS(syscall, "pwrite64");
SYS_NEEDS(syscall, "fdatasync");

static char disk[32] = "disk0";
static struct device device;

void host_interrupt(void) {
  hw_model_interrupt();
}

void host_complain(const char *what) {
  sys_log("the driver of %s is wrong: %s", disk, what);
}

static int open_media(struct media *media) {
  int fd = sys_inherited(disk);
  if (fd >= 0) {
    int error = media_open_file(media, fd);
    if (error == -ENODATA) sys_log("the file of %s is shorter than a block", disk);
    return error;
  }
  uint32_t bytes;
  void *memory = hw_model_region(disk, "media", LBA_BYTES, &bytes);
  if (!memory) {
    sys_log("%s has no medium: a wire of kind `file` to this component, or a region %s.media", disk,
            disk);
    return -ENOENT;
  }
  media_open_memory(media, memory, bytes);
  return 0;
}

static int init(const sys_init_t *info) {
  (void)info;
  struct dma_window windows[DMA_WINDOWS] = {{0}};
  struct media media;
  uint32_t bar_bytes;
  uint32_t *bar = hw_model_region(disk, "bar", NVME_BAR_BYTES, &bar_bytes);
  windows[DMA_RINGS].base =
      hw_model_region(disk, "rings", NVME_PAGE_BYTES, &windows[DMA_RINGS].bytes);
  windows[DMA_FRAMES].base =
      hw_model_region(disk, "frames", NVME_PAGE_BYTES, &windows[DMA_FRAMES].bytes);
  if (!bar || !windows[DMA_RINGS].base || !windows[DMA_FRAMES].base) return -ENOENT;
  int error = open_media(&media);
  if (error) return error;
  device_init(&device, bar, windows, &media);
  return 0;
}

static int live_update(const sys_init_t *info) {
  (void)info;
  return device_is_sane(&device) ? 0 : -EINVAL;
}

/* What happened while the versions changed places is looked at once more. */
static void committed(const sys_init_t *info) {
  (void)info;
  device_look(&device);
}

/* The instance ends in order: nobody cuts the power. */
static void shut_down(void) {
  int error = cache_flush(&device.cache, &device.media);
  if (error) sys_log("%s: what was written last is lost: %s", disk, strerror(-error));
}

uint32_t model_read(uint32_t reg) {
  return device_read(&device, reg);
}

void model_write(uint32_t reg, uint32_t value) {
  device_write(&device, reg, value);
}

void model_doorbell(void) {
  device_look(&device);
}

int main(int argc, char **argv) {
  if (argc > 1) snprintf(disk, sizeof(disk), "%s", argv[1]);
  event_eh_t handlers = {
      .init = init, .live_update = live_update, .committed = committed, .shutdown = shut_down};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    hw_model_serve(&m);
  }
}
