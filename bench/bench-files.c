/* Component: measures reading and writing of files of storage. A plain program.
 *
 * Logs a line "WHAT VALUE" for each round: MB/s of 64 KiB requests one after the other, or requests
 * a second of 4 KiB at random places, so many under way at a time; then "done".
 *   bench-files ROUNDS write FILE MEGABYTES
 *   bench-files ROUNDS read FILE
 *   bench-files ROUNDS sizes FILE       both ways: as payload, and through memory that it lends
 *   bench-files ROUNDS random FILE DEPTH REQUESTS
 *   bench-files ROUNDS lists FILE DEPTH REQUESTS    the same, in LISTS lists at a time */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/area.h"
#include "libsys/if/fs.h"
#include "libsys/if/io.h"
#include "libsys/sys.h"

SYS_NEEDS(call, "storage");

enum { PIECE = SYS_PAYLOAD_MAX, BLOCK = 4096, LENT = 1 << 20, LISTS = 2 };

static endpoint_t storage;
static char buffer[PIECE];
static uint64_t bytes; /* of the file */

static void check(int error, const msg_t *m, const char *what) {
  if (!error && m->status >= 0) return;
  sys_log("%s: %s", what, sys_strerror(error ? error : m->status));
  exit(EXIT_FAILURE);
}

static uint32_t open_file(const char *path, uint32_t flags) {
  msg_t m = {.type = FS_OPEN};
  IPC(&m, fs_open)->flags = flags;
  IPC(&m, fs_open)->mode = 0644;
  int error = sys_sendrec_bulk(storage, &m, path, strlen(path), NULL, 0);
  check(error, &m, path);
  bytes = IPC_REPLY(&m, fs_open)->bytes;
  return IPC_REPLY(&m, fs_open)->handle;
}

static msg_t read_request(uint32_t handle, uint64_t offset, uint32_t max) {
  msg_t m = {.type = IO_READ};
  *IPC(&m, io_read) = (struct io_read){.offset = offset, .handle = handle, .max = max};
  IPC(&m, io_read)->flags = IO_WAIT;
  return m;
}

static double megabytes_a_second(uint64_t n, uint64_t us) {
  return (double)n / (double)(us ? us : 1);
}

static void write_all(uint32_t handle, uint64_t n) {
  for (uint64_t done = 0; done < n;) {
    msg_t m = {.type = IO_WRITE};
    IPC(&m, io_write)->offset = done;
    IPC(&m, io_write)->handle = handle;
    check(sys_sendrec_bulk(storage, &m, buffer, PIECE, NULL, 0), &m, "write");
    done += IPC_REPLY(&m, io_write)->taken;
  }
}

static void sync_file(uint32_t handle) {
  msg_t m = {.type = FS_SYNC_FILE};
  IPC(&m, fs_sync_file)->handle = handle;
  check(sys_sendrec(storage, &m), &m, "sync");
}

static void measure_write(const char *path, uint64_t n) {
  uint32_t handle = open_file(path, FS_WRITE | FS_CREATE | FS_TRUNCATE);
  uint64_t t = sys_time_us();
  write_all(handle, n);
  sys_log("write %.1f", megabytes_a_second(n, sys_time_us() - t));
  sync_file(handle);
  sys_log("write_sync %.1f", megabytes_a_second(n, sys_time_us() - t));
  msg_t m = {.type = IO_CLOSE};
  IPC(&m, io_close)->handle = handle;
  sys_sendrec(storage, &m);
}

static void measure_read(uint32_t handle) {
  uint64_t t = sys_time_us(), done = 0;
  while (done < bytes) {
    msg_t m = read_request(handle, done, PIECE);
    check(sys_sendrec_bulk(storage, &m, NULL, 0, buffer, PIECE), &m, "read");
    done += m.payload;
  }
  sys_log("read %.1f", megabytes_a_second(done, sys_time_us() - t));
}

/* The file once, in pieces of `piece` bytes: as payload, in as many messages as that takes. */
static void measure_payload(uint32_t handle, uint32_t piece) {
  uint64_t t = sys_time_us();
  uint32_t max = piece < PIECE ? piece : PIECE;
  for (uint64_t done = 0; done < bytes;) {
    msg_t m = read_request(handle, done, max);
    check(sys_sendrec_bulk(storage, &m, NULL, 0, buffer, PIECE), &m, "read");
    done += m.payload;
  }
  sys_log("payload_%u %.1f", piece, megabytes_a_second(bytes, sys_time_us() - t));
}

static void measure_lent(uint32_t handle, uint32_t piece, uint32_t grant) {
  uint64_t t = sys_time_us();
  for (uint64_t done = 0; done < bytes;) {
    msg_t m = {.type = IO_READ_INTO};
    *IPC(&m, io_read_into) = (struct io_read_into){
        .offset = done, .handle = handle, .grant = grant, .bytes = piece, .flags = IO_WAIT};
    check(sys_sendrec(storage, &m), &m, "read into");
    done += IPC_REPLY(&m, io_read_into)->taken;
  }
  sys_log("lent_%u %.1f", piece, megabytes_a_second(bytes, sys_time_us() - t));
}

static uint32_t lend(void) {
  struct sys_area own;
  uint32_t area, grant;
  check(sys_area_create(LENT, 0, &own, &area), &(msg_t){0}, "area");
  check(sys_area_grant(area, storage, 0, LENT, MEM_READ | MEM_WRITE, &grant), &(msg_t){0}, "grant");
  return grant;
}

static void measure_sizes(uint32_t handle) {
  uint32_t grant = lend();
  for (uint32_t piece = BLOCK; piece <= LENT; piece *= 4) {
    measure_payload(handle, piece);
    measure_lent(handle, piece, grant);
  }
}

static uint64_t random_block(void) {
  static uint64_t state = 88172645463325252u; /* xorshift */
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state % (bytes / BLOCK) * BLOCK;
}

/* @param slot  of the lent memory, where it goes */
static void ask_random(uint32_t handle, uint32_t grant, unsigned slot) {
  msg_t m = {.type = IO_READ_INTO};
  *IPC(&m, io_read_into) = (struct io_read_into){.offset = random_block(),
                                                 .at = slot * BLOCK,
                                                 .handle = handle,
                                                 .grant = grant,
                                                 .bytes = BLOCK,
                                                 .flags = IO_WAIT};
  check(sys_call(storage, &m, NULL, 0, slot), &m, "read");
}

static void log_random(const char *what, unsigned requests, uint64_t since_us) {
  sys_log("%s %.0f", what, (double)requests * 1e6 / (double)(sys_time_us() - since_us));
}

static void measure_random(uint32_t handle, unsigned depth, unsigned requests) {
  uint32_t grant = lend();
  uint64_t t = sys_time_us();
  for (unsigned i = 0; i < depth; i++)
    ask_random(handle, grant, i);
  for (unsigned done = 0; done < requests;) {
    msg_t m;
    sys_receive(&m);
    if (m.type != (IO_READ_INTO | SYS_REPLY_FLAG)) continue;
    check(0, &m, "read");
    if (++done + depth <= requests) ask_random(handle, grant, (unsigned)m.cookie);
  }
  log_random("random", requests, t);
}

static void ask_list(uint32_t handle, uint32_t grant, unsigned list, unsigned count) {
  struct io_piece pieces[IO_LIST_MAX] = {{0}};
  for (unsigned i = 0; i < count; i++)
    pieces[i] = (struct io_piece){random_block(), (list * count + i) * BLOCK, BLOCK, 0};
  msg_t m = {.type = IO_READ_LIST};
  *IPC(&m, io_read_list) = (struct io_read_list){.handle = handle, .grant = grant};
  check(sys_call(storage, &m, pieces, count * sizeof *pieces, list), &m, "read list");
}

/* @return pieces that were read as a whole */
static unsigned check_list(const msg_t *m, unsigned count) {
  const int32_t *results = sys_payload();
  check(0, m, "read list");
  for (unsigned i = 0; i < count; i++)
    if (m->payload != count * sizeof *results || results[i] != BLOCK) {
      sys_log("read list: %u bytes of results, piece %u of %u: %d", m->payload, i, count,
              results[i]);
      exit(EXIT_FAILURE);
    }
  return count;
}

static void measure_lists(uint32_t handle, unsigned depth, unsigned requests) {
  uint32_t grant = lend();
  unsigned count = depth / LISTS, done = 0;
  uint64_t t = sys_time_us();
  for (unsigned i = 0; i < LISTS; i++)
    ask_list(handle, grant, i, count);
  while (done < requests) {
    msg_t m;
    sys_receive(&m);
    if (m.type != (IO_READ_LIST | SYS_REPLY_FLAG)) continue;
    done += check_list(&m, count);
    if (done + depth <= requests) ask_list(handle, grant, (unsigned)m.cookie, count);
  }
  log_random("lists", done, t);
}

int main(int argc, char **argv) {
  event_eh_t handlers = {0};
  sys_startup(&handlers);
  storage = sys_lookup("storage");
  unsigned rounds = argc > 3 ? (unsigned)atoi(argv[1]) : 0;
  for (unsigned i = 0; i < rounds; i++) {
    if (strcmp(argv[2], "write") == 0)
      measure_write(argv[3], strtoull(argv[4], NULL, 10) << 20);
    else if (strcmp(argv[2], "sizes") == 0)
      measure_sizes(open_file(argv[3], FS_READ));
    else if (strcmp(argv[2], "read") == 0)
      measure_read(open_file(argv[3], FS_READ));
    else if (strcmp(argv[2], "lists") == 0)
      measure_lists(open_file(argv[3], FS_READ), (unsigned)atoi(argv[4]), (unsigned)atoi(argv[5]));
    else
      measure_random(open_file(argv[3], FS_READ), (unsigned)atoi(argv[4]), (unsigned)atoi(argv[5]));
  }
  sys_log("done");
  while (1) {
    msg_t m;
    sys_receive(&m);
  }
}
