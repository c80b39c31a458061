/* prctl's commands: each gets its instance and its own arguments, argv[0] being its name, and
 * returns prctl's exit status: 0, 1 when it failed, EXIT_USAGE. Those of an update have more: enum
 * exit_status of cli/outcome.h. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include <stdarg.h>

#include "cli/instance.h"

#define EXIT_USAGE 2 /* the command line is wrong */

typedef int command_fn(const struct instance *instance, int argc, char **argv);

command_fn boot_command;     /* boot.c */
command_fn check_command;    /* check.c */
command_fn reload_command;   /* reload.c */
command_fn shutdown_command; /* shutdown.c */
command_fn status_command;   /* status.c */
command_fn log_command;      /* log.c */
command_fn ps_command;       /* ps.c */
command_fn mem_command;      /* mem.c */
command_fn sched_command;    /* sched.c */
command_fn top_command;      /* top.c */
command_fn trace_command;    /* trace.c */
command_fn gdb_command;      /* gdb.c */
command_fn kill_command;     /* kill.c */
command_fn console_command;  /* console.c */
command_fn start_command;    /* start.c */
command_fn stop_command;     /* start.c */
command_fn history_command;  /* history.c */
command_fn keygen_command;   /* sign.c */
command_fn sign_command;     /* sign.c */
command_fn fault_command;    /* fault.c */
command_fn update_command;   /* update.c: mupdate, mupdate-start and mupdate-cancel, too */

/** Finds an option that takes a value, as -name VALUE or --name VALUE or --name=VALUE, and takes it
 * out of argv. @return the value, or NULL */
const char *option_value(int *argc, char **argv, const char *name);
/** Finds an option without a value, and takes it out of argv. */
bool option_flag(int *argc, char **argv, const char *name);

/** Says on stderr what is wrong with a command line. */
void option_wrong(const char *fmt, va_list ap);

#endif
