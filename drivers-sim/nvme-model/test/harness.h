/* The device on a table: memory, a medium in memory, and what it raised. */
#ifndef PROTEOS_NVME_HARNESS_H
#define PROTEOS_NVME_HARNESS_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "../device.h"

enum {
  RINGS_BYTES = 1 << 17,
  FRAMES_BYTES = 1 << 20,
  MEDIA_BYTES = 8 << 20,
  ENTRIES = 32, /* of each queue */
  /* In the rings. */
  ADMIN_SQ_AT = 0,
  ADMIN_CQ_AT = 4096,
  IO_SQ_AT = 8192,
  IO_CQ_AT = 12288,
  LIST_AT = 16384,
};

struct table {
  struct device device;
  uint32_t *bar;
  char *rings, *frames, *media;
  uint32_t tails[2], heads[2];
  uint16_t phases[2];
  unsigned interrupts, complaints;
};

extern struct table table;

/** Check fixtures: power on; and with the controller and an I/O queue pair ready. */
void table_setup(void);
void table_setup_ready(void);
void table_teardown(void);
/** As a power cut and what follows: the same medium, and no cache. */
void table_power_cycle(void);

/** Register accesses as messages. */
uint32_t get(uint32_t reg);
void set(uint32_t reg, uint32_t value);

/** Enables the controller, with an admin queue pair. */
void enable(void);
/** Creates I/O queue pair 1. */
void create_io_queues(void);

/** Puts a command into queue 0 or 1, without ringing. */
void put(unsigned queue, struct nvme_command c);
/** Rings the doorbell. */
void ring(unsigned queue);
/** Takes the next completion. @return whether there was one */
bool take(unsigned queue, struct nvme_completion *c);
/** Does one command. @return its status field, without the phase tag */
uint16_t run(unsigned queue, struct nvme_command c);
/** The same; the result dword. */
uint32_t run_result(unsigned queue, struct nvme_command c);

/** A read or write of `blocks` blocks, whose data is at `frame_offset`, contiguous. */
uint16_t transfer(uint8_t opcode, uint64_t lba, uint32_t blocks, uint32_t frame_offset,
                  uint32_t flags);

TCase *controller_case(void);
TCase *admin_case(void);
TCase *io_case(void);
TCase *hostile_case(void);

#endif
