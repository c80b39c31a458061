/* prctl: the user's door to an instance. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"

static const struct command {
  const char *name;
  command_fn *run;
  const char *arguments, *help;
} commands[] = {
    {"boot", boot_command, "[--manifest FILE] [--faults] [-q]", "start an instance"},
    {"check", check_command, "[FILE]", "what is wrong with a manifest"},
    {"shutdown", shutdown_command, "", "end it, in order"},
    {"status", status_command, "[--json]", "its components and their versions"},
    {"ps", ps_command, "[--json]", "processes of applications"},
    {"mem", mem_command, "[--json]", "memory that components share"},
    {"sched", sched_command, "[-d SECONDS] [--json]", "who computes when"},
    {"top", top_command, "[-d SECONDS] [-n COUNT] [--json]",
     "what each component does, again and again"},
    {"log", log_command, "[COMPONENT] [-f]", "what a component wrote"},
    {"trace", trace_command, "[-e COMPONENT:MESSAGE] ...", "messages, as they pass"},
    {"console", console_command, "[NAME]", "show a console and type at it; Ctrl-] leaves"},
    {"gdb", gdb_command, "COMPONENT [GDB-ARGUMENT] ...", "debug it; deadlines stand still"},
    {"kill", kill_command, "COMPONENT [SIGNAL]", "send a signal (default 9)"},
    {"reload", reload_command, "[FILE]", "apply changes of its manifest, all or none"},
    {"start", start_command, "COMPONENT", "start a component that was stopped or died"},
    {"stop", stop_command, "COMPONENT", "end it in order; it is not restarted"},
    {"fault", fault_command, "PARTY POINT ACTION [-nth N] [-value V]",
     "order a fault at a fault point"},
    {"update", update_command, "COMPONENT FILE [-state EXPR] [OPTION]...",
     "replace a component by a new version, now"},
    {"mupdate", update_command, "COMPONENT FILE [-state EXPR] [OPTION]...",
     "request it, for mupdate-start"},
    {"mupdate-start", update_command, "[OPTION]...",
     "carry out what was requested, as one transaction"},
    {"mupdate-cancel", update_command, "", "forget what was requested"},
    {"history", history_command, "[show NUMBER] [--json]", "updates on record"},
    {"keygen", keygen_command, "DIRECTORY", "make a pair of keys for signing"},
    {"sign", sign_command, "SECRET-KEY FILE...", "sign executables: writes FILE.sig"},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to) {
  fprintf(to, "usage: prctl [--instance NAME] COMMAND ...\n\n");
  for (size_t i = 0; i < COMMANDS; i++)
    fprintf(to, "  %-15s%-44s %s\n", commands[i].name, commands[i].arguments, commands[i].help);
  fprintf(to, "\nThe instance is \"%s\" unless --instance or PROTEOS_INSTANCE names another.\n",
          INSTANCE_DEFAULT);
}

static const struct command *find(const char *name) {
  for (size_t i = 0; i < COMMANDS; i++)
    if (strcmp(commands[i].name, name) == 0) return &commands[i];
  return NULL;
}

int main(int argc, char **argv) {
  const char *name = option_value(&argc, argv, "instance");
  if (!name) name = getenv("PROTEOS_INSTANCE");
  if (!name || !*name) name = INSTANCE_DEFAULT;
  if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
    usage(argc < 2 ? stderr : stdout);
    return argc < 2 ? 2 : 0;
  }
  const struct command *command = find(argv[1]);
  if (!command) {
    fprintf(stderr, "prctl: there is no command \"%s\"; prctl help lists them\n", argv[1]);
    return EXIT_USAGE;
  }
  struct instance instance;
  if (!instance_find(&instance, name)) return EXIT_USAGE;
  return command->run(&instance, argc - 1, argv + 1);
}
