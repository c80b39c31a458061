#include "libsys/programs.h"

#include <errno.h>

#include "libsys/kern.h"

static struct kern_args call_about(uint32_t type, struct kern_program program) {
  struct kern_args args = {.m = {.type = type}, .fd_out = -1};
  args.m.i32[0] = program.endpoint;
  args.m.u32[1] = program.incarnation;
  return args;
}

int kern_spawn(const char *strings, size_t bytes, struct kern_program *program) {
  struct kern_args args = {
      .m = {.type = KERN_SPAWN}, .fd_out = -1, .out = strings, .out_len = bytes};
  if (bytes > KERN_SPAWN_MAX) return -E2BIG;
  int error = kern_call(&args);
  if (!error) *program = (struct kern_program){args.m.i32[0], args.m.u32[1]};
  return error;
}

int kern_start(struct kern_program program) {
  struct kern_args args = call_about(KERN_START, program);
  int error = kern_call(&args);
  return error ? error : args.m.i32[0];
}

int kern_signal(struct kern_program program, int signal) {
  struct kern_args args = call_about(KERN_SIGNAL, program);
  args.m.i32[2] = signal;
  return kern_call(&args);
}

int kern_reap(struct kern_program program) {
  struct kern_args args = call_about(KERN_REAP, program);
  return kern_call(&args);
}

int kern_usage(struct kern_program program, uint64_t *cpu_us) {
  struct kern_args args = call_about(KERN_USAGE, program);
  int error = kern_call(&args);
  if (!error) *cpu_us = args.m.u64[0];
  return error;
}

int kern_places(struct kern_place places[KERN_PLACES_MAX]) {
  struct kern_args args = {.m = {.type = KERN_PLACES}, .fd_out = -1};
  args.in = places;
  args.in_cap = KERN_PLACES_MAX * sizeof(*places);
  int error = kern_call(&args);
  return error ? error : (int)(args.m.payload / sizeof(*places));
}
