#include "cli/update_options.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"

#define USAGE_COLUMNS 80

enum kind { TEXT, FLAG, CHECK, TIME, TIME_OUT, OUTPUT };

#define MEMBER (UPDATE_ONE | UPDATE_REMEMBER) /* that are about one component */
#define WHOLE  (UPDATE_ONE | UPDATE_ALL | UPDATE_START)

static const struct option {
  const char *name;
  const char *usage; /* NULL: it is part of another's */
  unsigned commands; /* enum update_command: those that it goes with */
  enum kind kind;
  size_t offset; /* in struct update_options */
  int value;     /* OUTPUT */
} options[] = {
#define AT(member) offsetof(struct update_options, member)
    {"all", NULL, UPDATE_ALL, TEXT, AT(all), 0},
    {"state", "[-state EXPRESSION]", MEMBER, TEXT, AT(filter), 0},
    {"allow", "[-allow EXPRESSION]", MEMBER, TEXT, AT(allow), 0},
    {"check", "[-check EXPRESSION]...", MEMBER | UPDATE_ALL, CHECK, 0, 0},
    {"validate", "[-validate]", MEMBER | UPDATE_ALL, FLAG, AT(validate), 0},
    {"relocate", "[-relocate]", MEMBER | UPDATE_ALL, FLAG, AT(relocate), 0},
    {"strict", "[-strict]", MEMBER | UPDATE_ALL, FLAG, AT(strict), 0},
    {"timeout", "[-timeout [PHASE=]MS]...", MEMBER | WHOLE, TIME_OUT, 0, 0},
    {"maxtime", "[-maxtime MS]", WHOLE, TIME, AT(max_ms), 0},
    {"probation", "[-probation MS]", WHOLE, TIME, AT(probation_ms), 0},
    {"dry-run", "[--dry-run]", WHOLE, FLAG, AT(dry_run), 0},
    {"v", "[-v | --json]", WHOLE, OUTPUT, 0, OUTPUT_TIMES},
    {"json", NULL, WHOLE, OUTPUT, 0, OUTPUT_JSON},
#undef AT
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

static const struct synopsis {
  enum update_command command;
  const char *name, *operands;
} synopses[] = {
    {UPDATE_ONE, "update", " COMPONENT FILE|self"},
    {UPDATE_ALL, "update", " --all FOLDER|self"},
    {UPDATE_REMEMBER, "mupdate", " COMPONENT FILE|self"},
    {UPDATE_START, "mupdate-start", ""},
    {UPDATE_CANCEL, "mupdate-cancel", ""},
};
#define SYNOPSES (sizeof(synopses) / sizeof(synopses[0]))

/* A command line that is being read. */
struct reading {
  struct update_options *o;
  const char *name;           /* of the command */
  unsigned commands;          /* enum update_command: those that it may still be */
  char **next;                /* argument; ended by NULL */
  const char *given[OPTIONS]; /* as the user wrote it, or NULL */
};

/* ---- messages ---- */

static void print_synopsis(const struct synopsis *s, const char *before) {
  int column = fprintf(stderr, "%s prctl %s%s", before, s->name, s->operands);
  for (size_t i = 0; i < OPTIONS; i++) {
    const struct option *option = &options[i];
    if (!option->usage || !(option->commands & s->command)) continue;
    if (column + 1 + (int)strlen(option->usage) > USAGE_COLUMNS)
      column = fprintf(stderr, "\n%6s", "") - 1;
    column += fprintf(stderr, " %s", option->usage);
  }
  putc('\n', stderr);
}

static void usage(const char *name) {
  const char *before = "usage:";
  for (size_t i = 0; i < SYNOPSES; i++) {
    if (strcmp(synopses[i].name, name) != 0) continue;
    print_synopsis(&synopses[i], before);
    before = "      ";
  }
}

static bool wrong(const struct reading *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* @return false */
static bool wrong(const struct reading *r, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  option_wrong(fmt, ap);
  va_end(ap);
  usage(r->name);
  return false;
}

/* ---- values ---- */

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

/* ---- the command line ---- */

static bool fits(const struct reading *r, const struct option *option) {
  if (option->commands & r->commands) return true;
  const char *arg = r->given[option - options];
  return wrong(r, "%s%s takes no %.*s", r->name, r->o->all ? " --all" : "", (int)strcspn(arg, "="),
               arg);
}

/* The option that `arg` names, as -name or --name.
 * @param value  receives what follows a '='; NULL: nothing does */
static const struct option *find(const char *arg, const char **value) {
  const char *name = arg + (arg[1] == '-' ? 2 : 1);
  size_t n = strcspn(name, "=");
  *value = name[n] ? name + n + 1 : NULL;
  for (size_t i = 0; i < OPTIONS; i++)
    if (strlen(options[i].name) == n && strncmp(options[i].name, name, n) == 0) return &options[i];
  return NULL;
}

static bool take_option(struct reading *r, const char *arg) {
  const char *value;
  const struct option *option = find(arg, &value);
  if (!option) return wrong(r, "%s has no option '%s'", r->name, arg);
  r->given[option - options] = arg;
  if (!fits(r, option)) return false;
  if (value && !needs_value(option)) return wrong(r, "a value is too much in '%s'", arg);
  if (!value && needs_value(option) && !(value = *r->next++))
    return wrong(r, "a value is missing after '%s'", arg);
  return apply(option, value, r->o);
}

static bool take_operand(struct reading *r, const char *arg) {
  struct update_options *o = r->o;
  const char **place = !o->component ? &o->component : &o->file;
  if (!(r->commands & MEMBER) || *place) return wrong(r, "'%s' is one word too many", arg);
  *place = arg;
  return true;
}

/* Which command it is, and whether the rest fits. */
static bool decide(struct reading *r) {
  struct update_options *o = r->o;
  r->commands &= o->all ? UPDATE_ALL : ~(unsigned)UPDATE_ALL;
  o->command = (enum update_command)r->commands;
  for (size_t i = 0; i < OPTIONS; i++)
    if (r->given[i] && !fits(r, &options[i])) return false;
  if (o->all && o->component)
    return wrong(r, "update --all takes no component: '%s'", o->component);
  if (!(o->command & MEMBER) || o->file) return true;
  usage(r->name);
  return false;
}

bool update_options_parse(char **argv, struct update_options *o) {
  struct reading r = {.o = o, .name = argv[0], .next = argv + 1};
  *o = (struct update_options){.filter = "", .allow = ""};
  for (size_t i = 0; i < SYNOPSES; i++)
    if (strcmp(synopses[i].name, r.name) == 0) r.commands |= synopses[i].command;
  const char *arg;
  while ((arg = *r.next++))
    if (!(*arg == '-' ? take_option(&r, arg) : take_operand(&r, arg))) return false;
  return decide(&r);
}
