/* Component: moves bytes to another one, which reads them all.
 *
 *   bench-bulk                  the consumer
 *   bench-bulk consumer CALLS   the producer: for each size it logs "bulk SIZE payload NS grant
 * NS", means over about so many calls, first "map NS", then "done"
 *
 * As payload: messages of up to SYS_PAYLOAD_MAX bytes, each a call. By a grant: the producer copies
 * into an area that both have mapped, then makes one call. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libsys/area.h"
#include "libsys/sys.h"

enum { BULK_SUM = 0xa00, BULK_MAP = 0xa01, BYTES_MIN = 64, BYTES_MAX = 4 << 20, MAPS = 20 };

static uint8_t source[BYTES_MAX];
static struct sys_area area;
static uint32_t area_number;

static uint64_t now_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t sum(const uint8_t *bytes, size_t n) {
  uint64_t total = 0;
  for (size_t i = 0; i < n; i += sizeof(uint64_t))
    total += *(const uint64_t *)(const void *)(bytes + i);
  return total;
}

/* ---- consumer ---- */

static void serve(const msg_t *m) {
  msg_t reply = {0};
  if (m->type == BULK_MAP) {
    sys_area_unmap(&area);
    if (m->u32[0]) reply.status = sys_area_map(m->u32[0], &area);
  } else {
    size_t n = m->payload ? m->payload : m->u64[0];
    reply.u64[0] = sum(m->payload ? sys_payload() : area.address, n);
  }
  sys_reply(m->token, &reply);
}

/* ---- producer ---- */

static int by_payload(endpoint_t to, size_t n) {
  for (size_t done = 0, part; done < n; done += part) {
    part = n - done < SYS_PAYLOAD_MAX ? n - done : SYS_PAYLOAD_MAX;
    msg_t m = {.type = BULK_SUM};
    int error = sys_sendrec_bulk(to, &m, source + done, part, NULL, 0);
    if (error) return error;
  }
  return 0;
}

static int by_grant(endpoint_t to, size_t n) {
  msg_t m = {.type = BULK_SUM, .u64 = {n}};
  memcpy(area.address, source, n);
  return sys_sendrec(to, &m);
}

static double time_ns(int (*move)(endpoint_t to, size_t n), endpoint_t to, size_t n,
                      unsigned calls) {
  uint64_t start = now_ns();
  for (unsigned i = 0; i < calls; i++)
    if (move(to, n)) abort();
  return (double)(now_ns() - start) / calls;
}

static void share(endpoint_t to, size_t bytes) {
  msg_t m = {.type = BULK_MAP};
  if (sys_area_create(bytes, 0, &area, &area_number) ||
      sys_area_grant(area_number, to, 0, bytes, MEM_READ, &m.u32[0]) || sys_sendrec(to, &m) ||
      m.status)
    abort();
}

static void unshare(endpoint_t to) {
  msg_t m = {.type = BULK_MAP}, end = {.type = MEM_DESTROY, .u32 = {area_number, 1}};
  if (sys_sendrec(to, &m) || sys_area_unmap(&area) || sys_sendrec(sys_lookup("mm"), &end)) abort();
}

/* An area made, granted, mapped by both, and ended. */
static void measure_maps(endpoint_t to) {
  uint64_t start = now_ns();
  for (unsigned i = 0; i < MAPS; i++) {
    share(to, SYS_PAYLOAD_MAX);
    unshare(to);
  }
  sys_log("map %.0f", (double)(now_ns() - start) / MAPS);
}

static void measure(endpoint_t to, unsigned calls) {
  memset(source, 7, sizeof(source));
  measure_maps(to);
  share(to, BYTES_MAX);
  for (size_t n = BYTES_MIN; n <= BYTES_MAX; n *= 4) {
    unsigned some = calls / (unsigned)(1 + n / SYS_PAYLOAD_MAX) + 1;
    time_ns(by_payload, to, n, some / 10 + 1); /* warm up */
    time_ns(by_grant, to, n, some / 10 + 1);
    double payload = time_ns(by_payload, to, n, some), grant = time_ns(by_grant, to, n, some);
    sys_log("bulk %zu payload %.0f grant %.0f", n, payload, grant);
  }
  sys_log("done");
}

int main(int argc, char **argv) {
  event_eh_t handlers = {0};
  sys_startup(&handlers);
  if (argc == 3) measure(sys_lookup(argv[1]), (unsigned)atoi(argv[2]));
  while (1) {
    msg_t m;
    sys_receive(&m);
    if (msg_is_request(&m)) serve(&m);
  }
}
