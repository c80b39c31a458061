/* st-instrument: adds the metadata that a live update needs to a linked executable. */
#include "annotations.h"
#include "array.h"
#include "commands.h"
#include "exe.h"
#include "hidden.h"
#include "libst/meta.h"
#include "metadata.h"
#include "objects.h"
#include "report.h"
#include "sites.h"
#include "statics.h"
#include "types.h"
#include "units.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: st-instrument --compile-commands FILE --component NAME [--state-library SONAME]...\n"
    "                     [--report] [--quiet] -o OUT IN\n"
    "       st-instrument --help\n";

static const char help[] =
    "NAME\n"
    "  st-instrument - add the description that a live update needs to a linked executable\n"
    "\n"
    "SYNOPSIS\n"
    "  st-instrument --compile-commands FILE --component NAME [--state-library SONAME]...\n"
    "                [--report] [--quiet] -o OUT IN\n"
    "\n"
    "DESCRIPTION\n"
    "  Copies the linked executable IN to OUT and adds the section " ST_META_SECTION
    ": types, variables,\n"
    "  functions, and allocation sites with the types they make, from the debug information and\n"
    "  the sources. Nothing else changes, and the section is not loaded. IN must be a\n"
    "  position-independent x86-64 executable with debug information (-g, not -gsplit-dwarf) and\n"
    "  a build id. It may be stripped afterwards.\n"
    "\n"
    "  Compile with the flags of docs/st-instrument.md: without them some variables are refused\n"
    "  and some allocations have no type, each by name; nothing is guessed.\n"
    "\n"
    "OPTIONS\n"
    "  --compile-commands FILE  the build's compile_commands.json\n"
    "  --component NAME         what the executable is a version of\n"
    "  --state-library SONAME   a shared library whose data is part of the state\n"
    "  -o OUT                   the executable to write; replaced when it exists\n"
    "  --report                 print variables that are refused, allocations without a type,\n"
    "                           wrappers of allocators, and state outside of an update's reach\n"
    "  --quiet                  print no warnings\n"
    "  --help                   print this\n"
    "\n"
    "EXIT STATUS\n"
    "  0  OUT is written\n"
    "  1  IN cannot be instrumented, or OUT not written\n"
    "  2  wrong usage\n"
    "\n"
    "SEE ALSO\n"
    "  st-diff --help, st-meta --help\n";

struct options {
  const char *compile_commands, *component, *out, *in;
  ARRAY(const char *) libraries; /* ends with NULL */
  bool report;
};

static void bad_usage(const char *why) __attribute__((noreturn));

static void bad_usage(const char *why) {
  fprintf(stderr, "st-instrument: %s\n%s", why, usage);
  exit(2);
}

static struct options parse(int argc, char **argv) {
  enum { COMPILE_COMMANDS = 256, COMPONENT, STATE_LIBRARY, REPORT, QUIET, HELP };
  static const struct option names[] = {
      {"compile-commands", required_argument, NULL, COMPILE_COMMANDS},
      {"component", required_argument, NULL, COMPONENT},
      {"state-library", required_argument, NULL, STATE_LIBRARY},
      {"report", no_argument, NULL, REPORT},
      {"quiet", no_argument, NULL, QUIET},
      {"help", no_argument, NULL, HELP},
      {0},
  };
  struct options o = {0};
  for (int c; (c = getopt_long(argc, argv, "o:", names, NULL)) != -1;) {
    switch (c) {
    case COMPILE_COMMANDS:
      o.compile_commands = optarg;
      break;
    case COMPONENT:
      o.component = optarg;
      break;
    case STATE_LIBRARY:
      *array_add(&o.libraries) = optarg;
      break;
    case REPORT:
      o.report = true;
      break;
    case QUIET:
      warn_never();
      break;
    case 'o':
      o.out = optarg;
      break;
    case HELP:
      fputs(help, stdout);
      exit(0);
    default:
      fputs(usage, stderr);
      exit(2);
    }
  }
  *array_add(&o.libraries) = NULL;
  if (optind != argc - 1) bad_usage("name one executable");
  o.in = argv[optind];
  if (!o.out) bad_usage("-o OUT is missing");
  if (!o.component) bad_usage("--component NAME is missing");
  if (!o.compile_commands) bad_usage("--compile-commands FILE is missing");
  return o;
}

int main(int argc, char **argv) {
  struct options o = parse(argc, argv);
  struct exe *exe = exe_open(o.in);
  struct types *types = types_new();
  struct objects *objects = objects_read(exe, types);
  for (size_t i = 0; o.libraries.items[i]; i++)
    if (!exe_needs(exe, o.libraries.items[i]))
      fail("%s: is not linked with the state library %s", o.in, o.libraries.items[i]);
  hidden_warn(exe);
  struct commands *commands = commands_read(o.compile_commands);
  struct units *units = units_read(exe, commands);
  statics_refuse_removed(objects, units);
  struct sites *sites = sites_find(exe, objects, units, types);
  struct annotations *annotations = annotations_read(exe, types);
  size_t bytes;
  void *section = metadata_build(&(struct metadata_input){.exe = exe,
                                                          .component = o.component,
                                                          .libraries = o.libraries.items,
                                                          .objects = objects,
                                                          .sites = sites,
                                                          .annotations = annotations,
                                                          .types = types},
                                 &bytes);
  if (o.report) report_print(exe, objects, sites, o.libraries.items);
  exe_write(exe, o.out, ST_META_SECTION, section, bytes);
  free(section);
  annotations_free(annotations);
  sites_free(sites);
  units_free(units);
  commands_free(commands);
  objects_free(objects);
  types_free(types);
  exe_close(exe);
  free(o.libraries.items);
  return 0;
}
