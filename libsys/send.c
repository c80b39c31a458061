/* The three ways to talk, and replies. */
#include <errno.h>

#include "libsys/channel.h"
#include "libsys/runtime.h"

/* What recovered state takes for sent must have been sent. Not so an answer: whoever waits for it
 * gets an error instead. */
static void send_if_kept(void) {
  if (runtime.hello.keep) channel_flush();
}

int sys_sendrec_bulk(endpoint_t dst, msg_t *m, const void *out, size_t out_len, void *in,
                     size_t in_cap) {
  if (out_len > SYS_PAYLOAD_MAX) return -EMSGSIZE;
  int error = edge_check(dst, BUS_RIGHT_SENDREC);
  if (error) return error;
  struct bus_op op = {.code = BUS_OP_SENDREC, .dst = dst, .payload = (uint32_t)out_len, .m = *m};
  struct channel_in answer = {.buf = in, .cap = in_cap};
  channel_exchange(&op, out, -1, &answer);
  channel_drop_fds(&answer);
  if (answer.d.error) return answer.d.error;
  *m = answer.d.m;
  return 0;
}

int sys_sendrec(endpoint_t dst, msg_t *m) {
  return sys_sendrec_bulk(dst, m, NULL, 0, NULL, 0);
}

int sys_call(endpoint_t dst, const msg_t *m, const void *out, size_t out_len, uint64_t cookie) {
  if (out_len > SYS_PAYLOAD_MAX) return -EMSGSIZE;
  int error = edge_check(dst, BUS_RIGHT_CALL);
  if (error) return error;
  if (runtime.calls_in_flight >= runtime.hello.calls_max) return -EAGAIN;
  runtime.calls_in_flight++;
  channel_post(BUS_OP_CALL, dst, cookie, m, out, out_len);
  send_if_kept();
  return 0;
}

int sys_notify(endpoint_t dst, uint64_t bits) {
  int error = edge_check(dst, BUS_RIGHT_NOTIFY);
  if (error) return error;
  channel_post(BUS_OP_NOTIFY, dst, bits, NULL, NULL, 0);
  send_if_kept();
  return 0;
}

int sys_reply_bulk(uint64_t token, const msg_t *m, const void *out, size_t out_len) {
  if (out_len > SYS_PAYLOAD_MAX) return -EMSGSIZE;
  if (!runtime.live) return -SYS_ENOTLIVE;
  if (token == 0) return -ESTALE;
  if (token == runtime.last_token) {
    runtime.last_token = 0;
    channel_post(BUS_OP_REPLY, 0, token, m, out, out_len);
    return 0;
  }
  struct bus_op op = {
      .code = BUS_OP_REPLY, .flags = BUS_ACK, .arg = token, .payload = (uint32_t)out_len, .m = *m};
  struct channel_in answer = {0};
  channel_exchange(&op, out, -1, &answer);
  channel_drop_fds(&answer);
  return answer.d.error;
}

int sys_reply_unchecked(uint64_t token, const msg_t *m, const void *out, size_t out_len) {
  if (out_len > SYS_PAYLOAD_MAX) return -EMSGSIZE;
  if (!runtime.live) return -SYS_ENOTLIVE;
  if (token == runtime.last_token) runtime.last_token = 0;
  channel_post(BUS_OP_REPLY, 0, token, m, out, out_len);
  return 0;
}

int sys_reply(uint64_t token, const msg_t *m) {
  return sys_reply_bulk(token, m, NULL, 0);
}
