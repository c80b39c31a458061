#include "libsys/area.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libst/st.h"
#include "libsys/kern.h"
#include "libsys/runtime.h"

static endpoint_t server(void) {
  return sys_lookup("mm");
}

/* @return 0, the server's error, or the bus's */
static int ask(msg_t *m, void *in, size_t in_cap) {
  endpoint_t mm = server();
  if (mm < 0) return -SYS_EDEADSRCDST;
  int error = sys_sendrec_bulk(mm, m, NULL, 0, in, in_cap);
  return error ? error : m->status;
}

static void close_all(const int *fds, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    close(fds[i]);
}

/* @return 0 or a negative error: none is open then */
static int open_segments(const uint32_t *segments, unsigned n, int *fds) {
  for (unsigned i = 0; i < n; i++) {
    struct kern_args args = {.m = {.type = KERN_SEGMENT_OPEN, .u32 = {segments[i]}}, .fd_out = -1};
    int error = kern_call(&args);
    if (!error && args.fd_in < 0) error = -EPROTO;
    if (error) {
      close_all(fds, i);
      return error;
    }
    fds[i] = args.fd_in;
  }
  return 0;
}

/* For a plain program, which has no state. Takes over `fds`. */
static void *map_plain(const int *fds, unsigned n, size_t bytes, int prot) {
  uint8_t *at = mmap(NULL, n * bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int error = at == MAP_FAILED ? errno : 0;
  for (unsigned i = 0; i < n && !error; i++)
    if (mmap(at + i * bytes, bytes, prot, MAP_SHARED | MAP_FIXED, fds[i], 0) == MAP_FAILED)
      error = errno;
  close_all(fds, n);
  if (error && at != MAP_FAILED) munmap(at, n * bytes);
  errno = error;
  return error ? NULL : at;
}

static void *map_segments(const int *fds, const struct mem_map_reply *what) {
  size_t bytes = what->segment_bytes;
  if (st_self()) return st_map_run(fds, what->segments, bytes);
  int prot = what->rights & MEM_WRITE ? PROT_READ | PROT_WRITE : PROT_READ;
  return map_plain(fds, what->segments, bytes, prot);
}

static int unmap(struct sys_area *mapped) {
  int error = 0;
  if (st_self())
    error = st_unmap_shared(mapped->address, mapped->bytes);
  else if (munmap(mapped->address, mapped->bytes) < 0)
    error = -errno;
  *mapped = (struct sys_area){0};
  return error;
}

static int release(uint32_t grant) {
  msg_t m = {.type = MEM_RELEASE};
  IPC(&m, mem_release)->grant = grant;
  return ask(&m, NULL, 0);
}

int sys_area_map(uint32_t grant, struct sys_area *mapped) {
  uint32_t segments[MEM_SEGMENTS_MAX];
  int fds[MEM_SEGMENTS_MAX];
  msg_t m = {.type = MEM_MAP};
  IPC(&m, mem_map)->grant = grant;
  int error = ask(&m, segments, sizeof(segments));
  if (error) return error;
  const struct mem_map_reply what = *IPC_REPLY(&m, mem_map);
  if (what.segments == 0 || what.segments > MEM_SEGMENTS_MAX ||
      m.payload != what.segments * sizeof(segments[0]))
    return -EPROTO;
  error = open_segments(segments, what.segments, fds);
  uint8_t *address = error ? NULL : map_segments(fds, &what);
  if (!error && !address) error = -errno;
  if (error) {
    release(grant);
    return error;
  }
  *mapped = (struct sys_area){address, what.bytes, grant, what.rights, what.owner};
  return 0;
}

int sys_area_unmap(struct sys_area *mapped) {
  if (!mapped->address) return 0;
  uint32_t grant = mapped->grant;
  int error = unmap(mapped), answer = release(grant);
  return error ? error : answer;
}

int sys_area_create(size_t bytes, size_t segment_bytes, struct sys_area *mapped, uint32_t *area) {
  msg_t m = {.type = MEM_CREATE};
  IPC(&m, mem_create)->bytes = bytes;
  IPC(&m, mem_create)->segment_bytes = segment_bytes;
  int error = ask(&m, NULL, 0);
  if (error) return error;
  *area = IPC_REPLY(&m, mem_create)->area;
  error = sys_area_map(IPC_REPLY(&m, mem_create)->grant, mapped);
  if (!error) return 0;
  msg_t end = {.type = MEM_DESTROY};
  IPC(&end, mem_destroy)->area = *area;
  IPC(&end, mem_destroy)->patience_ms = 1; /* nobody else has any of it */
  ask(&end, NULL, 0);
  return error;
}

int sys_area_grant(uint32_t area, endpoint_t to, size_t first, size_t bytes, uint32_t rights,
                   uint32_t *grant) {
  msg_t m = {.type = MEM_GRANT};
  struct mem_grant *what = IPC(&m, mem_grant);
  what->area = area;
  what->to = to;
  what->first = first;
  what->bytes = bytes;
  what->rights = rights;
  int error = ask(&m, NULL, 0);
  if (!error) *grant = IPC_REPLY(&m, mem_grant)->grant;
  return error;
}

uint32_t sys_area_next_revoked(uint32_t after) {
  msg_t m = {.type = MEM_NEXT_REVOKED};
  IPC(&m, mem_next_revoked)->after = after;
  return ask(&m, NULL, 0) ? 0 : IPC_REPLY(&m, mem_next_revoked)->grant;
}
