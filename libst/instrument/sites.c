#include "sites.h"
#include "calls.h"
#include "ctype.h"
#include "decide.h"
#include "die.h"
#include "frames.h"
#include "libst/meta.h"
#include "path.h"
#include "wrappers.h"

#include <dwarf.h>
#include <stdio.h>
#include <string.h>

/* A call in the code, and the place in the source that its block comes from. */
struct match {
  const struct call *call;
  Dwarf_Die *instance; /* of the function that the call is in */
  int unit;            /* of the source */
  char *file;
  const char *function;
  unsigned line, column;
  struct decision decision;
};

struct matching {
  const struct objects *objects;
  const struct units *units;
  struct allocators *allocators;
  ARRAY(struct match) matches;
};

static struct decision untyped(const char *reason) {
  return (struct decision){.verdict = VERDICT_UNTYPED, .reason = reason};
}

static bool same_decision(const struct decision *a, const struct decision *b) {
  if (a->verdict != b->verdict) return false;
  return a->verdict != VERDICT_TYPED || (a->flexible == b->flexible && a->unsized == b->unsized &&
                                         strcmp(a->type->key, b->type->key) == 0);
}

/* Without columns in the line table, the line must do. */
static bool is_at(const struct source_call *c, const struct frame *frame) {
  if (frame->column == 0)
    return c->position.line == frame->line && strcmp(c->file, frame->file) == 0;
  return source_call_at(c, frame->file, (struct position){frame->line, frame->column});
}

/* What the source says about the calls of `callee` at a position.
 * @return the first of them, or NULL when it has none there. */
static const struct source_call *decide_at(const struct matching *m, int unit, struct frame *frame,
                                           const char *callee, struct decision *out) {
  const struct source_call *first = NULL;
  const struct unit *u = &m->units->items.items[unit];
  for (size_t s = 0; s < u->sources.count; s++)
    for (size_t i = 0; i < u->sources.items[s]->calls.count; i++) {
      const struct source_call *c = &u->sources.items[s]->calls.items[i];
      const struct allocator *a = allocators_find(m->allocators, c->callee, unit, c->callee_static);
      if (!a || strcmp(c->callee, callee) != 0 || !is_at(c, frame) ||
          strcmp(c->function, die_name(&frame->function)) != 0)
        continue;
      struct decision d = decide(c, a);
      if (!first)
        *out = d;
      else if (!same_decision(out, &d))
        *out = untyped("it answers to calls of different types at one place in the source");
      if (!first) first = c;
    }
  return first;
}

/* Compilers replace some calls by others: what is in the code, and in the source. */
static const struct {
  const char *code, *source;
} replaced[] = {{"calloc", "malloc"}, {"malloc", "realloc"}, {"strdup", "strndup"}};

static const struct source_call *decide_as_written(const struct matching *m, int unit,
                                                   struct frame *frame, const char *callee,
                                                   struct decision *out) {
  if (unit < 0 || frame->line == 0) return NULL;
  const struct source_call *c = decide_at(m, unit, frame, callee, out);
  for (size_t i = 0; !c && i < sizeof replaced / sizeof *replaced; i++)
    if (strcmp(callee, replaced[i].code) == 0)
      c = decide_at(m, unit, frame, replaced[i].source, out);
  return c;
}

/* What decides for the block of a call in this frame. */
static struct decision decide_frame(const struct matching *m, int unit, struct frame *frame,
                                    const char *callee) {
  const struct allocator *self = wrappers_by_die(m->allocators, m->units, &frame->function);
  struct decision decision = {.verdict = VERDICT_WRAPPED};
  /* Headers of libc define some of its functions inline. */
  if (self && allocator_is_root(self)) return decision;
  const struct source_call *c = decide_as_written(m, unit, frame, callee, &decision);
  if (c) {
    frame->line = c->position.line;
    frame->column = c->position.column;
    return decision;
  }
  if (unit < 0 || m->units->items.items[unit].sources.count == 0)
    return untyped("its source was not parsed");
  if (frame->line == 0)
    return untyped("the compiler gives it no line: it may be several calls merged");
  return untyped("the source has no allocation there");
}

/* Goes outwards through inlined wrappers to the call that decides. There is none when the function
 * itself is a wrapper: then its callers do, at run time. */
static void match_frames(const struct matching *m, struct match *match, struct frames *frames) {
  const char *callee = match->call->callee;
  for (size_t i = 0; i < frames->items.count; i++) {
    struct frame *frame = &frames->items.items[i];
    match->unit = units_index(m->units, &frame->function);
    match->decision = decide_frame(m, match->unit, frame, callee);
    match->line = frame->line;
    match->column = frame->column;
    match->file = frame->file;
    match->function = callee = die_name(&frame->function);
    if (match->decision.verdict != VERDICT_WRAPPED) break;
  }
  match->file = text_copy(match->file);
}

/* The block of a jump has the return address of whoever called the function. Where that is the
 * call of a wrapper, it stands for what the wrapper hands on, and nothing else. */
static void distrust_jump(struct matching *m, const struct match *match) {
  Dwarf_Die origin = die_origin(match->instance);
  const struct allocator *self = wrappers_by_die(m->allocators, m->units, &origin);
  if (match->decision.verdict == VERDICT_WRAPPED) return;
  warn("%s:%u: is a jump to %s, not a call: its block will have no type (compile with "
       "-fno-optimize-sibling-calls)",
       match->file, match->line, match->call->callee);
  if (self) allocators_distrust(m->allocators, self);
}

static void match_call(struct matching *m, const struct call *call) {
  Dwarf_Die *instance = objects_function_at(m->objects, call->address);
  if (!instance) return;
  struct match match = {.call = call, .instance = instance};
  struct frames frames = frames_at(instance, call->address);
  match_frames(m, &match, &frames);
  frames_clear(&frames);
  if (call->jump) {
    distrust_jump(m, &match);
    free(match.file);
  } else {
    *array_add(&m->matches) = match;
  }
}

static void distrust_callers(struct matching *m) {
  for (size_t i = 0; i < m->matches.count; i++) {
    struct match *match = &m->matches.items[i];
    const char *callee = match->call->callee;
    if (match->decision.verdict == VERDICT_TYPED && allocators_distrusted(m->allocators, callee))
      match->decision = untyped("the wrapper that it calls jumps to an allocation of its own");
  }
}

/* ---- calls that have no address ---- */

struct missing {
  struct matching *m;
  Dwarf_Die *instance;
  uint32_t roots; /* of the calls that are missing */
};

static bool has_address(const struct matching *m, Dwarf_Die *instance, int unit,
                        const struct source_call *call) {
  for (size_t i = 0; i < m->matches.count; i++) {
    const struct match *match = &m->matches.items[i];
    struct position position = {match->line, match->column};
    if (match->instance->addr == instance->addr && match->unit == unit &&
        source_call_at(call, match->file, position))
      return true;
  }
  return false;
}

static void look_for_missing(Dwarf_Die *origin, void *data) {
  struct missing *missing = data;
  struct matching *m = missing->m;
  int unit = units_index(m->units, origin);
  if (unit < 0) return;
  const struct unit *u = &m->units->items.items[unit];
  for (size_t s = 0; s < u->sources.count; s++)
    for (size_t i = 0; i < u->sources.items[s]->calls.count; i++) {
      const struct source_call *c = &u->sources.items[s]->calls.items[i];
      const struct allocator *a = allocators_find(m->allocators, c->callee, unit, c->callee_static);
      if (!a || strcmp(c->function, die_name(origin)) != 0 ||
          decide(c, a).verdict == VERDICT_WRAPPED || has_address(m, missing->instance, unit, c))
        continue;
      missing->roots |= a->roots;
    }
}

static uint32_t roots_of(const struct matching *m, const struct match *match) {
  uint32_t roots = 0;
  for (size_t i = 0; i < m->allocators->items.count; i++)
    if (strcmp(m->allocators->items.items[i].name, match->call->callee) == 0)
      roots |= m->allocators->items.items[i].roots;
  return roots;
}

/* In code of a compiler that may have merged two calls into one and keeps the position of one of
 * them, a call that has no address makes all others of its kind doubtful. */
static void distrust_merged(struct matching *m) {
  for (size_t i = 0; i < m->matches.count; i++) {
    struct match *match = &m->matches.items[i];
    int unit = units_index(m->units, match->instance);
    if (unit < 0 || m->units->items.items[unit].merges_show) continue;
    struct missing missing = {.m = m, .instance = match->instance};
    frames_each_function(match->instance, look_for_missing, &missing);
    if (match->decision.verdict == VERDICT_TYPED && (roots_of(m, match) & missing.roots))
      match->decision =
          untyped("another allocation in its function has no code: they may have been "
                  "merged (build with the flags of libst)");
  }
}

/* ---- result ---- */

/* True when a DIE's struct, union or enum is declared where the source says. */
static bool same_declaration(const struct unit *unit, Dwarf_Die *die, const char *path,
                             unsigned line) {
  Dwarf_Die at = *die;
  int declared = 0;
  while (dwarf_tag(&at) == DW_TAG_pointer_type || dwarf_tag(&at) == DW_TAG_array_type)
    if (!die_type(&at, &at) || !die_strip(&at, &at)) return false;
  if (!die_strip(&at, &at)) return false;
  const char *file = dwarf_decl_file(&at);
  if (!file || dwarf_decl_line(&at, &declared) != 0 || (unsigned)declared != line) return false;
  char *own = path_normal(unit->directory, file);
  bool same = strcmp(own, path) == 0;
  free(own);
  return same;
}

/* Of the size that the source says: the compiler may have been told what libclang was not. */
static bool has_bytes(const struct ctype *type, Dwarf_Die *die) {
  return key_is_number(type->key) || (long long)die_bytes(die) == type->bytes;
}

/* The DIE of a type that a unit uses. Numbers are the same in all units; compilers leave out of a
 * unit a type that it uses in a sizeof only, which another describes that has its declaration. */
static bool find_type(const struct units *units, int index, const struct ctype *type,
                      Dwarf_Die *die) {
  const struct unit *unit = &units->items.items[index];
  enum typeindex_result own = typeindex_find(unit->types, type->key, die);
  if (own != TYPEINDEX_NONE) return own == TYPEINDEX_FOUND && has_bytes(type, die);
  bool found = false;
  char *path = type->file ? path_normal(unit->directory, type->file) : NULL;
  for (size_t u = 0; !found && u < units->items.count; u++) {
    const struct unit *other = &units->items.items[u];
    found = typeindex_find(other->types, type->key, die) == TYPEINDEX_FOUND &&
            (long long)die_bytes(die) == type->bytes &&
            (path ? same_declaration(other, die, path, type->line) : key_is_number(type->key));
  }
  free(path);
  return found;
}

static size_t add_site(struct sites *out, const struct site *site) {
  for (size_t i = 0; i < out->items.count; i++) {
    const struct site *s = &out->items.items[i];
    if (s->line == site->line && s->column == site->column && s->type == site->type &&
        s->flexible == site->flexible && s->caller == site->caller && s->unsized == site->unsized &&
        strcmp(s->file, site->file) == 0 && strcmp(s->function, site->function) == 0)
      return i;
  }
  struct site *added = array_add(&out->items);
  *added = *site;
  added->file = text_copy(site->file);
  return out->items.count - 1;
}

static void add_match(struct sites *out, const struct matching *m, const struct match *match,
                      struct types *types) {
  const struct unit *unit = match->unit >= 0 ? &m->units->items.items[match->unit] : NULL;
  bool main_file = unit && strcmp(unit->file, match->file) == 0;
  struct site site = {.file = main_file ? (char *)die_name((Dwarf_Die *)&unit->die) : match->file,
                      .function = match->function,
                      .line = match->line,
                      .column = match->column,
                      .caller = match->decision.verdict == VERDICT_WRAPPED,
                      .reason = match->decision.reason};
  if (match->decision.verdict == VERDICT_TYPED) {
    Dwarf_Die type;
    if (find_type(m->units, match->unit, match->decision.type, &type)) {
      site.type = types_refer(types, &type);
      site.flexible = match->decision.flexible;
      site.unsized = match->decision.unsized;
    } else {
      site.reason = "the debug information has no such type of its size, or several";
    }
  }
  struct site_range *range = array_add(&out->ranges);
  range->lo = match->call->returns - 1;
  range->hi = match->call->returns;
  range->site = add_site(out, &site);
}

/* A file that does not parse has been named. */
static void warn_without_command(const struct matching *m) {
  for (size_t u = 0; u < m->units->items.count; u++) {
    bool allocates = false;
    for (size_t i = 0; i < m->matches.count; i++)
      allocates |= m->matches.items[i].unit == (int)u;
    if (allocates && !m->units->items.items[u].has_command)
      warn("%s: is not in compile_commands.json, so its allocations have no types",
           m->units->items.items[u].file);
  }
}

static struct calls *find_calls(const struct exe *exe, const struct objects *objects,
                                const struct units *units, const struct allocators *allocators) {
  ARRAY(struct callee) callees = {0};
  for (size_t i = 0; i < allocators->items.count; i++)
    if (allocator_is_root(&allocators->items.items[i]))
      *array_add(&callees) = (struct callee){allocators->items.items[i].name, 0};
  for (size_t i = 0; i < objects->functions.count; i++) {
    struct object_function *f = &objects->functions.items[i];
    Dwarf_Die origin = die_origin(&f->die);
    if (f->flags & ST_FUNC_WRAPPER)
      *array_add(&callees) =
          (struct callee){wrappers_by_die(allocators, units, &origin)->name, f->address};
  }
  struct calls *calls = calls_find(exe, callees.items, callees.count);
  free(callees.items);
  return calls;
}

struct sites *sites_find(const struct exe *exe, struct objects *objects, const struct units *units,
                         struct types *types) {
  struct sites *out = calloc(1, sizeof *out);
  if (!out) fail("out of memory");
  struct matching m = {.objects = objects, .units = units, .allocators = allocators_new()};
  wrappers_find(m.allocators, objects, units);
  struct calls *calls = find_calls(exe, objects, units, m.allocators);
  for (size_t i = 0; i < calls->items.count; i++)
    match_call(&m, &calls->items.items[i]);
  warn_without_command(&m);
  distrust_callers(&m);
  distrust_merged(&m);
  for (size_t i = 0; i < m.matches.count; i++) {
    add_match(out, &m, &m.matches.items[i], types);
    free(m.matches.items[i].file);
  }
  free(m.matches.items);
  calls_free(calls);
  allocators_free(m.allocators);
  return out;
}

void sites_free(struct sites *sites) {
  for (size_t i = 0; i < sites->items.count; i++)
    free(sites->items.items[i].file);
  free(sites->items.items);
  free(sites->ranges.items);
  free(sites);
}
