#include "bus/manifest_check.h"

#include <ctype.h>
#include <limits.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bus/denied.h"
#include "bus/grants.h"
#include "bus/manifest_programs.h"
#include "bus/signature.h"

#define CALLS_MAX_DEFAULT 16u
#define CALLS_MAX_LIMIT   250u
#define HEARTBEAT_MS_MIN  50u
#define HEARTBEAT_MS_MAX  3600000u
#define REGION_BYTES_MAX  (1ull << 40)
#define IFNAME_MAX        15u

endpoint_t manifest_find(const struct manifest *m, const char *name) {
  for (unsigned i = 0; i < m->components_count; i++)
    if (!m->components[i].removed && strcmp(m->components[i].name, name) == 0)
      return (endpoint_t)i + 1;
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

static bool check_root(struct manifest *m, struct manifest_source *s) {
  char *base = directory_of(s->path);
  if (!base) {
    manifest_problem(s, "", "its directory is not accessible");
    return false;
  }
  char *root = !m->root ? strdup(base) : m->root[0] == '/' ? strdup(m->root) : join(base, m->root);
  free(base);
  char *real = realpath(root, NULL);
  struct stat st;
  bool good = real && stat(real, &st) == 0 && S_ISDIR(st.st_mode);
  if (!good) manifest_problem(s, "root", "root: %s is no directory", root);
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

static char *find_executable(const struct manifest *m, const struct manifest_component *c,
                             const char **looked_for) {
  static char below[PATH_MAX];
  bool is_path = strchr(c->file, '/') != NULL;
  snprintf(below, sizeof(below), is_path ? "%s/%s" : "%s/bin/%s", m->root, c->file);
  *looked_for = c->file[0] == '/' ? c->file : below;
  if (is_executable(below)) return strdup(below);
  return c->file[0] == '/' && is_executable(c->file) ? strdup(c->file) : NULL;
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

static void check_name(const struct manifest *m, const struct manifest_component *c,
                       struct manifest_source *s, const char *place) {
  if (!name_valid(c->name))
    manifest_problem(s, place,
                     "component name '%s' must have 1 to %u letters, digits, '.', '_' or '-', and "
                     "not begin with '.'",
                     c->name, MANIFEST_NAME_MAX);
  if (name_reserved(c->name))
    manifest_problem(s, place,
                     "component name '%s' is taken: 'instance' and 'wire-...' name other logs, and "
                     "'busd' is the bus",
                     c->name);
  if (manifest_find(m, c->name) != c - m->components + 1)
    manifest_problem(s, place, "component %s is declared twice", c->name);
}

static bool is_denied(const char *call) {
  for (unsigned i = 0; denied_calls[i]; i++)
    if (strcmp(denied_calls[i], call) == 0) return true;
  return false;
}

static void check_syscalls(const struct manifest *m, const struct manifest_component *c,
                           struct manifest_source *s) {
  for (unsigned i = 0; i < c->syscalls_count; i++) {
    const char *place =
        manifest_place("components/%u/syscalls/%u", (unsigned)(c - m->components), i);
    if (seccomp_syscall_resolve_name(c->syscalls[i]) == __NR_SCMP_ERROR)
      manifest_problem(s, place, "component %s: syscalls: there is no system call '%s'", c->name,
                       c->syscalls[i]);
    else if (is_denied(c->syscalls[i]))
      manifest_problem(s, place, "component %s: syscalls: no component is ever allowed '%s'",
                       c->name, c->syscalls[i]);
  }
}

static void check_recovery(const struct manifest_component *c, struct manifest_source *s,
                           unsigned i) {
  if (c->heartbeat_ms && (c->heartbeat_ms < HEARTBEAT_MS_MIN || c->heartbeat_ms > HEARTBEAT_MS_MAX))
    manifest_problem(s, manifest_place("components/%u/heartbeat_ms", i),
                     "component %s: heartbeat_ms: must be from %u to %u, or 0 for none, not %u",
                     c->name, HEARTBEAT_MS_MIN, HEARTBEAT_MS_MAX, c->heartbeat_ms);
  if (c->recover == MANIFEST_RECOVER_STATE && c->restart != MANIFEST_RESTART_ALWAYS)
    manifest_problem(s, manifest_place("components/%u/recover", i),
                     "component %s: recover: state needs restart: always", c->name);
  if (c->recover == MANIFEST_RECOVER_STATE && c->kernel & MANIFEST_KERNEL_UPDATE)
    manifest_problem(s, manifest_place("components/%u/recover", i),
                     "component %s: recover: state is not for the update manager: what it was "
                     "doing is abandoned when it dies",
                     c->name);
}

static void check_component(struct manifest *m, struct manifest_component *c, bool has_root,
                            struct manifest_source *s) {
  unsigned i = (unsigned)(c - m->components);
  const char *looked_for;
  check_name(m, c, s, manifest_place("components/%u/name", i));
  if (c->cpu && strcmp(c->cpu, "other") != 0 && !number_valid(c->cpu, 63))
    manifest_problem(s, manifest_place("components/%u/cpu", i),
                     "component %s: cpu: must be 'other' or a number from 0 to 63, not '%s'",
                     c->name, c->cpu);
  if (c->calls_max == 0) c->calls_max = CALLS_MAX_DEFAULT;
  if (c->calls_max > CALLS_MAX_LIMIT)
    manifest_problem(s, manifest_place("components/%u/calls_max", i),
                     "component %s: calls_max: is at most %u", c->name, CALLS_MAX_LIMIT);
  check_recovery(c, s, i);
  if (c->args_count >= MANIFEST_ARGS_MAX)
    manifest_problem(s, manifest_place("components/%u/args", i),
                     "component %s: more than %u arguments", c->name, MANIFEST_ARGS_MAX - 1);
  check_syscalls(m, c, s);
  if (has_root && !(c->executable = find_executable(m, c, &looked_for)))
    manifest_problem(s, manifest_place("components/%u/file", i),
                     "component %s: its executable %s is missing or not executable", c->name,
                     looked_for);
}

/* @param what  who has this right; there can be one */
static void check_one(const struct manifest *m, struct manifest_source *s,
                      enum manifest_kernel right, const char *name, const char *what) {
  const struct manifest_component *first = NULL;
  for (unsigned i = 0; i < m->components_count; i++) {
    const struct manifest_component *c = &m->components[i];
    if (!(c->kernel & right)) continue;
    if (first)
      manifest_problem(s, manifest_place("components/%u/kernel", i),
                       "both %s and %s have kernel: [%s]; one %s is all there can be", first->name,
                       c->name, name, what);
    else
      first = c;
  }
}

static void check_rights(const struct manifest *m, struct manifest_source *s) {
  check_one(m, s, MANIFEST_KERNEL_UPDATE, "update", "update manager");
  check_one(m, s, MANIFEST_KERNEL_SCHEDULE, "schedule", "scheduler");
}

static void check_calls(const struct manifest *m, const struct manifest_component *c,
                        struct manifest_source *s) {
  for (unsigned i = 0; i < c->calls_count; i++) {
    const char *place =
        manifest_place("components/%u/calls/%u/to", (unsigned)(c - m->components), i);
    if (!manifest_find(m, c->calls[i].to))
      manifest_problem(s, place, "component %s calls %s, which is not declared", c->name,
                       c->calls[i].to);
    for (unsigned j = 0; j < i; j++) {
      if (strcmp(c->calls[i].to, c->calls[j].to) != 0) continue;
      manifest_problem(s, place, "component %s names %s twice in calls:", c->name, c->calls[i].to);
      break;
    }
  }
}

static void check_sends(const struct manifest *m, const struct manifest_component *c,
                        struct manifest_source *s) {
  for (unsigned i = 0; i < c->sends_count; i++)
    if (!manifest_find(m, c->sends[i]))
      manifest_problem(s,
                       manifest_place("components/%u/sends/%u", (unsigned)(c - m->components), i),
                       "component %s sends to %s, which is not declared", c->name, c->sends[i]);
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
    for (unsigned i = 0; i < c->calls_count; i++) {
      endpoint_t to = manifest_find(w->m, c->calls[i].to);
      if (to && walk_finds_cycle(w, (unsigned)to - 1)) return true;
    }
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

static void check_cycle(const struct manifest *m, struct manifest_source *s) {
  char cycle[1024];
  if (!manifest_cycle(m, cycle, sizeof(cycle))) return;
  char name[MANIFEST_NAME_MAX + 1];
  snprintf(name, sizeof(name), "%.*s", (int)strcspn(cycle, " "), cycle);
  manifest_problem(s, manifest_place("components/%d/calls", manifest_find(m, name) - 1),
                   "calls: must not form a cycle: %s", cycle);
}

/* ---- regions ---- */

static void check_region(const struct manifest *m, const struct manifest_region *r,
                         struct manifest_source *s) {
  unsigned n = (unsigned)(r - m->regions);
  for (const struct manifest_region *other = m->regions; other < r; other++)
    if (strcmp(other->name, r->name) == 0)
      manifest_problem(s, manifest_place("regions/%u/name", n), "region %s is declared twice",
                       r->name);
  if (strlen(r->name) == 0 || strlen(r->name) > 63)
    manifest_problem(s, manifest_place("regions/%u/name", n),
                     "region name '%s' must have 1 to 63 characters", r->name);
  if (r->bytes == 0 || r->bytes > REGION_BYTES_MAX || r->bytes % (uint64_t)sysconf(_SC_PAGESIZE))
    manifest_problem(s, manifest_place("regions/%u/bytes", n),
                     "region %s: bytes: %llu is not a positive multiple of the page size, %ld",
                     r->name, (unsigned long long)r->bytes, sysconf(_SC_PAGESIZE));
  for (unsigned i = 0; i < r->share_count; i++)
    if (!manifest_find(m, r->share[i]))
      manifest_problem(s, manifest_place("regions/%u/share/%u", n, i),
                       "region %s is shared with %s, which is not declared", r->name, r->share[i]);
}

/* ---- wires ---- */

enum {
  FOR_SLIRP = 1 << MANIFEST_WIRE_SLIRP,
  FOR_TAP = 1 << MANIFEST_WIRE_TAP,
  FOR_STREAM = 1 << MANIFEST_WIRE_STREAM,
  FOR_FILE = 1 << MANIFEST_WIRE_FILE,
  FOR_CONSOLE = 1 << MANIFEST_WIRE_CONSOLE
};

/* `given` must be true for wires of these kinds, if it is needed, and for no others. */
static void check_key(const struct manifest *m, const struct manifest_wire *w, const char *key,
                      bool given, bool needed, unsigned kinds, struct manifest_source *s) {
  const char *place = manifest_place("wires/%u/%s", (unsigned)(w - m->wires), key);
  bool goes = kinds >> w->kind & 1;
  if (!goes && given)
    manifest_problem(s, place, "wire %s: %s: does not go with its kind", w->name, key);
  if (goes && needed && !given) manifest_problem(s, place, "wire %s: needs %s:", w->name, key);
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

static void check_wire_names(const struct manifest *m, const struct manifest_wire *w,
                             struct manifest_source *s) {
  unsigned n = (unsigned)(w - m->wires);
  for (const struct manifest_wire *other = m->wires; other < w; other++)
    if (strcmp(other->name, w->name) == 0)
      manifest_problem(s, manifest_place("wires/%u/name", n), "wire %s is declared twice", w->name);
  if (!name_valid(w->name))
    manifest_problem(s, manifest_place("wires/%u/name", n),
                     "wire name '%s' must have 1 to %u letters, digits, '.', '_' or '-'", w->name,
                     MANIFEST_NAME_MAX);
  if (!manifest_find(m, w->to))
    manifest_problem(s, manifest_place("wires/%u/to", n),
                     "wire %s goes to %s, which is not declared", w->name, w->to);
  if (wires_before(m, w) == MANIFEST_WIRES_MAX)
    manifest_problem(s, manifest_place("wires/%u/to", n), "more than %u wires go to %s",
                     MANIFEST_WIRES_MAX, w->to);
}

/* Keys go over another wire of the same kind, which nobody else's do. */
static void check_keyboard(const struct manifest *m, const struct manifest_wire *w,
                           struct manifest_source *s) {
  const char *place = manifest_place("wires/%u/keyboard", (unsigned)(w - m->wires));
  bool found = false;
  for (unsigned i = 0; i < m->wires_count; i++) {
    const struct manifest_wire *other = &m->wires[i];
    if (other == w) continue;
    found |= other->kind == MANIFEST_WIRE_CONSOLE && !other->keyboard &&
             strcmp(other->name, w->keyboard) == 0;
    if (other < w && other->keyboard && strcmp(other->keyboard, w->keyboard) == 0)
      manifest_problem(s, place, "wire %s: keyboard: %s is that of wire %s", w->name, w->keyboard,
                       other->name);
  }
  if (!found)
    manifest_problem(s, place,
                     "wire %s: keyboard: there is no other wire %s of kind console, or it "
                     "has a keyboard itself",
                     w->name, w->keyboard);
}

static void check_wire(const struct manifest *m, const struct manifest_wire *w,
                       struct manifest_source *s) {
  unsigned n = (unsigned)(w - m->wires);
  check_wire_names(m, w, s);
  check_key(m, w, "forward", w->forward, false, FOR_SLIRP, s);
  check_key(m, w, "device", w->device, true, FOR_TAP, s);
  check_key(m, w, "path", w->path, true, FOR_STREAM | FOR_FILE, s);
  check_key(m, w, "open", w->open, false, FOR_SLIRP, s);
  check_key(m, w, "listen", w->listen, false, FOR_STREAM, s);
  check_key(m, w, "keyboard", w->keyboard, false, FOR_CONSOLE, s);
  if (w->kind == MANIFEST_WIRE_CONSOLE && w->keyboard) check_keyboard(m, w, s);
  if (w->forward && !forward_valid(w->forward))
    manifest_problem(s, manifest_place("wires/%u/forward", n),
                     "wire %s: forward: '%s' is not of the form 'HOST:PORT -> GUEST:PORT'", w->name,
                     w->forward);
  if (w->device && strlen(w->device) > IFNAME_MAX)
    manifest_problem(s, manifest_place("wires/%u/device", n),
                     "wire %s: device: is longer than %u characters", w->name, IFNAME_MAX);
  if (w->kind == MANIFEST_WIRE_STREAM && w->path &&
      strlen(w->path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
    manifest_problem(s, manifest_place("wires/%u/path", n),
                     "wire %s: path: is too long for a socket", w->name);
}

static void check_updates(struct manifest_updates *u, struct manifest_source *s) {
  char error[512];
  _Static_assert(sizeof(u->key) == SIGNATURE_KEY_BYTES, "the key of a manifest");
  if (!u->require_signature) return;
  if (signature_read_key(u->require_signature, SIGNATURE_PUBLIC_KIND, u->key, error, sizeof(error)))
    manifest_problem(s, "updates/require-signature", "updates: require-signature: %s", error);
}

static void check_needs(const struct manifest *m, struct manifest_source *s) {
  char error[512];
  for (unsigned i = 0; i < m->components_count; i++)
    if (m->components[i].executable && !grants_suffice(m, &m->components[i], error, sizeof(error)))
      manifest_problem(s, manifest_place("components/%u", i), "%s", error);
}

/* busd's working directory is no place that anybody thinks of. */
static void make_absolute(struct manifest *m, const char *path) {
  char *base = directory_of(path);
  for (unsigned i = 0; i < m->wires_count && base; i++)
    if (m->wires[i].path && m->wires[i].path[0] != '/')
      replace(&m->wires[i].path, join(base, m->wires[i].path));
  char **key = &m->updates.require_signature;
  if (*key && **key != '/') replace(key, join(base, *key));
  free(base);
}

/* ---- time-outs ---- */

static const struct time_out {
  const char *key;
  size_t offset;
  uint32_t by_default;
} time_outs[] = {
    {"start", offsetof(struct manifest_timeouts, start), 5000},
    {"stop", offsetof(struct manifest_timeouts, stop), 2000},
    {"load", offsetof(struct manifest_timeouts, load), 5000},
    {"converge", offsetof(struct manifest_timeouts, converge), 3000},
    {"transfer", offsetof(struct manifest_timeouts, transfer), 2000},
    {"maxtime", offsetof(struct manifest_timeouts, maxtime), 0},
};

void manifest_fill_timeouts(struct manifest_timeouts *timeouts) {
  for (unsigned i = 0; i < sizeof(time_outs) / sizeof(time_outs[0]); i++) {
    uint32_t *value = (uint32_t *)(void *)((char *)timeouts + time_outs[i].offset);
    if (!*value) *value = time_outs[i].by_default;
  }
}

static void check_timeouts(struct manifest_timeouts *timeouts, struct manifest_source *s) {
  for (unsigned i = 0; i < sizeof(time_outs) / sizeof(time_outs[0]); i++) {
    const struct time_out *t = &time_outs[i];
    const char *place = manifest_place("timeouts_ms/%s", t->key);
    if (manifest_says_zero(s, place))
      manifest_problem(s, place, "timeouts_ms: %s: must not be 0", t->key);
  }
  manifest_fill_timeouts(timeouts);
}

/* ---- all ---- */

void manifest_check(struct manifest *m, struct manifest_source *s) {
  check_timeouts(&m->timeouts, s);
  if (m->components_count == 0) manifest_problem(s, "components", "no components");
  if (m->components_count > MANIFEST_COMPONENTS_MAX) {
    manifest_problem(s, "components", "more than %u components", MANIFEST_COMPONENTS_MAX);
    return;
  }
  if (!m->cpu) m->cpu = strdup("auto");
  if (strcmp(m->cpu, "auto") != 0 && !number_valid(m->cpu, 63))
    manifest_problem(s, "cpu", "cpu: must be 'auto' or a number from 0 to 63, not '%s'", m->cpu);
  bool has_root = check_root(m, s);
  make_absolute(m, s->path);
  for (unsigned i = 0; i < m->components_count; i++)
    check_component(m, &m->components[i], has_root, s);
  for (unsigned i = 0; i < m->components_count; i++) {
    check_calls(m, &m->components[i], s);
    check_sends(m, &m->components[i], s);
  }
  check_rights(m, s);
  manifest_check_programs(m, s);
  check_cycle(m, s);
  for (unsigned i = 0; i < m->regions_count; i++)
    check_region(m, &m->regions[i], s);
  for (unsigned i = 0; i < m->wires_count; i++)
    check_wire(m, &m->wires[i], s);
  check_updates(&m->updates, s);
  check_needs(m, s);
  manifest_add_programs(m, s);
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
