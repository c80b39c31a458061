/* The nvme-model component: the device on the bus.
 *
 * Arguments: DISK. The regions DISK.bar, DISK.rings and DISK.frames are its register space and DMA
 * windows. Its blocks are in the file that it inherits as DISK, or else in the region DISK.media.
 * When its process dies, what was written since the last flush is lost, as by a power cut. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "host.h"
#include "libsys/if/device.h"
#include "libsys/sys.h"

SYS_NEEDS(region, "${1:-disk0}.bar");
SYS_NEEDS(region, "${1:-disk0}.rings");
SYS_NEEDS(region, "${1:-disk0}.frames");
SYS_NEEDS(syscall, "pread64");
SYS_NEEDS(syscall, "pwrite64");
SYS_NEEDS(syscall, "fdatasync");

static char disk[32] = "disk0";
static struct device device;
static endpoint_t driver; /* who used the device last: interrupts go there */

void host_interrupt(void) {
  if (driver) sys_notify(driver, DEVICE_IRQ);
}

void host_complain(const char *what) {
  sys_log("the driver of %s is wrong: %s", disk, what);
}

static void *map(const char *part, uint32_t least, uint32_t *bytes) {
  char name[48];
  size_t size;
  snprintf(name, sizeof(name), "%s.%s", disk, part);
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

static int open_media(struct media *media) {
  int fd = sys_inherited(disk);
  if (fd >= 0) {
    int error = media_open_file(media, fd);
    if (error == -ENODATA) sys_log("the file of %s is shorter than a block", disk);
    return error;
  }
  uint32_t bytes;
  void *memory = map("media", LBA_BYTES, &bytes);
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
  uint32_t *bar = map("bar", NVME_BAR_BYTES, &bar_bytes);
  windows[DMA_RINGS].base = map("rings", NVME_PAGE_BYTES, &windows[DMA_RINGS].bytes);
  windows[DMA_FRAMES].base = map("frames", NVME_PAGE_BYTES, &windows[DMA_FRAMES].bytes);
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

static void process_msg(const msg_t *m) {
  msg_t reply = {.type = m->type | SYS_REPLY_FLAG};
  switch (m->type) {
  case SYS_NOTIFIED:
    if (m->source == SYS_KERNEL) return;
    driver = m->source;
    if (m->bits & DEVICE_DOORBELL) device_look(&device);
    return;
  case SYS_EXITED:
  case SYS_RESTARTED:
    return; /* a driver that comes back resets the device, as on any machine */
  case DEVICE_READ:
    driver = m->source;
    IPC_REPLY(&reply, device_read)->value = device_read(&device, IPC(m, device_read)->reg);
    break;
  case DEVICE_WRITE:
    driver = m->source;
    device_write(&device, IPC(m, device_write)->reg, IPC(m, device_write)->value);
    break;
  default:
    if (m->type & SYS_REPLY_FLAG) return;
    reply.status = -ENOSYS;
    break;
  }
  sys_reply(m->token, &reply);
}

int main(int argc, char **argv) {
  if (argc > 1) snprintf(disk, sizeof(disk), "%s", argv[1]);
  event_eh_t handlers = {
      .init = init, .live_update = live_update, .committed = committed, .shutdown = shut_down};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    process_msg(&m);
  }
}
