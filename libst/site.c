#include "libst/site.h"

#include <bpf/btf.h>
#include <stdio.h>
#include <string.h>

#include "libst/image.h"
#include "libst/meta.h"

enum { PROBES = 8 };

struct site_code site_code[SITE_CODES];
unsigned site_code_count;
struct site_cached site_cache[SITE_CACHE];

static const struct images *images;
static const struct st_meta *meta;

void sites_start(const struct images *process, const struct st_meta *own) {
  images = process;
  meta = own;
  unsigned count = 0;
  for (unsigned i = 0; i < images->count && count < SITE_CODES; i++)
    if (images->image[i].state)
      site_code[count++] =
          (struct site_code){images->image[i].start, images->image[i].end - images->image[i].start};
  site_code_count = count;
}

static bool may_point(const struct btf *btf, uint32_t id, int depth) {
  const struct btf_type *t = btf__type_by_id(btf, id);
  if (!t || depth > 32) return true;
  switch (btf_kind(t)) {
  case BTF_KIND_TYPEDEF:
  case BTF_KIND_VOLATILE:
  case BTF_KIND_CONST:
  case BTF_KIND_RESTRICT:
    return may_point(btf, t->type, depth + 1);
  case BTF_KIND_ARRAY:
    return may_point(btf, btf_array(t)->type, depth + 1);
  case BTF_KIND_STRUCT:
    for (unsigned i = 0; i < btf_vlen(t); i++)
      if (may_point(btf, btf_members(t)[i].type, depth + 1)) return true;
    return false;
  case BTF_KIND_INT:
  case BTF_KIND_FLOAT:
  case BTF_KIND_ENUM:
  case BTF_KIND_ENUM64:
    return false;
  default:
    return true;
  }
}

bool site_may_point(const struct st_meta *of, uint32_t type) {
  return type == 0 || may_point(of->btf, type, 0);
}

static bool equal(const struct site *a, const struct site *b) {
  return a->type == b->type && a->line == b->line && ((a->flags ^ b->flags) & ~SITE_ALIGNED) == 0 &&
         strcmp(a->function, b->function) == 0 && strcmp(a->file, b->file) == 0;
}

static uint32_t first_own = 1;

void sites_keep_apart(uint32_t first) {
  first_own = first;
}

unsigned site_intern(const struct site *site) {
  uint32_t count = ARENA->sites;
  for (uint32_t i = first_own; i < count; i++)
    if (equal(&ARENA_SITE[i], site)) return i;
  if (count == ARENA_SITES) {
    for (uint32_t i = 1; i < count; i++)
      if (ARENA_SITE[i].type == 0) return i;
    return ARENA_SITES - 1;
  }
  /* The last entry is kept for untyped blocks, should the table ever fill. */
  ARENA_SITE[count] = *site;
  if (count == ARENA_SITES - 1)
    ARENA_SITE[count] = (struct site){.flags = SITE_CLEAR, .file = "?", .function = "?"};
  ARENA->sites = count + 1;
  return count;
}

static void set_text(struct site *s, const char *file, const char *function) {
  size_t length = strlen(file), room = sizeof(s->file) - 1;
  snprintf(s->file, sizeof(s->file), "%s", length > room ? file + length - room : file);
  snprintf(s->function, sizeof(s->function), "%.*s", (int)sizeof(s->function) - 1, function);
}

void site_describe(struct site *out, const struct st_meta *of, uint32_t index) {
  const struct st_site *s = &of->sites[index];
  memset(out, 0, sizeof(*out));
  out->type = s->type;
  out->line = s->line;
  bool unsized = s->flags & ST_SITE_UNSIZED;
  out->flags =
      (uint16_t)((s->flags & ST_SITE_FLEXIBLE ? SITE_FLEXIBLE : 0) | (unsized ? SITE_UNSIZED : 0) |
                 (unsized || site_may_point(of, s->type) ? SITE_CLEAR : 0));
  set_text(out, st_meta_string(of, s->file), st_meta_string(of, s->function));
}

static void describe_unknown(struct site *out, const struct image *image, uint64_t address) {
  memset(out, 0, sizeof(*out));
  out->flags = SITE_CLEAR;
  const char *function = "?";
  if (image == &images->image[0]) {
    const struct st_function *f = st_meta_function_at(meta, address);
    if (f) function = st_meta_string(meta, f->name);
  }
  set_text(out, image && image->name[0] ? image->name : "?", function);
}

/* A call in an allocator wrapper, whose caller knows what the block is. */
static bool caller_decides(uintptr_t caller) {
  if (caller - images->image[0].start >= images->image[0].end - images->image[0].start)
    return false;
  const struct st_site *s = st_meta_site_at(meta, caller - images->image[0].base);
  return s && (s->flags & ST_SITE_CALLER);
}

/* The site of the call itself, whoever decides. */
static struct site_cached describe_call(uintptr_t caller) {
  const struct image *image = images_at(images, caller);
  const struct st_site *s =
      image == &images->image[0] ? st_meta_site_at(meta, caller - image->base) : NULL;
  struct site described;
  if (s)
    site_describe(&described, meta, (uint32_t)(s - meta->sites));
  else
    describe_unknown(&described, image, image ? caller - image->base : 0);
  return (struct site_cached){caller, (uint16_t)site_intern(&described),
                              (described.flags & SITE_CLEAR) != 0};
}

/* The next frame up, or NULL: a frame pointer that leads anywhere but up the stack ends the walk.
 */
static void *const *frame_above(void *const *frame) {
  void *const *up = frame[0];
  bool sane = up > frame && (uintptr_t)up - (uintptr_t)frame <= 1 << 20 && !((uintptr_t)up & 7);
  return sane ? up : NULL;
}

/* Where a call is in the cache, or may be put: calls that share a slot follow each other. */
static struct site_cached *find_slot(uintptr_t caller) {
  struct site_cached *first = site_slot(caller);
  size_t at = (size_t)(first - site_cache);
  for (size_t i = 0; i < PROBES; i++) {
    struct site_cached *c = &site_cache[(at + i) % SITE_CACHE];
    if (c->caller == caller || c->caller == ~caller || c->caller == 0) return c;
  }
  return first;
}

struct site_cached site_resolve(uintptr_t caller, void *const *frame) {
  for (;;) {
    struct site_cached *c = find_slot(caller);
    if (c->caller == caller) return *c;
    if (c->caller != ~caller) {
      if (!caller_decides(caller)) return *c = describe_call(caller);
      *c = (struct site_cached){.caller = ~caller};
    }
    frame = frame_above(frame);
    if (!frame) return describe_call(caller);
    caller = (uintptr_t)frame[1];
  }
}
