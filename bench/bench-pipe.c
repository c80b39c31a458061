/* Component: fills a pipe of component `pipe` and empties it, again and again.
 *
 * Logs "round NANOSECONDS" a round, the mean over its turns of PIPE_BYTES, then "done".
 *   bench-pipe ROUNDS TURNS */
#include <stdlib.h>
#include <time.h>

#include "libsys/if/pipe.h"
#include "libsys/sys.h"

static endpoint_t pipe_server;
static uint32_t reader, writer;

static uint64_t now_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int make(void) {
  msg_t m = {.type = PIPE_MAKE};
  pipe_server = sys_lookup("pipe");
  int error = sys_sendrec(pipe_server, &m);
  reader = IPC_REPLY(&m, pipe_make)->reader;
  writer = IPC_REPLY(&m, pipe_make)->writer;
  return error ? error : m.status;
}

static bool fill(void) {
  static char bytes[PIPE_BYTES];
  msg_t m = {.type = IO_WRITE};
  *IPC(&m, io_write) = (struct io_write){.offset = IO_POSITION, .handle = writer, .flags = IO_WAIT};
  return sys_sendrec_bulk(pipe_server, &m, bytes, sizeof(bytes), NULL, 0) == 0 &&
         IPC_REPLY(&m, io_write)->taken == PIPE_BYTES;
}

static bool empty(void) {
  static char bytes[PIPE_BYTES];
  msg_t m = {.type = IO_READ};
  *IPC(&m, io_read) = (struct io_read){
      .offset = IO_POSITION, .handle = reader, .max = PIPE_BYTES, .flags = IO_WAIT};
  return sys_sendrec_bulk(pipe_server, &m, NULL, 0, bytes, sizeof(bytes)) == 0 &&
         m.payload == PIPE_BYTES;
}

static bool move(unsigned turns) {
  for (unsigned i = 0; i < turns; i++)
    if (!fill() || !empty()) return false;
  return true;
}

static void measure(unsigned rounds, unsigned turns) {
  if (make() || !move(turns / 10 + 1)) return;
  for (unsigned r = 0; r < rounds; r++) {
    uint64_t t = now_ns();
    if (!move(turns)) return;
    sys_log("round %.1f", (double)(now_ns() - t) / turns);
  }
  sys_log("done");
}

int main(int argc, char **argv) {
  event_eh_t handlers = {0};
  sys_startup(&handlers);
  if (argc == 3) measure((unsigned)atoi(argv[1]), (unsigned)atoi(argv[2]));
  while (1) {
    msg_t m;
    sys_receive(&m);
  }
}
