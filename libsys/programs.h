/* Starting programs and ending them: kernel calls of the component that the manifest's `programs:
 * by:` names; others are refused (-EPERM). bus/abi_programs.h tells what they mean, and what the
 * bus sends of its own. */
#ifndef LIBSYS_PROGRAMS_H
#define LIBSYS_PROGRAMS_H

#include <stddef.h>

#include "bus/abi_programs.h"
#include "libsys/sys.h"

/* One program that was started in a place. */
struct kern_program {
  endpoint_t endpoint;
  uint32_t incarnation;
};

/** Takes a place for a program.
 * @param strings  its file and its arguments, each NUL-terminated; -E2BIG beyond KERN_SPAWN_MAX
 * @return 0 or a negative errno */
int kern_spawn(const char *strings, size_t bytes, struct kern_program *program);
/** Starts it. @return its process id on the host, or a negative errno: the place is free again */
int kern_start(struct kern_program program);
/** @param signal  SIGKILL, SIGSTOP or SIGCONT @return 0, or -ESRCH: it has ended */
int kern_signal(struct kern_program program, int signal);
/** Gives the place back. @return 0, or -EBUSY: the program runs */
int kern_reap(struct kern_program program);
/** @param cpu_us  receives what it has used @return 0, or -ESRCH: it has ended */
int kern_usage(struct kern_program program, uint64_t *cpu_us);
/** @param places  receives all that are not free @return how many, or a negative errno */
int kern_places(struct kern_place places[KERN_PLACES_MAX]);

#endif
