/* The driver's state, which an update carries over, and its parts as they see each other. */
#ifndef PROTEOS_NVME_DRIVER_H
#define PROTEOS_NVME_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers-sim/hw.h"
#include "drivers-sim/nvme.h"
#include "libsys/if/disk.h"

enum {
  COMMANDS = 64,       /* under way at a time */
  QUEUE_ENTRIES = 128, /* more than these, so that the queues are never full */
  TRIES = 3,           /* of a command that the device fails */
  /* In the window DMA_RINGS. */
  ADMIN_ENTRIES = 32,
  ADMIN_SQ_AT = 0,
  ADMIN_CQ_AT = 4096,
  IO_SQ_AT = 8192,
  IO_CQ_AT = 16384,
  IDENTIFY_AT = 20480,
  LISTS_AT = 24576,
  LIST_BYTES = 256, /* of a command: all its pages but the first */
  RINGS_BYTES = LISTS_AT + COMMANDS * LIST_BYTES,
};

enum controller_state {
  CONTROLLER_DOWN,  /* it does not answer, or does not come up; tried again by and by */
  CONTROLLER_READY, /* it takes commands */
};

struct queue_pair {
  uint32_t sq_at, cq_at, entries; /* offsets in the window DMA_RINGS */
  uint32_t tail, head;
  uint16_t phase; /* of completions that are new */
};

struct controller {
  enum controller_state state;
  struct queue_pair admin, io;
  uint64_t blocks;
  uint32_t block_shift;
  uint32_t attempts; /* in vain, since it worked last */
  bool lost_power;   /* and with it its write cache; no client has been told */
};

enum command_state {
  COMMAND_FREE,
  COMMAND_WAITING,  /* for the controller */
  COMMAND_UNDER_WAY /* the controller has it */
};

/* A request of the client's, as it was when it was read; its index is the command's id. */
struct command {
  enum command_state state;
  struct disk_request request;
  struct dq_desc descriptor; /* given back when it is done */
  uint64_t token;            /* or this answered, if it is not 0 */
  uint32_t failures;
  uint64_t since_us;
};

struct counters {
  uint64_t reads, writes;
  uint32_t flushes, errors, resets;
};

struct driver {
  struct hw hw;
  struct controller controller;
  struct command commands[COMMANDS];
  uint32_t ncommands;  /* that are not free */
  endpoint_t client;   /* 0: none has started us */
  uint64_t timeout_us; /* of a command */
  bool alarm_is_set;
  struct counters counters;
};

extern struct driver driver;

enum bit { BIT_TIMEOUT }; /* from SYS_KERNEL */

/* controller.c: bringing the controller up, and its admin queue. */
/** Resets it, learns what it is, and makes its I/O queues. What was under way is forgotten there:
 * it touches no page of the client's any more. Notes whether it has lost power.
 * @return 0, -EIO, -ETIMEDOUT, or the bus's error; the state says the same */
int controller_start(void);
/** Whether it was powered on since it was last made ready. */
bool controller_is_fresh(void);

/* queue.c: a pair of queues. */
void queue_reset(struct queue_pair *q, uint32_t sq_at, uint32_t cq_at, uint32_t entries);
/** Puts a command in, without ringing. */
void queue_put(struct queue_pair *q, const struct nvme_command *c);
/** Takes the next completion. @return whether there was one */
bool queue_take(struct queue_pair *q, struct nvme_completion *c);

/* command.c: requests as commands. */
/** Hands a request to the device, or keeps it until there is one. There must be a free command.
 * @param token  of a DISK_DO; 0: it came through the ring */
void command_begin(const struct dq_desc *d, const struct disk_request *request, uint64_t token);
/** Takes the completions that are there. */
void command_reap(void);
/** All that waits, or was under way, is handed to the device (again). */
void command_send_all(void);
/** All are forgotten: their client has gone. The device must have been stopped. */
void command_forget_all(void);
void command_fail_all(int32_t status);
/** What was written before them is lost. */
void command_fail_flushes(void);
/** When the first of those under way is too late; 0: none is. */
uint64_t command_deadline(void);

/* client.c: towards the client. */
void client_rings_init(void);
/** Takes requests as long as there is room, and tells the client of what is done. */
void client_pump(void);
/** A request without the rings, which is answered when it is done.
 * @return 0, or why it is not carried out */
int32_t client_do(uint32_t record, uint64_t token);
/** Gives a request back, or answers `token` if that is not 0. */
void client_done(const struct dq_desc *d, int32_t status, uint64_t token);
/** Tells the client, if there is one, that the device has lost power. */
void client_lost_power(void);

/* recovery.c: what is done when the device fails. */
/** Brings the device up, and what was under way with it; tries again later if need be. */
void recovery_restart(void);
/** Has recovery_alarm() called when a command can be late, or the controller is to be tried again;
 * for the end of each turn of the event loop. */
void recovery_arm(void);
void recovery_alarm(void);

#endif
