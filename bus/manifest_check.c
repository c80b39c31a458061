#include "bus/manifest_check.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bus/grants.h"
#include "bus/signature.h"

#define CALLS_MAX_DEFAULT 16u
#define CALLS_MAX_LIMIT   250u
#define HEARTBEAT_MS_MIN  50u
#define HEARTBEAT_MS_MAX  3600000u
#define REGION_BYTES_MAX  (1ull << 40)
#define IFNAME_MAX        15u

struct problem {
  char *text;
  size_t cap;
};

/* Always false, to be returned. */
__attribute__((format(printf, 2, 3))) static bool wrong(const struct problem *p, const char *fmt,
                                                        ...) {
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(p->text, p->cap, fmt, ap);
  va_end(ap);
  return false;
}

endpoint_t manifest_find(const struct manifest *m, const char *name) {
  for (unsigned i = 0; i < m->components_count; i++)
    if (strcmp(m->components[i].name, name) == 0) return (endpoint_t)i + 1;
  return 0;
}

static bool name_valid(const char *name) {
  size_t n = strlen(name);
  if (n == 0 || n > MANIFEST_NAME_MAX || name[0] == '.') return false;
  for (; *name; name++)
    if (!isalnum((unsigned char)*name) && !strchr("._-", *name)) return false;
  return true;
}

/* ---- paths ---- */

static char *join(const char *directory, const char *name) {
  char *path = NULL;
  return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

static char *directory_of(const char *path) {
  char *real = realpath(path, NULL);
  if (!real) return NULL;
  char *slash = strrchr(real, '/');
  *(slash == real ? slash + 1 : slash) = 0;
  return real;
}

static void replace(char **where, char *with) {
  free(*where);
  *where = with;
}

static bool check_root(struct manifest *m, const char *path, const struct problem *p) {
  char *base = directory_of(path);
  if (!base) return wrong(p, "its directory is not accessible");
  char *root = !m->root ? strdup(base) : m->root[0] == '/' ? strdup(m->root) : join(base, m->root);
  free(base);
  char *real = realpath(root, NULL);
  struct stat st;
  bool good = real && stat(real, &st) == 0 && S_ISDIR(st.st_mode);
  if (!good) wrong(p, "root: %s is no directory", root);
  free(root);
  if (good)
    replace(&m->root, real);
  else
    free(real);
  return good;
}

static bool is_executable(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, R_OK | X_OK) == 0;
}

static bool find_executable(struct manifest *m, struct manifest_component *c,
                            const struct problem *p) {
  bool is_path = strchr(c->file, '/') != NULL;
  char *below = NULL;
  if (asprintf(&below, is_path ? "%s/%s" : "%s/bin/%s", m->root, c->file) < 0) return false;
  if (is_executable(below)) {
    c->executable = below;
    return true;
  }
  if (c->file[0] == '/' && is_executable(c->file)) {
    free(below);
    c->executable = strdup(c->file);
    return true;
  }
  wrong(p, "component %s: its executable %s is missing or not executable", c->name,
        c->file[0] == '/' ? c->file : below);
  free(below);
  return false;
}

/* ---- components ---- */

static bool number_valid(const char *text, unsigned long max) {
  char *end;
  unsigned long n = strtoul(text, &end, 10);
  return isdigit((unsigned char)*text) && !*end && n <= max;
}

/* log/instance.log and log/wire-NAME.log are written by others; updates call the bus busd. */
static bool name_reserved(const char *name) {
  return strcmp(name, "instance") == 0 || strcmp(name, "busd") == 0 ||
         strncmp(name, "wire-", strlen("wire-")) == 0;
}

static bool check_component(struct manifest *m, struct manifest_component *c,
                            const struct problem *p) {
  if (!name_valid(c->name))
    return wrong(p,
                 "component name '%s' must have 1 to %u letters, digits, '.', '_' or '-', and not "
                 "begin with '.'",
                 c->name, MANIFEST_NAME_MAX);
  if (name_reserved(c->name))
    return wrong(p,
                 "component name '%s' is taken: 'instance' and 'wire-...' name other logs, and "
                 "'busd' is the bus",
                 c->name);
  if (manifest_find(m, c->name) != c - m->components + 1)
    return wrong(p, "component %s is declared twice", c->name);
  if (c->cpu && strcmp(c->cpu, "other") != 0 && !number_valid(c->cpu, 63))
    return wrong(p, "component %s: cpu: must be 'other' or a number from 0 to 63, not '%s'",
                 c->name, c->cpu);
  if (c->calls_max == 0) c->calls_max = CALLS_MAX_DEFAULT;
  if (c->calls_max > CALLS_MAX_LIMIT)
    return wrong(p, "component %s: calls_max: is at most %u", c->name, CALLS_MAX_LIMIT);
  if (c->heartbeat_ms && (c->heartbeat_ms < HEARTBEAT_MS_MIN || c->heartbeat_ms > HEARTBEAT_MS_MAX))
    return wrong(p, "component %s: heartbeat_ms: must be from %u to %u, or 0 for none, not %u",
                 c->name, HEARTBEAT_MS_MIN, HEARTBEAT_MS_MAX, c->heartbeat_ms);
  if (c->recover == MANIFEST_RECOVER_STATE && c->restart != MANIFEST_RESTART_ALWAYS)
    return wrong(p, "component %s: recover: state needs restart: always", c->name);
  if (c->recover == MANIFEST_RECOVER_STATE && c->kernel & MANIFEST_KERNEL_UPDATE)
    return wrong(p,
                 "component %s: recover: state is not for the update manager: what it was doing "
                 "is abandoned when it dies",
                 c->name);
  if (c->args_count >= MANIFEST_ARGS_MAX)
    return wrong(p, "component %s: more than %u arguments", c->name, MANIFEST_ARGS_MAX - 1);
  return find_executable(m, c, p);
}

static bool check_update_manager(const struct manifest *m, const struct problem *p) {
  const struct manifest_component *first = NULL;
  for (unsigned i = 0; i < m->components_count; i++) {
    const struct manifest_component *c = &m->components[i];
    if (!(c->kernel & MANIFEST_KERNEL_UPDATE)) continue;
    if (first)
      return wrong(p,
                   "both %s and %s have kernel: [update]; one update manager is all there can be",
                   first->name, c->name);
    first = c;
  }
  return true;
}

static bool check_edges(const struct manifest *m, const struct manifest_component *c,
                        const struct problem *p) {
  for (unsigned i = 0; i < c->calls_count; i++) {
    if (!manifest_find(m, c->calls[i].to))
      return wrong(p, "component %s calls %s, which is not declared", c->name, c->calls[i].to);
    for (unsigned j = 0; j < i; j++)
      if (strcmp(c->calls[i].to, c->calls[j].to) == 0)
        return wrong(p, "component %s names %s twice in calls:", c->name, c->calls[i].to);
  }
  for (unsigned i = 0; i < c->sends_count; i++)
    if (!manifest_find(m, c->sends[i]))
      return wrong(p, "component %s sends to %s, which is not declared", c->name, c->sends[i]);
  return true;
}

/* ---- call graph ---- */

enum mark { UNSEEN, ON_PATH, DONE };

struct walk {
  const struct manifest *m;
  enum mark marks[MANIFEST_COMPONENTS_MAX];
  unsigned path[MANIFEST_COMPONENTS_MAX + 1];
  unsigned depth;
};

/* Depth first; when it finds a cycle, `path` ends with the component that closes it. */
static bool walk_finds_cycle(struct walk *w, unsigned at) {
  w->path[w->depth++] = at;
  if (w->marks[at] == ON_PATH) return true;
  if (w->marks[at] == UNSEEN) {
    const struct manifest_component *c = &w->m->components[at];
    w->marks[at] = ON_PATH;
    for (unsigned i = 0; i < c->calls_count; i++)
      if (walk_finds_cycle(w, (unsigned)manifest_find(w->m, c->calls[i].to) - 1)) return true;
    w->marks[at] = DONE;
  }
  w->depth--;
  return false;
}

static void print_cycle(const struct walk *w, char *text, size_t cap) {
  unsigned last = w->path[w->depth - 1], i = 0;
  size_t used = 0;
  while (w->path[i] != last)
    i++;
  for (; i < w->depth && used < cap; i++)
    used += (size_t)snprintf(text + used, cap - used, "%s%s", used ? " -> " : "",
                             w->m->components[w->path[i]].name);
}

bool manifest_cycle(const struct manifest *m, char *path, size_t cap) {
  struct walk w = {.m = m};
  for (unsigned i = 0; i < m->components_count; i++) {
    if (walk_finds_cycle(&w, i)) {
      print_cycle(&w, path, cap);
      return true;
    }
  }
  return false;
}

/* ---- regions and wires ---- */

static bool check_region(const struct manifest *m, struct manifest_region *r,
                         const struct problem *p) {
  for (struct manifest_region *other = m->regions; other < r; other++)
    if (strcmp(other->name, r->name) == 0) return wrong(p, "region %s is declared twice", r->name);
  if (strlen(r->name) == 0 || strlen(r->name) > 63)
    return wrong(p, "region name '%s' must have 1 to 63 characters", r->name);
  if (r->bytes == 0 || r->bytes > REGION_BYTES_MAX || r->bytes % (uint64_t)sysconf(_SC_PAGESIZE))
    return wrong(p, "region %s: bytes: %llu is not a positive multiple of the page size, %ld",
                 r->name, (unsigned long long)r->bytes, sysconf(_SC_PAGESIZE));
  for (unsigned i = 0; i < r->share_count; i++)
    if (!manifest_find(m, r->share[i]))
      return wrong(p, "region %s is shared with %s, which is not declared", r->name, r->share[i]);
  return true;
}

/* `value` must be given exactly for wires of kind `for_kind`. */
static bool check_key(const struct manifest_wire *w, const char *key, bool given, bool needed,
                      enum manifest_wire_kind for_kind, const struct problem *p) {
  if (w->kind != for_kind && given)
    return wrong(p, "wire %s: %s: does not go with its kind", w->name, key);
  if (w->kind == for_kind && needed && !given) return wrong(p, "wire %s: needs %s:", w->name, key);
  return true;
}

static bool is_address(const unsigned bytes[4]) {
  return bytes[0] < 256 && bytes[1] < 256 && bytes[2] < 256 && bytes[3] < 256;
}

static bool forward_valid(const char *forward) {
  unsigned a[4], b[4], from, to;
  char rest;
  return sscanf(forward, "%3u.%3u.%3u.%3u:%5u -> %3u.%3u.%3u.%3u:%5u%c", &a[0], &a[1], &a[2], &a[3],
                &from, &b[0], &b[1], &b[2], &b[3], &to, &rest) == 10 &&
         is_address(a) && is_address(b) && from < 65536 && to > 0 && to < 65536;
}

static unsigned wires_before(const struct manifest *m, const struct manifest_wire *w) {
  unsigned n = 0;
  for (const struct manifest_wire *other = m->wires; other < w; other++)
    n += strcmp(other->to, w->to) == 0;
  return n;
}

static bool check_wire(const struct manifest *m, struct manifest_wire *w, const struct problem *p) {
  for (struct manifest_wire *other = m->wires; other < w; other++)
    if (strcmp(other->name, w->name) == 0) return wrong(p, "wire %s is declared twice", w->name);
  if (!name_valid(w->name))
    return wrong(p, "wire name '%s' must have 1 to %u letters, digits, '.', '_' or '-'", w->name,
                 MANIFEST_NAME_MAX);
  if (!manifest_find(m, w->to))
    return wrong(p, "wire %s goes to %s, which is not declared", w->name, w->to);
  if (wires_before(m, w) == MANIFEST_WIRES_MAX)
    return wrong(p, "more than %u wires go to %s", MANIFEST_WIRES_MAX, w->to);
  if (!check_key(w, "forward", w->forward, false, MANIFEST_WIRE_SLIRP, p) ||
      !check_key(w, "device", w->device, true, MANIFEST_WIRE_TAP, p) ||
      !check_key(w, "path", w->path, true, MANIFEST_WIRE_STREAM, p) ||
      !check_key(w, "listen", w->listen, false, MANIFEST_WIRE_STREAM, p))
    return false;
  if (w->forward && !forward_valid(w->forward))
    return wrong(p, "wire %s: forward: '%s' is not of the form 'HOST:PORT -> GUEST:PORT'", w->name,
                 w->forward);
  if (w->device && strlen(w->device) > IFNAME_MAX)
    return wrong(p, "wire %s: device: is longer than %u characters", w->name, IFNAME_MAX);
  if (w->path && strlen(w->path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
    return wrong(p, "wire %s: path: is too long for a socket", w->name);
  return true;
}

static bool check_updates(struct manifest_updates *u, const struct problem *p) {
  char error[512];
  _Static_assert(sizeof(u->key) == SIGNATURE_KEY_BYTES, "the key of a manifest");
  if (!u->require_signature) return true;
  if (signature_read_key(u->require_signature, SIGNATURE_PUBLIC_KIND, u->key, error, sizeof(error)))
    return wrong(p, "updates: require-signature: %s", error);
  return true;
}

static bool check_needs(const struct manifest *m, const struct problem *p) {
  for (unsigned i = 0; i < m->components_count; i++)
    if (!grants_suffice(m, &m->components[i], p->text, p->cap)) return false;
  return true;
}

/* busd's working directory is no place that anybody thinks of. */
static bool make_absolute(struct manifest *m, const char *path, const struct problem *p) {
  char *base = directory_of(path);
  if (!base) return wrong(p, "its directory is not accessible");
  for (unsigned i = 0; i < m->wires_count; i++)
    if (m->wires[i].path && m->wires[i].path[0] != '/')
      replace(&m->wires[i].path, join(base, m->wires[i].path));
  char **key = &m->updates.require_signature;
  if (*key && **key != '/') replace(key, join(base, *key));
  free(base);
  return true;
}

static void default_timeouts(struct manifest_timeouts *t) {
  if (!t->start) t->start = 5000;
  if (!t->load) t->load = 5000;
  if (!t->converge) t->converge = 3000;
  if (!t->transfer) t->transfer = 2000;
}

bool manifest_check(struct manifest *m, const char *path, char *problem, size_t cap) {
  const struct problem p = {problem, cap};
  char cycle[1024];
  default_timeouts(&m->timeouts);
  if (m->components_count == 0) return wrong(&p, "no components");
  if (m->components_count > MANIFEST_COMPONENTS_MAX)
    return wrong(&p, "more than %u components", MANIFEST_COMPONENTS_MAX);
  if (m->cpu && strcmp(m->cpu, "auto") != 0 && !number_valid(m->cpu, 63))
    return wrong(&p, "cpu: must be 'auto' or a number from 0 to 63, not '%s'", m->cpu);
  if (!check_root(m, path, &p) || !make_absolute(m, path, &p)) return false;
  for (unsigned i = 0; i < m->components_count; i++)
    if (!check_component(m, &m->components[i], &p)) return false;
  for (unsigned i = 0; i < m->components_count; i++)
    if (!check_edges(m, &m->components[i], &p)) return false;
  if (!check_update_manager(m, &p)) return false;
  if (manifest_cycle(m, cycle, sizeof(cycle)))
    return wrong(&p, "calls: must not form a cycle: %s", cycle);
  for (unsigned i = 0; i < m->regions_count; i++)
    if (!check_region(m, &m->regions[i], &p)) return false;
  for (unsigned i = 0; i < m->wires_count; i++)
    if (!check_wire(m, &m->wires[i], &p)) return false;
  return check_updates(&m->updates, &p) && check_needs(m, &p);
}

/* ---- CPUs ---- */

static uint64_t numbered(const char *cpu, uint64_t available) {
  uint64_t bit = 1ull << strtoul(cpu, NULL, 10);
  return bit & available ? bit : available;
}

uint64_t manifest_personality_cpus(const struct manifest *m, uint64_t available) {
  if (m->cpu && strcmp(m->cpu, "auto") != 0) return numbered(m->cpu, available);
  return available ? 1ull << (63 - __builtin_clzll(available)) : 0;
}

uint64_t manifest_other_cpus(const struct manifest *m, uint64_t available) {
  uint64_t others = available & ~manifest_personality_cpus(m, available);
  return others ? others : available;
}

uint64_t manifest_component_cpus(const struct manifest *m, const struct manifest_component *c,
                                 uint64_t available) {
  if (!c->cpu) return manifest_personality_cpus(m, available);
  if (strcmp(c->cpu, "other") == 0) return manifest_other_cpus(m, available);
  return numbered(c->cpu, available);
}
