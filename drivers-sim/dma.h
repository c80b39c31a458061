/* Bus addresses: how a driver tells a simulated device where data lies.
 *
 * A device reaches memory only through DMA windows, which are regions of the manifest. A bus
 * address is a window's number in the upper half and an offset in the lower. No window has number
 * 0, so an address that was never filled in is never valid. Each side translates with its own
 * mappings, and checks bounds; neither ever sees the other's pointers. */
#ifndef PROTEOS_DMA_H
#define PROTEOS_DMA_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t dma_addr_t;

enum dma_window_number {
  DMA_RINGS = 1,  /* region `<device>.rings`: descriptor rings */
  DMA_FRAMES = 2, /* region `<device>.frames`: buffers */
  DMA_WINDOWS
};

struct dma_window {
  void *base; /* NULL: there is no such window */
  uint32_t bytes;
};

static inline dma_addr_t dma_address(enum dma_window_number window, uint32_t offset) {
  return (uint64_t)window << 32 | offset;
}

/** Translates a bus address.
 * @param windows  DMA_WINDOWS of them
 * @param bytes    how much will be accessed
 * @return where that memory is mapped here, or NULL when any of it lies outside a window. */
static inline void *dma_pointer(const struct dma_window *windows, dma_addr_t address,
                                uint32_t bytes) {
  uint32_t number = (uint32_t)(address >> 32), offset = (uint32_t)address;
  if (number >= DMA_WINDOWS || !windows[number].base) return NULL;
  const struct dma_window *w = &windows[number];
  if (bytes > w->bytes || offset > w->bytes - bytes) return NULL;
  return (char *)w->base + offset;
}

#endif
