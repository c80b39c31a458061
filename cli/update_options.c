#include "cli/update_options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, FLAG, CHECK, TIME, TIME_OUT, OUTPUT };

static const struct option {
  const char *name;
  enum kind kind;
  size_t offset; /* in struct update_options */
  int value;     /* OUTPUT */
} options[] = {
    {"state", TEXT, offsetof(struct update_options, filter), 0},
    {"allow", TEXT, offsetof(struct update_options, allow), 0},
    {"all", TEXT, offsetof(struct update_options, all), 0},
    {"check", CHECK, 0, 0},
    {"validate", FLAG, offsetof(struct update_options, validate), 0},
    {"relocate", FLAG, offsetof(struct update_options, relocate), 0},
    {"strict", FLAG, offsetof(struct update_options, strict), 0},
    {"dry-run", FLAG, offsetof(struct update_options, dry_run), 0},
    {"timeout", TIME_OUT, 0, 0},
    {"maxtime", TIME, offsetof(struct update_options, max_ms), 0},
    {"probation", TIME, offsetof(struct update_options, probation_ms), 0},
    {"v", OUTPUT, 0, OUTPUT_TIMES},
    {"json", OUTPUT, 0, OUTPUT_JSON},
};

/* The option that `arg` names, as -name or --name. */
static const struct option *find(const char *arg) {
  const char *name = arg + (arg[1] == '-' ? 2 : 1);
  for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
    if (strcmp(options[i].name, name) == 0) return &options[i];
  return NULL;
}

static bool parse_ms(const char *text, uint32_t *ms) {
  char *end;
  errno = 0;
  unsigned long n = strtoul(text, &end, 10);
  if (errno || *end || !*text || *text == '-' || n > UINT32_MAX) {
    fprintf(stderr, "prctl: '%s' is no number of milliseconds\n", text);
    return false;
  }
  if (n == 0) fprintf(stderr, "prctl: a time-out of 0 ms would leave no time; give 1 or more\n");
  *ms = (uint32_t)n;
  return n != 0;
}

/* "MS" or "PHASE=MS" */
static bool parse_time_out(const char *text, struct update_options *o) {
  static const struct {
    const char *name;
    size_t offset;
  } phases[] = {{"load", offsetof(struct update_options, load_ms)},
                {"converge", offsetof(struct update_options, converge_ms)},
                {"transfer", offsetof(struct update_options, transfer_ms)}};
  const char *equals = strchr(text, '=');
  if (!equals) return parse_ms(text, &o->converge_ms);
  size_t n = (size_t)(equals - text);
  for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
    if (strlen(phases[i].name) == n && strncmp(phases[i].name, text, n) == 0)
      return parse_ms(equals + 1, (uint32_t *)(void *)((char *)o + phases[i].offset));
  fprintf(stderr, "prctl: there is no phase '%.*s' with a time-out: load, converge, transfer\n",
          (int)n, text);
  return false;
}

static bool needs_value(const struct option *option) {
  return option->kind != FLAG && option->kind != OUTPUT;
}

static bool apply(const struct option *option, const char *value, struct update_options *o) {
  void *member = (char *)o + option->offset;
  switch (option->kind) {
  case TEXT:
    *(const char **)member = value;
    return true;
  case FLAG:
    *(bool *)member = true;
    return true;
  case CHECK:
    if (o->check_count == CHECKS_MAX) {
      fprintf(stderr, "prctl: at most %d checks\n", CHECKS_MAX);
      return false;
    }
    o->checks[o->check_count++] = value;
    return true;
  case TIME:
    return parse_ms(value, member);
  case TIME_OUT:
    return parse_time_out(value, o);
  case OUTPUT:
    o->output = (enum update_output)option->value;
    return true;
  }
  return false;
}

static bool take_operand(const char *arg, struct update_options *o) {
  const char **place = !o->component ? &o->component : !o->file ? &o->file : NULL;
  if (!place) {
    fprintf(stderr, "prctl: '%s' is one word too many\n", arg);
    return false;
  }
  *place = arg;
  return true;
}

bool update_options_parse(int argc, char **argv, struct update_options *o) {
  *o = (struct update_options){.filter = "", .allow = ""};
  for (int i = 1; i < argc; i++) {
    if (*argv[i] != '-') {
      if (!take_operand(argv[i], o)) return false;
      continue;
    }
    const struct option *option = find(argv[i]);
    if (!option) {
      fprintf(stderr, "prctl: there is no option '%s'\n", argv[i]);
      return false;
    }
    if (needs_value(option) && i + 1 == argc) {
      fprintf(stderr, "prctl: a value is missing after '%s'\n", argv[i]);
      return false;
    }
    if (!apply(option, needs_value(option) ? argv[++i] : NULL, o)) return false;
  }
  return true;
}
