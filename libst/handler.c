/* What handlers see of the old version, and how they are called. */
#include "libst/handler.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libst/filter_names.h"
#include "libst/handler_plan.h"
#include "libst/heap.h"
#include "libst/old_memory.h"
#include "libst/process.h"
#include "libst/program.h"
#include "libst/site.h"
#include "libst/st.h"
#include "libst/type.h"

/* The handler that runs. */
static struct {
  struct transfer *t;
  const struct handler *handler;
  const struct place *place;
  bool refused;
} now;

static const struct st_old none;

int st_old_refuse(const char *format, ...) {
  char text[400];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  if (!now.refused)
    transfer_refuse(now.t, now.place, "is refused by its handler %s: %s", now.handler->name, text);
  now.refused = true;
  return -1;
}

static const struct st_meta *old_meta(void) {
  return now.t->plan->old;
}

static const struct btf_type *type_at(struct st_old v) {
  return type_of(old_meta(), v.type);
}

static struct st_old wrong_kind(struct st_old v, const char *wanted) {
  char text[160];
  st_old_refuse("a `%s` is read as %s; read it as what it is",
                type_text(old_meta(), v.type, text, sizeof(text)), wanted);
  return none;
}

static struct st_old variable(const char *name) {
  const struct st_variable *v;
  const char *several[2];
  if (names_variable(old_meta(), name, NULL, &v, several) != NAMES_FOUND) return none;
  const void *data = old_memory_at(now.t, now.t->old.image[0].base + v->address, v->size);
  return (struct st_old){data, v->type, data != NULL, 0, 0};
}

struct st_old st_old_field(struct st_old v, const char *name) {
  bool root = now.handler->target && v.type == 0;
  uint32_t in = root ? 0 : type_strip(old_meta(), v.type), bit, type, bits = 0;
  if (!root && !v.data) return none;
  if (!handler_declares(now.handler, in, name)) {
    st_old_refuse("it reads `%s`, which it does not declare; add it to what the handler names",
                  name);
    return none;
  }
  if (root) return variable(name);
  if (!names_member(old_meta(), in, name, &bit, &type, &bits)) return wrong_kind(v, "a struct");
  return (struct st_old){(const char *)v.data + bit / 8, type, 1, (uint16_t)(bit % 8),
                         (uint16_t)bits};
}

size_t st_old_count(struct st_old v) {
  const struct btf_type *t = v.data ? type_at(v) : NULL;
  if (!t) return 0;
  return v.count == 1 && btf_is_array(t) ? btf_array(t)->nelems : v.count;
}

struct st_old st_old_element(struct st_old v, size_t index) {
  const struct btf_type *t = v.data ? type_at(v) : NULL;
  if (!t) return none;
  if (index >= st_old_count(v)) {
    st_old_refuse("it reads element %zu of %zu; st_old_count() is their number", index,
                  st_old_count(v));
    return none;
  }
  if (v.count == 1 && btf_is_array(t)) v.type = btf_array(t)->type;
  v.data = (const char *)v.data + index * type_bytes(old_meta(), v.type);
  v.count = 1;
  return v;
}

/* Objects of the pointer's type from an address to the end of what contains it. */
static struct st_old objects_at(uint64_t address, uint32_t type) {
  size_t size = type_bytes(old_meta(), type), bytes = size;
  struct block block;
  if (size == 0) size = bytes = 1;
  if (arena_find(address, false, &block))
    bytes = block.address + transfer_old_bytes(now.t, transfer_plan_of(now.t, &block), &block) -
            address;
  if (bytes < size) bytes = size;
  const void *data = old_memory_at(now.t, address, bytes);
  if (!data && (data = old_memory_at(now.t, address, size))) bytes = size;
  if (!data)
    st_old_refuse("it follows a pointer to 0x%lx, which is no state; look at it before",
                  (unsigned long)address);
  return (struct st_old){data, type, data ? (uint32_t)(bytes / size) : 0, 0, 0};
}

struct st_old st_old_target(struct st_old v) {
  uint64_t address;
  if (!v.data) return none;
  const struct btf_type *t = type_at(v);
  if (!btf_is_ptr(t)) return wrong_kind(v, "a pointer");
  memcpy(&address, v.data, sizeof(address));
  return address ? objects_at(address, t->type) : none;
}

int64_t st_old_integer(struct st_old v) {
  const struct btf_type *t = v.data ? type_at(v) : NULL;
  unsigned __int128 raw = 0;
  if (!t) return 0;
  if ((!btf_is_int(t) && !btf_is_any_enum(t)) || t->size > 8) {
    wrong_kind(v, "an integer");
    return 0;
  }
  unsigned bits = v.bits ? v.bits : t->size * 8;
  memcpy(&raw, v.data, (v.bit + bits + 7) / 8);
  uint64_t value = (uint64_t)(raw >> v.bit) << (64 - bits);
  return type_is_signed(t) ? (int64_t)value >> (64 - bits) : (int64_t)(value >> (64 - bits));
}

double st_old_real(struct st_old v) {
  const struct btf_type *t = v.data ? type_at(v) : NULL;
  double d = 0;
  float f = 0;
  if (t && btf_kind(t) == BTF_KIND_FLOAT && t->size == sizeof(d))
    memcpy(&d, v.data, sizeof(d));
  else if (t && btf_kind(t) == BTF_KIND_FLOAT && t->size == sizeof(f))
    memcpy(&f, v.data, sizeof(f)), d = (double)f;
  else if (t)
    d = (double)st_old_integer(v);
  return d;
}

void *st_old_pointer(struct st_old v) {
  uint64_t address;
  if (!v.data) return NULL;
  const struct btf_type *t = type_at(v);
  if (!btf_is_ptr(t)) {
    wrong_kind(v, "a pointer");
    return NULL;
  }
  memcpy(&address, v.data, sizeof(address));
  struct pointed to = {.old_type = type_strip(old_meta(), t->type)};
  return (void *)pointer_follow(now.t, address, &to, now.place);
}

const char *st_old_text(struct st_old v) {
  if (!v.data) return NULL;
  if (btf_is_ptr(type_at(v))) v = st_old_target(v);
  size_t bytes;
  const char *text = st_old_bytes(v, &bytes);
  if (text && memchr(text, 0, bytes)) return text;
  if (text) st_old_refuse("a text has no end; read it as bytes");
  return NULL;
}

const void *st_old_bytes(struct st_old v, size_t *bytes) {
  size_t size = v.data ? type_bytes(old_meta(), v.type) : 0;
  *bytes = v.count * (v.data && size == 0 ? 1 : size);
  return v.data;
}

/* ---- running them ---- */

int handlers_begin(struct transfer *t) {
  if (!t->plan->handlers) return 0;
  int err = old_memory_open();
  if (err) return err;
  sites_start(&st_process.images, st_process.meta);
  sites_keep_apart(ARENA->sites);
  heap_defer(true);
  return 0;
}

void handlers_end(void) {
  sites_keep_apart(1);
  heap_defer(false);
}

static void run(struct transfer *t, const struct handler *h, struct st_old old, void *new,
                const struct place *place) {
  int (*function)(struct st_old, void *) =
      (int (*)(struct st_old, void *))(st_image_base() + h->function);
  now.t = t;
  now.handler = h;
  now.place = place;
  now.refused = false;
  int result = function(old, new);
  if (result != 0) st_old_refuse("it returned %d; st_old_refuse() says why", result);
}

void handler_run(struct transfer *t, const struct handler *h, const void *old, void *new,
                 const struct place *place) {
  run(t, h, (struct st_old){old, h->old_type, 1, 0, 0}, new, place);
}

void handlers_run_variables(struct transfer *t) {
  for (const struct handler *h = t->plan->handlers; h; h = h->next) {
    if (!h->target) continue;
    struct place place = {.text = st_meta_string(t->plan->new, h->target->name), .index = -1};
    run(t, h, none, (void *)(st_image_base() + h->target->address), &place);
  }
}
