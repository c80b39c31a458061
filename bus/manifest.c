/* The schema of system.yaml, and errors of the YAML with their lines. */
#include "bus/manifest.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bus/manifest_check.h"
#include "bus/manifest_source.h"

#define OPTIONAL      CYAML_FLAG_OPTIONAL
#define POINTER       CYAML_FLAG_POINTER
#define OPTIONAL_LIST (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

/* YAML tools write `on` as `true` and the like. */
static const cyaml_strval_t sandboxes[] = {{"on", MANIFEST_SANDBOX_ON},
                                           {"true", MANIFEST_SANDBOX_ON},
                                           {"required", MANIFEST_SANDBOX_REQUIRED},
                                           {"none", MANIFEST_SANDBOX_NONE}};
static const cyaml_strval_t restarts[] = {{"always", MANIFEST_RESTART_ALWAYS},
                                          {"never", MANIFEST_RESTART_NEVER}};
static const cyaml_strval_t recovers[] = {{"none", MANIFEST_RECOVER_NONE},
                                          {"state", MANIFEST_RECOVER_STATE}};
static const cyaml_strval_t wire_kinds[] = {{"slirp", MANIFEST_WIRE_SLIRP},
                                            {"tap", MANIFEST_WIRE_TAP},
                                            {"stream", MANIFEST_WIRE_STREAM},
                                            {"file", MANIFEST_WIRE_FILE},
                                            {"console", MANIFEST_WIRE_CONSOLE}};
static const cyaml_strval_t kernel_rights[] = {{"update", MANIFEST_KERNEL_UPDATE},
                                               {"processes", MANIFEST_KERNEL_PROCESSES},
                                               {"memory", MANIFEST_KERNEL_MEMORY},
                                               {"schedule", MANIFEST_KERNEL_SCHEDULE}};

#define TEXT(key, flags, type, member)                                                             \
  CYAML_FIELD_STRING_PTR(key, POINTER | (flags), struct type, member, 0, 4096)
#define NUMBER(key, type, member) CYAML_FIELD_UINT(key, OPTIONAL, struct type, member)
#define CHOICE(key, flags, type, member, table)                                                    \
  CYAML_FIELD_ENUM(key, flags, struct type, member, table, CYAML_ARRAY_LEN(table))
#define LIST(key, flags, type, member, entry)                                                      \
  CYAML_FIELD_SEQUENCE(key, flags, struct type, member, entry, 0, 256)

static const cyaml_schema_value_t text = {CYAML_VALUE_STRING(POINTER, char, 0, 4096)};

static const cyaml_schema_field_t timeout_fields[] = {
    NUMBER("start", manifest_timeouts, start),
    NUMBER("stop", manifest_timeouts, stop),
    NUMBER("load", manifest_timeouts, load),
    NUMBER("converge", manifest_timeouts, converge),
    NUMBER("transfer", manifest_timeouts, transfer),
    NUMBER("maxtime", manifest_timeouts, maxtime),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t updates_fields[] = {
    TEXT("require-signature", OPTIONAL, manifest_updates, require_signature),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t region_fields[] = {
    TEXT("name", 0, manifest_region, name),
    CYAML_FIELD_UINT("bytes", CYAML_FLAG_DEFAULT, struct manifest_region, bytes),
    LIST("share", POINTER, manifest_region, share, &text),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t region = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct manifest_region, region_fields)};

static const cyaml_schema_field_t wire_fields[] = {
    TEXT("name", 0, manifest_wire, name),
    CHOICE("kind", CYAML_FLAG_STRICT, manifest_wire, kind, wire_kinds),
    TEXT("to", 0, manifest_wire, to),
    TEXT("forward", OPTIONAL, manifest_wire, forward),
    TEXT("device", OPTIONAL, manifest_wire, device),
    TEXT("path", OPTIONAL, manifest_wire, path),
    TEXT("keyboard", OPTIONAL, manifest_wire, keyboard),
    CYAML_FIELD_BOOL("listen", OPTIONAL, struct manifest_wire, listen),
    CYAML_FIELD_BOOL("open", OPTIONAL, struct manifest_wire, open),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t wire = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct manifest_wire, wire_fields)};

static const cyaml_schema_field_t call_fields[] = {
    TEXT("to", 0, manifest_call, to),
    NUMBER("deadline_ms", manifest_call, deadline_ms),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t call = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct manifest_call, call_fields)};

static const cyaml_schema_field_t component_fields[] = {
    TEXT("name", 0, manifest_component, name),
    TEXT("file", 0, manifest_component, file),
    LIST("args", OPTIONAL_LIST, manifest_component, args, &text),
    LIST("calls", OPTIONAL_LIST, manifest_component, calls, &call),
    LIST("sends", OPTIONAL_LIST, manifest_component, sends, &text),
    CYAML_FIELD_FLAGS("kernel", OPTIONAL | CYAML_FLAG_STRICT, struct manifest_component, kernel,
                      kernel_rights, CYAML_ARRAY_LEN(kernel_rights)),
    TEXT("cpu", OPTIONAL, manifest_component, cpu),
    CHOICE("restart", OPTIONAL | CYAML_FLAG_STRICT, manifest_component, restart, restarts),
    CHOICE("recover", OPTIONAL | CYAML_FLAG_STRICT, manifest_component, recover, recovers),
    NUMBER("heartbeat_ms", manifest_component, heartbeat_ms),
    NUMBER("calls_max", manifest_component, calls_max),
    LIST("syscalls", OPTIONAL_LIST, manifest_component, syscalls, &text),
    CYAML_FIELD_BOOL("trace-syscalls", OPTIONAL, struct manifest_component, trace_syscalls),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t component = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct manifest_component, component_fields)};

static const cyaml_schema_field_t programs_fields[] = {
    TEXT("by", 0, manifest_programs, by),
    CYAML_FIELD_UINT("at-most", CYAML_FLAG_DEFAULT, struct manifest_programs, at_most),
    LIST("calls", OPTIONAL_LIST, manifest_programs, calls, &call),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t manifest_fields[] = {
    TEXT("cpu", OPTIONAL, manifest, cpu),
    TEXT("root", OPTIONAL, manifest, root),
    CHOICE("sandbox", OPTIONAL | CYAML_FLAG_STRICT, manifest, sandbox, sandboxes),
    CYAML_FIELD_MAPPING("timeouts_ms", OPTIONAL, struct manifest, timeouts, timeout_fields),
    CYAML_FIELD_MAPPING("updates", OPTIONAL, struct manifest, updates, updates_fields),
    LIST("regions", OPTIONAL_LIST, manifest, regions, &region),
    LIST("wires", OPTIONAL_LIST, manifest, wires, &wire),
    CYAML_FIELD_MAPPING("programs", OPTIONAL, struct manifest, programs, programs_fields),
    LIST("components", POINTER, manifest, components, &component),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t manifest = {
    CYAML_VALUE_MAPPING(POINTER, struct manifest, manifest_fields)};

/* What libcyaml says about an error: first what it is, then where, innermost first. */
struct complaint {
  char what[256];
  unsigned line;
};

static void listen_to(cyaml_log_t level, void *ctx, const char *fmt, va_list args) {
  struct complaint *c = ctx;
  char said[256];
  if (level < CYAML_LOG_ERROR) return;
  vsnprintf(said, sizeof(said), fmt, args);
  said[strcspn(said, "\n")] = 0;
  const char *line = strstr(said, "(line: ");
  if (line && !c->line)
    c->line = (unsigned)atoi(line + strlen("(line: "));
  else if (!line && !c->what[0])
    snprintf(c->what, sizeof(c->what), "%s", strncmp(said, "Load: ", 6) == 0 ? said + 6 : said);
}

/* Keys that it does not know are reported beforehand, each with its line. */
static const cyaml_config_t quiet = {.mem_fn = cyaml_mem,
                                     .log_fn = NULL,
                                     .log_level = CYAML_LOG_ERROR,
                                     .flags = CYAML_CFG_IGNORE_UNKNOWN_KEYS};

static bool is_folder(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Loads what the schema describes. @return NULL after reporting why it is not that */
static struct manifest *load(struct manifest_source *source) {
  struct complaint c = {0};
  cyaml_config_t config = quiet;
  struct manifest *m = NULL;
  config.log_fn = listen_to;
  config.log_ctx = &c;
  cyaml_err_t err = cyaml_load_file(source->path, &config, &manifest, (cyaml_data_t **)&m, NULL);
  if (err == CYAML_ERR_FILE_OPEN)
    manifest_problem_at(source, 0, "cannot be opened: %s", strerror(errno));
  else if (is_folder(source->path)) /* it can be opened, but not read */
    manifest_problem_at(source, 0, "it is a folder; the manifest is a file");
  else if (err != CYAML_OK)
    manifest_problem_at(source, c.line, "%s", c.what[0] ? c.what : cyaml_strerror(err));
  else if (!m) /* no document at all is no error of YAML's */
    manifest_problem_at(source, 0, "it is empty");
  return m;
}

struct manifest *manifest_load_and_report(const char *path, manifest_report_fn *report, void *arg) {
  struct manifest_source source;
  manifest_source_open(&source, path, report, arg);
  manifest_check_keys(&source, &manifest);
  struct manifest *m = load(&source);
  if (m) manifest_check(m, &source);
  if (m) m->path = realpath(path, NULL);
  manifest_source_close(&source);
  if (source.problems == 0) return m;
  manifest_free(m);
  return NULL;
}

struct first_problem {
  char *text;
  size_t cap;
  bool told;
};

static void keep_first(void *arg, const char *line) {
  struct first_problem *p = arg;
  if (!p->told) snprintf(p->text, p->cap, "%s", line);
  p->told = true;
}

struct manifest *manifest_load(const char *path, char *error, size_t error_cap) {
  struct first_problem first = {error, error_cap, false};
  return manifest_load_and_report(path, keep_first, &first);
}

void manifest_free(struct manifest *m) {
  if (!m) return;
  for (unsigned i = 0; i < m->components_count; i++)
    free(m->components[i].executable);
  free(m->path);
  cyaml_free(&quiet, &manifest, m, 0);
}
