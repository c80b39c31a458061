#include "libsys/kern.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "libsys/channel.h"
#include "libsys/runtime.h"

int kern_call(struct kern_args *args) {
  struct bus_op op = {
      .code = BUS_OP_SENDREC, .dst = SYS_KERNEL, .payload = (uint32_t)args->out_len, .m = args->m};
  struct channel_in in = {.buf = args->in, .cap = args->in_cap};
  channel_exchange(&op, args->out, args->fd_out, &in);
  args->fd_in = -1;
  if (in.nfds) {
    args->fd_in = in.fds[0];
    in.fds[0] = in.fds[--in.nfds];
    channel_drop_fds(&in);
  }
  args->m = in.d.m;
  int error = in.d.error ? in.d.error : in.d.m.status;
  if (error && args->fd_in >= 0) {
    close(args->fd_in);
    args->fd_in = -1;
  }
  return error;
}

int kern_info(endpoint_t ep, struct kern_info *info, struct bus_edge *edges, unsigned max,
              const char **given, int *exe_fd) {
  struct kern_args args = {.m = {.type = KERN_INFO, .i32 = {ep}}, .fd_out = -1};
  static uint8_t buf[SYS_PAYLOAD_MAX];
  args.in = buf;
  args.in_cap = sizeof(buf);
  int error = kern_call(&args);
  if (error) return error;
  memcpy(info, buf, sizeof(*info));
  unsigned n = info->nedges < max ? info->nedges : max;
  memcpy(edges, buf + sizeof(*info), n * sizeof(*edges));
  if (given) *given = (const char *)buf + sizeof(*info) + info->nedges * sizeof(*edges);
  *exe_fd = args.fd_in;
  return 0;
}

static size_t append(uint8_t *to, size_t used, const void *from, size_t bytes) {
  if (bytes) memcpy(to + used, from, bytes);
  return used + bytes;
}

int kern_load(endpoint_t ep, uint64_t txid, const struct kern_load *load) {
  static uint8_t out[BUS_FILTER_MAX + BUS_SIGNATURE_MAX + BUS_OPTIONS_MAX];
  size_t filter_bytes = strlen(load->filter) + 1, used = 0;
  if (filter_bytes > BUS_FILTER_MAX || load->signature_bytes > BUS_SIGNATURE_MAX ||
      load->options_bytes > BUS_OPTIONS_MAX)
    return -E2BIG;
  used = append(out, used, load->filter, filter_bytes);
  used = append(out, used, load->signature, load->signature_bytes);
  used = append(out, used, load->options, load->options_bytes);
  struct kern_args args = {
      .m = {.type = KERN_LOAD}, .fd_out = load->exe_fd, .out = out, .out_len = used};
  args.m.i32[0] = ep;
  args.m.u64[1] = txid;
  args.m.u32[4] = (uint32_t)filter_bytes;
  args.m.u32[5] = (uint32_t)load->signature_bytes;
  int error = kern_call(&args);
  if (args.fd_in >= 0) close(args.fd_in);
  return error ? error : args.m.i32[0];
}

static int simple_call(uint32_t type, endpoint_t ep) {
  struct kern_args args = {.m = {.type = type, .i32 = {ep}}, .fd_out = -1};
  return kern_call(&args);
}

int kern_converge(endpoint_t ep, const void *allow, size_t allow_bytes) {
  struct kern_args args = {.m = {.type = KERN_CONVERGE, .i32 = {ep}},
                           .fd_out = -1,
                           .out = allow,
                           .out_len = allow_bytes};
  return kern_call(&args);
}

int kern_waits(endpoint_t ep, struct kern_waits *head, struct kern_wait waits[KERN_WAITS_MAX]) {
  struct {
    struct kern_waits head;
    struct kern_wait waits[KERN_WAITS_MAX];
  } in = {0};
  struct kern_args args = {.m = {.type = KERN_WAITS, .i32 = {ep}}, .fd_out = -1};
  args.in = &in;
  args.in_cap = sizeof(in);
  int error = kern_call(&args);
  if (error) return error;
  if (in.head.count > KERN_WAITS_MAX) return -EPROTO;
  *head = in.head;
  memcpy(waits, in.waits, in.head.count * sizeof(*waits));
  return 0;
}

int kern_journal(void) {
  struct kern_args args = {.m = {.type = KERN_JOURNAL}, .fd_out = -1};
  int error = kern_call(&args);
  return error ? error : args.fd_in;
}

int kern_abort(endpoint_t ep) {
  return simple_call(KERN_ABORT, ep);
}

int kern_commit(uint64_t txid, const endpoint_t *members, unsigned n,
                const struct kern_commit_limits *limits) {
  struct kern_args args = {
      .m = {.type = KERN_COMMIT}, .fd_out = -1, .out = members, .out_len = n * sizeof(*members)};
  args.m.u64[0] = txid;
  args.m.u32[2] = n;
  args.m.u32[3] = limits->converge_ms;
  args.m.u32[4] = limits->transfer_ms;
  args.m.u32[5] = limits->probation_ms;
  return kern_call(&args);
}

int kern_control_send(uint64_t connection, const void *packed, size_t bytes, bool last) {
  struct kern_args args = {
      .m = {.type = KERN_CONTROL_SEND}, .fd_out = -1, .out = packed, .out_len = bytes};
  args.m.u64[0] = connection;
  args.m.u32[2] = last;
  return kern_call(&args);
}

int kern_report(unsigned phase, int status, const char *text) {
  struct kern_args args = {.m = {.type = KERN_REPORT}, .fd_out = -1};
  args.m.u32[0] = phase;
  args.m.i32[1] = status;
  if (text && *text) {
    args.out = text;
    args.out_len = strlen(text) + 1;
  }
  return kern_call(&args);
}
