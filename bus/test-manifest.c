/* system.yaml: what is refused, and with which words. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/manifest.h"
#include "bus/manifest_diff.h"
#include "bus/test-folder.h"
#include "bus/test-run.h"

static char path[64], error[1024];

static void setup(void) {
  char command[256];
  test_folder_make();
  snprintf(path, sizeof(path), "%s/system.yaml", test_folder);
  snprintf(command, sizeof(command), "mkdir -p %s/bin && cp /bin/true %s/bin/a", test_folder,
           test_folder);
  ck_assert_int_eq(system(command), 0);
}

static void teardown(void) {
  test_folder_remove();
}

static struct manifest *load(const char *text) {
  FILE *f = fopen(path, "w");
  ck_assert_ptr_nonnull(f);
  fputs(text, f);
  fclose(f);
  error[0] = 0;
  return manifest_load(path, error, sizeof(error));
}

static const struct wrong {
  const char *text, *says;
} wrongs[] = {
    {"components:\n  - {name: a, file: a}\n\nkolor: 1\n", "line 4: unknown key 'kolor'"},
    {"components:\n  - name: a\n    file: a\n    cals: []\n", "line 4: unknown key 'cals'"},
    {"components:\n  - {name: a, file: a, calls_max: many}\n", "line 2: "},
    {"components:\n  - {name: a}\n", "line 2: Missing required mapping field: file"},
    {"components:\n  - {name: a, file: a, restart: sometimes}\n", "line 2: "},
    {"components: []\n", "no components"},
    {"components: [{name: a, file: a}, {name: a, file: a}]\n", "a is declared twice"},
    {"components: [{name: a/b, file: a}]\n", "component name 'a/b'"},
    {"components: [{name: a, file: nothing}]\n", "bin/nothing is missing or not executable"},
    {"components: [{name: a, file: a, calls: [{to: b}]}]\n", "calls b, which is not declared"},
    {"components: [{name: a, file: a, sends: [b]}]\n", "sends to b, which is not declared"},
    {"components: [{name: a, file: a, cpu: fast}]\n", "cpu: must be 'other' or a number"},
    {"components: [{name: a, file: a, kernel: [fly]}]\n", "line 1: "},
    {"components: [{name: a, file: a, heartbeat_ms: 1}]\n",
     "heartbeat_ms: must be from 50 to 3600000, or 0 for none, not 1"},
    {"components: [{name: a, file: a, heartbeat_ms: 3600001}]\n", "not 3600001"},
    {"components: [{name: a, file: a, recover: all}]\n", "line 1: "},
    {"components: [{name: a, file: a, restart: never, recover: state}]\n",
     "a: recover: state needs restart: always"},
    {"components: [{name: a, file: a, kernel: [update], recover: state}]\n",
     "a: recover: state is not for the update manager"},
    {"components: [{name: a, file: a, calls: [{to: a}]}]\n", "cycle: a -> a"},
    {"components:\n"
     "  - {name: x, file: a, calls: [{to: a}]}\n"
     "  - {name: a, file: a, calls: [{to: b}]}\n"
     "  - {name: b, file: a, calls: [{to: c}]}\n"
     "  - {name: c, file: a, calls: [{to: a}]}\n",
     "cycle: a -> b -> c -> a"},
    {"components: [{name: a, file: a}]\nregions: [{name: r, bytes: 100, share: [a]}]\n",
     "region r: bytes: 100 is not a positive multiple"},
    {"components: [{name: a, file: a}]\nregions: [{name: r, bytes: 4096, share: [z]}]\n",
     "region r is shared with z"},
    {"components: [{name: a, file: a}]\nwires: [{name: w, kind: tap, to: a}]\n", "needs device:"},
    {"components: [{name: a, file: a}]\nwires: [{name: w, kind: tap, to: a, device: t, path: p}]\n",
     "path: does not go with its kind"},
    {"components: [{name: a, file: a}]\nwires: [{name: w, kind: file, to: a}]\n", "needs path:"},
    {"components: [{name: a, file: a}]\nwires: [{name: w, kind: file, to: a, path: p, listen: "
     "true}]\n",
     "listen: does not go with its kind"},
    {"components: [{name: a, file: a}]\nwires: [{name: w, kind: file, to: a, path: p, keyboard: "
     "k}]\n",
     "keyboard: does not go with its kind"},
    {"components: [{name: a, file: a}]\nwires: [{name: w, kind: console, to: a, keyboard: w}]\n",
     "keyboard: there is no other wire w of kind console"},
    {"components: [{name: a, file: a}]\nwires:\n"
     "  - {name: w, kind: console, to: a, keyboard: k}\n"
     "  - {name: k, kind: console, to: a, keyboard: w}\n",
     "has a keyboard itself"},
    {"components: [{name: a, file: a}]\nwires:\n"
     "  - {name: w, kind: console, to: a, keyboard: k}\n"
     "  - {name: v, kind: console, to: a, keyboard: k}\n"
     "  - {name: k, kind: console, to: a}\n",
     "wire v: keyboard: k is that of wire w"},
    {"components: [{name: a, file: a}]\nwires: [{name: w, kind: slirp, to: z}]\n",
     "wire w goes to z"},
    {"components: [{name: a, file: a}]\nwires: [{name: w, kind: slirp, to: a, forward: 80}]\n",
     "forward: '80' is not of the form"},
    {"updates: {require-signature: a.pub}\ncomponents: [{name: a, file: a}]\n",
     "a.pub: No such file or directory"},
    {"updates: {require-signature: system.yaml}\ncomponents: [{name: a, file: a}]\n",
     "it is no key"},
    {"updates: {require: a.pub}\ncomponents: [{name: a, file: a}]\n", "line 1: unknown key"},
    {"root: nowhere\ncomponents: [{name: a, file: a}]\n", "nowhere is no directory"},
    {"cpu: fast\ncomponents: [{name: a, file: a}]\n", "cpu: must be 'auto'"},
    {"components: [\n", "line "},
    {"", "it is empty"},
    {"# nothing but this\n", "it is empty"},
    {"components: [{name: instance, file: a}]\n", "'instance' is taken"},
    {"components: [{name: busd, file: a}]\n", "'busd' is taken"},
    {"components: [{name: wire-nic0, file: a}]\n", "'wire-nic0' is taken"},
    {"components: [{name: a, file: a, kernel: [update]}, {name: b, file: a, kernel: [update]}]\n",
     "both a and b have kernel: [update]"},
    {"components: [{name: a, file: a, kernel: [processes]}]\n",
     "a: kernel: [processes] is for programs: by: only"},
    {"programs: {by: z, at-most: 2}\ncomponents: [{name: a, file: a}]\n",
     "line 1: programs: by: z is not declared"},
    {"programs: {by: a, at-most: 2}\ncomponents: [{name: a, file: a}]\n",
     "programs: by: a has no kernel: [processes]"},
    {"programs: {by: a, at-most: 0}\ncomponents: [{name: a, file: a, kernel: [processes]}]\n",
     "at-most: must be from 1 to 62, not 0"},
    {"programs: {by: a, at-most: 63}\ncomponents: [{name: a, file: a, kernel: [processes]}]\n",
     "at-most: must be from 1 to 62, not 63: there are 1 components"},
    {"programs: {by: a}\ncomponents: [{name: a, file: a, kernel: [processes]}]\n", "at-most"},
    {"programs: {at-most: 2}\ncomponents: [{name: a, file: a}]\n", "by"},
    {"programs:\n  by: a\n  at-most: 2\n  calls: [{to: z}]\n"
     "components: [{name: a, file: a, kernel: [processes]}]\n",
     "line 4: programs: call z, which is not declared"},
    {"programs: {by: a, at-most: 2, calls: [{to: a}, {to: a}]}\n"
     "components: [{name: a, file: a, kernel: [processes]}]\n",
     "programs: name a twice in calls:"},
    {"programs: {by: a, at-most: 2}\n"
     "components: [{name: a, file: a, kernel: [processes], calls: [{to: program-1}]}]\n",
     "a calls program-1, which is not declared"},
    {"programs: {by: a, at-most: 2}\n"
     "components: [{name: a, file: a, kernel: [processes]}, {name: program-2, file: a}]\n",
     "'program-2' is taken"},
    {"components: [{name: a, file: a, kernel: [memory, schedule]}, "
     "{name: b, file: a, kernel: [schedule]}]\n",
     "both a and b have kernel: [schedule]"},
    {"components: [{name: a, file: a}]\n"
     "wires: [{name: w, kind: slirp, to: a, forward: 127.0.0.256:0 -> 10.0.2.15:80}]\n",
     "is not of the form"},
    {"components: [{name: a, file: a}]\nwires:\n"
     "  - {name: w0, kind: slirp, to: a}\n"
     "  - {name: w1, kind: slirp, to: a}\n"
     "  - {name: w2, kind: slirp, to: a}\n"
     "  - {name: w3, kind: slirp, to: a}\n"
     "  - {name: w4, kind: slirp, to: a}\n"
     "  - {name: w5, kind: slirp, to: a}\n"
     "  - {name: w6, kind: slirp, to: a}\n"
     "  - {name: w7, kind: slirp, to: a}\n"
     "  - {name: w8, kind: slirp, to: a}\n",
     "more than 8 wires go to a"},
    {"timeouts_ms: {load: 7, start: 0}\ncomponents: [{name: a, file: a}]\n",
     "line 1: timeouts_ms: start: must not be 0"},
    {"components: [{name: a, file: a, syscalls: [fly]}]\n", "there is no system call 'fly'"},
    {"components: [{name: a, file: a, syscalls: [ptrace]}]\n", "ever allowed 'ptrace'"},
};
#define NWRONGS (int)(sizeof(wrongs) / sizeof(wrongs[0]))

START_TEST(refused) {
  struct manifest *m = load(wrongs[_i].text);
  ck_assert_msg(!m, "accepted: %s", wrongs[_i].text);
  ck_assert_msg(strncmp(error, path, strlen(path)) == 0, "no file name: %s", error);
  ck_assert_msg(strstr(error, wrongs[_i].says), "'%s' does not say '%s'", error, wrongs[_i].says);
  ck_assert_msg(!strchr(error, '\n'), "more than a line: %s", error);
}
END_TEST

START_TEST(missing_file) {
  ck_assert_ptr_null(manifest_load("/nonexistent/system.yaml", error, sizeof(error)));
  ck_assert_str_eq(error, "/nonexistent/system.yaml: cannot be opened: No such file or directory");
  ck_assert_ptr_null(manifest_load("/usr", error, sizeof(error)));
  ck_assert_str_eq(error, "/usr: it is a folder; the manifest is a file");
}
END_TEST

static void write_key(char key[80]) {
  snprintf(key, 80, "%s/a.pub", test_folder);
  FILE *f = fopen(key, "w");
  fputs("proteos-public-key a870cc68d9b91429f988903c4e11c340ab93b5d03dc4ecfd59c551c5eb5b598f\n", f);
  fclose(f);
}

START_TEST(required_signature) {
  char key[80];
  write_key(key);
  struct manifest *m = load("updates: {require-signature: a.pub}\n"
                            "components: [{name: a, file: a}]\n");
  ck_assert_msg(m, "%s", error);
  ck_assert_str_eq(m->updates.require_signature, key);
  ck_assert_uint_eq(m->updates.key[0], 0xa8);
  ck_assert_uint_eq(m->updates.key[31], 0x8f);
  manifest_free(m);
  m = load("updates: {}\ncomponents: [{name: a, file: a}]\n");
  ck_assert_msg(m, "%s", error);
  ck_assert_ptr_null(m->updates.require_signature);
  manifest_free(m);
}
END_TEST

static void append(void *arg, const char *line) {
  size_t used = strlen(arg);
  snprintf((char *)arg + used, sizeof(error) - used, "%s\n", line + strlen(path) + 2);
}

START_TEST(every_problem) {
  load("kolor: 1\n"
       "timeouts_ms:\n"
       "  converge: 0\n"
       "components:\n"
       "  - name: a\n"
       "    file: nothing\n"
       "    paint: red\n"
       "    calls:\n"
       "      - {to: b}\n"
       "      - {to: z}\n"
       "  - name: b\n"
       "    file: a\n"
       "    sends: [a,\n"
       "            y]\n"
       "    calls: [{to: a}]\n"
       "  - {name: b, file: a}\n");
  char expected[1024];
  snprintf(expected, sizeof(expected),
           "line 1: unknown key 'kolor'\n"
           "line 7: unknown key 'paint'\n"
           "line 3: timeouts_ms: converge: must not be 0\n"
           "line 6: component a: its executable %s/bin/nothing is missing or not executable\n"
           "line 16: component b is declared twice\n"
           "line 10: component a calls z, which is not declared\n"
           "line 14: component b sends to y, which is not declared\n"
           "line 8: calls: must not form a cycle: a -> b -> a\n",
           test_folder);
  error[0] = 0;
  ck_assert_ptr_null(manifest_load_and_report(path, append, error));
  ck_assert_str_eq(error, expected);
}
END_TEST

START_TEST(accepted) {
  struct manifest *m = load("sandbox: true\n"
                            "timeouts_ms: {load: 7}\n"
                            "regions: [{name: r, bytes: 8192, share: [a, b]}]\n"
                            "wires: [{name: w, kind: stream, to: a, path: x.sock, listen: true}]\n"
                            "components:\n"
                            "  - {name: a, file: a, args: [one, 2], kernel: [update]}\n"
                            "  - {name: b, file: a, calls: [{to: a, deadline_ms: 5}], sends: [a],\n"
                            "     calls_max: 3, cpu: other, restart: never, syscalls: [flock],\n"
                            "     trace-syscalls: true}\n");
  ck_assert_msg(m, "%s", error);
  ck_assert_int_eq(m->sandbox, MANIFEST_SANDBOX_ON);
  ck_assert_uint_eq(m->timeouts.load, 7);
  ck_assert_uint_eq(m->timeouts.start, 5000);
  ck_assert_uint_eq(m->timeouts.stop, 2000);
  m->timeouts.stop = 0; /* of a busd before this one, that had none */
  manifest_fill_timeouts(&m->timeouts);
  ck_assert_uint_eq(m->timeouts.stop, 2000);
  ck_assert_uint_eq(m->timeouts.load, 7);
  ck_assert_int_eq(manifest_find(m, "b"), 2);
  ck_assert_int_eq(manifest_find(m, "c"), 0);
  ck_assert_str_eq(m->components[0].args[1], "2");
  ck_assert_uint_eq(m->components[0].kernel, MANIFEST_KERNEL_UPDATE);
  ck_assert_uint_eq(m->components[0].calls_max, 16);
  ck_assert_uint_eq(m->components[1].calls[0].deadline_ms, 5);
  ck_assert_int_eq(m->components[1].restart, MANIFEST_RESTART_NEVER);
  ck_assert(m->components[1].trace_syscalls);
  ck_assert(m->wires[0].listen);
  char expected[128];
  snprintf(expected, sizeof(expected), "%s/bin/a", test_folder);
  ck_assert_str_eq(m->components[0].executable, expected);
  snprintf(expected, sizeof(expected), "%s/x.sock", test_folder);
  ck_assert_str_eq(m->wires[0].path, expected);
  manifest_free(m);
}
END_TEST

/* Nothing of the copy is the original's. */
START_TEST(copied) {
  struct manifest *m =
      load("cpu: 0\n"
           "regions: [{name: r, bytes: 8192, share: [a, b]}]\n"
           "wires: [{name: w, kind: stream, to: a, path: x.sock, listen: true},\n"
           "  {name: c, kind: console, to: a, keyboard: k}, {name: k, kind: console, to: b}]\n"
           "components:\n"
           "  - {name: a, file: a, args: [one, 2], cpu: other, syscalls: [flock]}\n"
           "  - {name: b, file: a, calls: [{to: a, deadline_ms: 5}], sends: [a]}\n");
  ck_assert_msg(m, "%s", error);
  char *executable = strdup(m->components[0].executable);
  struct manifest *copy = manifest_copy(m);
  manifest_free(m);
  ck_assert_str_eq(copy->cpu, "0");
  ck_assert_str_eq(copy->root, test_folder);
  ck_assert_str_eq(copy->regions[0].name, "r");
  ck_assert_str_eq(copy->regions[0].share[1], "b");
  ck_assert_str_eq(copy->wires[0].name, "w");
  ck_assert_str_eq(copy->wires[1].keyboard, "k");
  ck_assert_ptr_null(copy->wires[2].keyboard);
  ck_assert_str_eq(copy->wires[0].to, "a");
  ck_assert_ptr_null(copy->wires[0].forward);
  ck_assert_ptr_nonnull(strstr(copy->wires[0].path, "/x.sock"));
  ck_assert_str_eq(copy->components[0].args[1], "2");
  ck_assert_str_eq(copy->components[0].cpu, "other");
  ck_assert_str_eq(copy->components[0].syscalls[0], "flock");
  ck_assert_str_eq(copy->components[0].executable, executable);
  ck_assert_str_eq(copy->components[1].name, "b");
  ck_assert_str_eq(copy->components[1].file, "a");
  ck_assert_str_eq(copy->components[1].calls[0].to, "a");
  ck_assert_uint_eq(copy->components[1].calls[0].deadline_ms, 5);
  ck_assert_str_eq(copy->components[1].sends[0], "a");
  free(executable);
}
END_TEST

/* ---- comparison ---- */

static const char *const effects[] = {[EFFECT_NOW] = "now",
                                      [EFFECT_NEXT_VERSION] = "next version",
                                      [EFFECT_NEXT_START] = "next start",
                                      [EFFECT_IF_UNUSED] = "if unused",
                                      [EFFECT_IF_LEFT] = "if left",
                                      [EFFECT_NEVER] = "never"};

static void note(void *arg, const struct manifest_change *c) {
  static const char *const kinds[] = {"+", "-", "~"};
  size_t used = strlen(arg);
  snprintf((char *)arg + used, sizeof(error) - used, "%s%s %s %s: %s\n", kinds[c->kind], c->what,
           c->name, c->key, effects[c->effect]);
}

static struct manifest *load_good(const char *text) {
  struct manifest *m = load(text);
  ck_assert_msg(m, "%s", error);
  return m;
}

START_TEST(every_difference) {
  char key[80];
  write_key(key);
  struct manifest *running = load_good(
      "regions: [{name: r, bytes: 4096, share: [a, b]}, {name: s, bytes: 4096, share: [a]}]\n"
      "wires: [{name: w, kind: slirp, to: a}, {name: y, kind: console, to: a},\n"
      "  {name: z, kind: console, to: a}]\n"
      "components: [{name: a, file: a}, {name: b, file: a, calls: [{to: a}]}, {name: c, file: "
      "a}]\n");
  struct manifest *wanted = load_good(
      "cpu: 0\nsandbox: none\nupdates: {require-signature: a.pub}\n"
      "timeouts_ms: {start: 1, stop: 6, load: 2, converge: 3, transfer: 4, maxtime: 5}\n"
      "regions: [{name: r, bytes: 8192, share: [b, d]}, {name: t, bytes: 4096, share: [a]}]\n"
      "wires: [{name: w, kind: tap, device: t, to: b}, {name: x, kind: slirp, to: a},\n"
      "  {name: y, kind: console, to: a, keyboard: z}, {name: z, kind: console, to: a}]\n"
      "components: [{name: d, file: a},\n"
      "  {name: b, file: a, calls: [{to: a, deadline_ms: 1}], sends: [a],\n"
      "   recover: state},\n"
      "  {name: a, file: /bin/true, args: [x], cpu: other, restart: never, calls_max: 3,\n"
      "   heartbeat_ms: 500, kernel: [update], syscalls: [flock], trace-syscalls: true}]\n");
  ck_assert(manifest_renumber(wanted, running));
  error[0] = 0;
  manifest_compare(running, wanted, note, error);
  ck_assert_str_eq(error, "~  cpu: never\n"
                          "~  sandbox: never\n"
                          "~  updates: require-signature: never\n"
                          "~  timeouts_ms: start: now\n"
                          "~  timeouts_ms: stop: now\n"
                          "~  timeouts_ms: load: now\n"
                          "~  timeouts_ms: converge: now\n"
                          "~  timeouts_ms: transfer: now\n"
                          "~  timeouts_ms: maxtime: now\n"
                          "~component a file: next start\n"
                          "~component a args: next version\n"
                          "~component a kernel: never\n"
                          "~component a cpu: next version\n"
                          "~component a restart: now\n"
                          "~component a heartbeat_ms: now\n"
                          "~component a calls_max: next start\n"
                          "~component a syscalls: next version\n"
                          "~component a trace-syscalls: next version\n"
                          "~component b calls: now\n"
                          "~component b sends: now\n"
                          "~component b recover: next version\n"
                          "-component c : now\n"
                          "+component d : now\n"
                          "~region r bytes: if unused\n"
                          "~region r share: if left\n"
                          "-region s : if unused\n"
                          "+region t : now\n"
                          "~wire w kind: never\n"
                          "~wire w to: never\n"
                          "~wire w device: never\n"
                          "~wire y keyboard: never\n"
                          "+wire x : never\n");
  manifest_free(running);
  manifest_free(wanted);
}
END_TEST

START_TEST(numbers_stay) {
  struct manifest *first = load_good("components: [{name: a, file: a}, {name: b, file: a}]\n");
  struct manifest *second = load_good("components: [{name: c, file: a}, {name: b, file: a}]\n");
  ck_assert(manifest_renumber(second, first));
  ck_assert_int_eq(manifest_find(second, "a"), 0);
  ck_assert_int_eq(manifest_find(second, "b"), 2);
  ck_assert_int_eq(manifest_find(second, "c"), 3);
  ck_assert(second->components[0].removed);
  struct manifest *third = load_good("components: [{name: c, file: a}, {name: a, file: a}]\n");
  ck_assert(manifest_renumber(third, second));
  ck_assert_int_eq(manifest_find(third, "a"), 1);
  ck_assert_int_eq(manifest_find(third, "b"), 0);
  ck_assert_int_eq(manifest_find(third, "c"), 3);
  error[0] = 0;
  manifest_compare(second, third, note, error);
  ck_assert_str_eq(error, "-component b : now\n+component a : now\n");
  manifest_free(first);
  manifest_free(second);
  manifest_free(third);
}
END_TEST

/* ---- programs ---- */

static const char with_programs[] =
    "programs: {by: a, at-most: 3, calls: [{to: b, deadline_ms: 5}, {to: a}]}\n"
    "components: [{name: a, file: a, kernel: [processes]}, {name: b, file: a}]\n";

START_TEST(places_for_programs) {
  struct manifest *loaded = load_good(with_programs), *m = manifest_copy(loaded);
  manifest_free(loaded);
  ck_assert_uint_eq(m->components_count, 5);
  for (unsigned i = 2; i < 5; i++) {
    const struct manifest_component *c = &m->components[i];
    char name[32];
    snprintf(name, sizeof(name), "program-%u", i - 1);
    ck_assert_str_eq(c->name, name);
    ck_assert(c->program);
    ck_assert_int_eq(c->restart, MANIFEST_RESTART_NEVER);
    ck_assert_uint_eq(c->calls_count, 2);
    ck_assert_str_eq(c->calls[0].to, "b");
    ck_assert_uint_eq(c->calls[0].deadline_ms, 5);
  }
  ck_assert_str_eq(m->programs.by, "a");
  ck_assert(!m->components[1].program);
  manifest_copy_free(m);
}
END_TEST

/* Places keep their numbers, and are nobody's to change. */
START_TEST(programs_stay) {
  struct manifest *running = load_good(with_programs);
  struct manifest *more = load_good(
      "programs: {by: a, at-most: 3, calls: [{to: b, deadline_ms: 5}, {to: a}]}\n"
      "components: [{name: c, file: a}, {name: a, file: a, kernel: [processes]}, {name: b, file: "
      "a}]\n");
  ck_assert(manifest_renumber(more, running));
  ck_assert_int_eq(manifest_find(more, "program-1"), 3);
  ck_assert_int_eq(manifest_find(more, "c"), 6);
  error[0] = 0;
  manifest_compare(running, more, note, error);
  ck_assert_str_eq(error, "+component c : now\n");
  struct manifest *other =
      load_good("programs: {by: b, at-most: 2, calls: [{to: a}]}\n"
                "components: [{name: a, file: a}, {name: b, file: a, kernel: [processes]}]\n");
  ck_assert(manifest_renumber(other, running));
  error[0] = 0;
  manifest_compare(running, other, note, error);
  ck_assert_str_eq(error, "~  programs: by: never\n"
                          "~  programs: at-most: never\n"
                          "~  programs: calls: never\n"
                          "~component a kernel: never\n"
                          "~component b kernel: never\n");
  manifest_free(running);
  manifest_free(more);
  manifest_free(other);
}
END_TEST

START_TEST(cpus) {
  struct manifest_component here = {0}, other = {.cpu = "other"}, first = {.cpu = "0"};
  struct manifest m = {.cpu = "auto"};
  ck_assert_uint_eq(manifest_component_cpus(&m, &here, 0xf), 8);
  ck_assert_uint_eq(manifest_component_cpus(&m, &other, 0xf), 7);
  ck_assert_uint_eq(manifest_component_cpus(&m, &first, 0xf), 1);
  ck_assert_uint_eq(manifest_component_cpus(&m, &first, 0xe), 0xe);
  ck_assert_uint_eq(manifest_component_cpus(&m, &here, 1), 1);
  ck_assert_uint_eq(manifest_component_cpus(&m, &other, 1), 1);
  m.cpu = "2";
  ck_assert_uint_eq(manifest_component_cpus(&m, &here, 0xf), 4);
  ck_assert_uint_eq(manifest_component_cpus(&m, &other, 0xf), 0xb);
}
END_TEST

int main(void) {
  Suite *s = suite_create("manifest");
  TCase *t = tcase_create("manifest");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_loop_test(t, refused, 0, NWRONGS);
  tcase_add_test(t, missing_file);
  tcase_add_test(t, required_signature);
  tcase_add_test(t, every_problem);
  tcase_add_test(t, accepted);
  tcase_add_test(t, every_difference);
  tcase_add_test(t, numbers_stay);
  tcase_add_test(t, copied);
  tcase_add_test(t, places_for_programs);
  tcase_add_test(t, programs_stay);
  tcase_add_test(t, cpus);
  suite_add_tcase(s, t);
  return test_run(s);
}
