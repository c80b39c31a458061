/* The malloc family. Calls from the executable and its state libraries go to the arena, others to
 * libc; free and realloc decide by address. Before st_init(), and in programs that never call it,
 * all are libc's. */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libst/arena.h"
#include "libst/heap.h"
#include "libst/override.h"
#include "libst/quick.h"
#include "libst/site.h"

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static inline void *take(size_t bytes, struct site_cached site) {
  return quick_take(bytes, site.site, site.clear, site.clear);
}

/* A call that no site is known for yet, or from outside of the state. */
static __attribute__((noinline)) void *malloc_slow(size_t bytes, uintptr_t caller,
                                                   void *const *frame) {
  if (!site_is_state(caller)) return __libc_malloc(bytes);
  return take(bytes, site_resolve(caller, frame));
}

EXPORT void *malloc(size_t bytes) {
  const struct site_cached *site = site_known(CALLER);
  if (__builtin_expect(!site, 0)) return malloc_slow(bytes, CALLER, FRAME);
  return take(bytes, *site);
}

bool heap_is_first(void) {
  Dl_info first, own;
  return dladdr(dlsym(RTLD_DEFAULT, "malloc"), &first) && dladdr((void *)heap_is_first, &own) &&
         first.dli_fbase == own.dli_fbase;
}

static bool deferring;
static void **deferred;
static size_t deferred_count;

static __attribute__((noinline)) void free_later(void *p) {
  void **grown = __libc_realloc(deferred, (deferred_count + 1) * sizeof(*grown));
  if (!grown) return; /* it stays */
  deferred = grown;
  deferred[deferred_count++] = p;
}

void heap_defer(bool defer) {
  deferring = defer;
  if (defer) return;
  for (size_t i = 0; i < deferred_count; i++)
    arena_free(deferred[i]);
  __libc_free(deferred);
  deferred = NULL;
  deferred_count = 0;
}

static __attribute__((noinline)) void free_elsewhere(void *p, uintptr_t caller) {
  if (p && site_is_state(caller)) heap_check_foreign(p, caller);
  __libc_free(p);
}

EXPORT void free(void *p) {
  if (__builtin_expect(!arena_has(p), 0))
    free_elsewhere(p, CALLER);
  else if (__builtin_expect(deferring, 0))
    free_later(p);
  else
    quick_give(p);
}

EXPORT void *calloc(size_t count, size_t size) {
  if (!site_is_state(CALLER)) return __libc_calloc(count, size);
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  struct site_cached site = site_of(CALLER, FRAME);
  return quick_take(bytes, site.site, site.clear, true);
}

static void *move(void *p, size_t old, size_t bytes, struct site_cached site) {
  void *to = take(bytes, site);
  if (!to) return NULL;
  memcpy(to, p, old < bytes ? old : bytes);
  free(p);
  return to;
}

static void *change(void *p, size_t bytes, struct site_cached site) {
  if (!p) return take(bytes, site);
  if (bytes == 0) {
    free(p);
    return NULL;
  }
  /* A block from libc (the caller got it from a library) becomes state when it is resized. */
  if (!arena_has(p)) return move(p, malloc_usable_size(p), bytes, site);
  unsigned was;
  size_t old = arena_bytes(p, &was);
  /* The call may know less of the type than the one that made the block. */
  if (ARENA_SITE[site.site].type == 0 && ARENA_SITE[was].type != 0)
    site = (struct site_cached){0, (uint16_t)was, (ARENA_SITE[was].flags & SITE_CLEAR) != 0};
  if (!deferring && arena_resize(p, bytes, site.site, site.clear)) return p;
  return move(p, old, bytes, site);
}

/* A library resizes a block that it was given: the block stays what it is. */
static void *change_unasked(void *p, size_t bytes) {
  unsigned site;
  arena_bytes(p, &site);
  return change(
      p, bytes,
      (struct site_cached){0, (uint16_t)site, (ARENA_SITE[site].flags & SITE_CLEAR) != 0});
}

EXPORT void *realloc(void *p, size_t bytes) {
  if (site_is_state(CALLER)) return change(p, bytes, site_of(CALLER, FRAME));
  return arena_has(p) ? change_unasked(p, bytes) : __libc_realloc(p, bytes);
}

EXPORT void *reallocarray(void *p, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  if (site_is_state(CALLER)) return change(p, bytes, site_of(CALLER, FRAME));
  return arena_has(p) ? change_unasked(p, bytes) : __libc_realloc(p, bytes);
}

static inline void *take_aligned(size_t alignment, size_t bytes, struct site_cached site) {
  enum { USUAL = 16 };
  if (alignment > USUAL && !(ARENA_SITE[site.site].flags & SITE_ALIGNED))
    ARENA_SITE[site.site].flags |= SITE_ALIGNED;
  return arena_alloc_aligned(alignment, bytes, site.site, site.clear);
}

EXPORT void *memalign(size_t alignment, size_t bytes) {
  if (!site_is_state(CALLER)) return __libc_memalign(alignment, bytes);
  size_t power = 16;
  while (power < alignment && power < ARENA_BYTES)
    power *= 2;
  return take_aligned(power, bytes, site_of(CALLER, FRAME));
}

EXPORT void *valloc(size_t bytes) {
  if (!site_is_state(CALLER)) return __libc_memalign(ARENA_PAGE, bytes);
  return take_aligned(ARENA_PAGE, bytes, site_of(CALLER, FRAME));
}

EXPORT void *aligned_alloc(size_t alignment, size_t bytes) {
  if (alignment == 0 || (alignment & (alignment - 1))) {
    errno = EINVAL;
    return NULL;
  }
  if (!site_is_state(CALLER)) return __libc_memalign(alignment, bytes);
  return take_aligned(alignment, bytes, site_of(CALLER, FRAME));
}

EXPORT int posix_memalign(void **out, size_t alignment, size_t bytes) {
  if (alignment % sizeof(void *) || alignment == 0 || (alignment & (alignment - 1))) return EINVAL;
  int saved = errno;
  void *p = site_is_state(CALLER) ? take_aligned(alignment, bytes, site_of(CALLER, FRAME))
                                  : __libc_memalign(alignment, bytes);
  errno = saved;
  if (!p) return ENOMEM;
  *out = p;
  return 0;
}

/* The C library's answer for its own blocks. */
static size_t libc_usable(void *p) {
  static size_t (*usable)(void *);
  if (!usable) usable = (size_t(*)(void *))dlsym(RTLD_NEXT, "malloc_usable_size");
  return usable ? usable(p) : 0;
}

EXPORT size_t malloc_usable_size(void *p) {
  unsigned site;
  return arena_has(p) ? arena_bytes(p, &site) : libc_usable(p);
}

static char *copy_text(const char *text, size_t length, struct site_cached site) {
  char *p = take(length + 1, site);
  if (!p) return NULL;
  memcpy(p, text, length);
  p[length] = 0;
  return p;
}

EXPORT char *strdup(const char *text) {
  size_t length = strlen(text);
  if (site_is_state(CALLER)) return copy_text(text, length, site_of(CALLER, FRAME));
  char *p = __libc_malloc(length + 1);
  return p ? memcpy(p, text, length + 1) : NULL;
}

EXPORT char *strndup(const char *text, size_t max) {
  size_t length = strnlen(text, max);
  if (site_is_state(CALLER)) return copy_text(text, length, site_of(CALLER, FRAME));
  char *p = __libc_malloc(length + 1);
  if (!p) return NULL;
  p[length] = 0;
  return memcpy(p, text, length);
}

static int print(char **out, const char *format, va_list args, bool state,
                 struct site_cached site) {
  va_list again;
  va_copy(again, args);
  int length = vsnprintf(NULL, 0, format, again);
  va_end(again);
  *out = NULL;
  if (length < 0) return -1;
  size_t bytes = (size_t)length + 1;
  *out = state ? take(bytes, site) : __libc_malloc(bytes);
  return *out ? vsnprintf(*out, bytes, format, args) : -1;
}

EXPORT int vasprintf(char **out, const char *format, va_list args) {
  bool state = site_is_state(CALLER);
  struct site_cached site = state ? site_of(CALLER, FRAME) : (struct site_cached){0};
  return print(out, format, args, state, site);
}

EXPORT int asprintf(char **out, const char *format, ...) {
  bool state = site_is_state(CALLER);
  struct site_cached site = state ? site_of(CALLER, FRAME) : (struct site_cached){0};
  va_list args;
  va_start(args, format);
  int length = print(out, format, args, state, site);
  va_end(args);
  return length;
}

/* What the headers make of asprintf and vasprintf when the program is built with
 * _FORTIFY_SOURCE. */
EXPORT int __vasprintf_chk(char **out, int flag, const char *format, va_list args);
EXPORT int __vasprintf_chk(char **out, int flag, const char *format, va_list args) {
  (void)flag;
  bool state = site_is_state(CALLER);
  struct site_cached site = state ? site_of(CALLER, FRAME) : (struct site_cached){0};
  return print(out, format, args, state, site);
}

EXPORT int __asprintf_chk(char **out, int flag, const char *format, ...);
EXPORT int __asprintf_chk(char **out, int flag, const char *format, ...) {
  (void)flag;
  bool state = site_is_state(CALLER);
  struct site_cached site = state ? site_of(CALLER, FRAME) : (struct site_cached){0};
  va_list args;
  va_start(args, format);
  int length = print(out, format, args, state, site);
  va_end(args);
  return length;
}
