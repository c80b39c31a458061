/* Preloaded: prints each allocation of the main program: function, size, and return addresses up
 * the stack, relative to the program's image. */
#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

enum { MAX_FRAMES = 4, MAX_FRAME_BYTES = 1 << 16 };

static void print(const char *function, size_t bytes, uintptr_t caller, void **frame) {
  uintptr_t image = getauxval(AT_PHDR) - sizeof(Elf64_Ehdr);
  uintptr_t entry = getauxval(AT_ENTRY) - image;
  if (caller < image || caller - image > entry + (1 << 20)) return;
  dprintf(2, "%s %zu %lx", function, bytes, caller - image);
  for (unsigned i = 0; i < MAX_FRAMES; i++) {
    void **up = *frame;
    if (up <= frame || (char *)up - (char *)frame > MAX_FRAME_BYTES) break;
    frame = up;
    dprintf(2, " %lx", (uintptr_t)frame[1] - image);
  }
  dprintf(2, "\n");
}

/* The caller's frame is this one's link. */
#define PRINT(function, bytes)                                                                     \
  print(function, bytes, (uintptr_t)__builtin_return_address(0), __builtin_frame_address(0))

void *malloc(size_t bytes) {
  PRINT("malloc", bytes);
  return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes) {
  PRINT("calloc", count * bytes);
  return __libc_calloc(count, bytes);
}

void *realloc(void *block, size_t bytes) {
  PRINT("realloc", bytes);
  return __libc_realloc(block, bytes);
}

void *reallocarray(void *block, size_t count, size_t bytes) {
  PRINT("reallocarray", count * bytes);
  return __libc_realloc(block, count * bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
  PRINT("aligned_alloc", bytes);
  return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **out, size_t alignment, size_t bytes) {
  PRINT("posix_memalign", bytes);
  *out = __libc_memalign(alignment, bytes);
  return 0;
}

char *strdup(const char *text) {
  size_t bytes = strlen(text) + 1;
  PRINT("strdup", bytes);
  return memcpy(__libc_malloc(bytes), text, bytes);
}
