#include "servers/pm/request.h"

#include <errno.h>
#include <string.h>

/* @return the end of `n` NUL-terminated strings, or NULL */
static const char *skip_strings(const char *at, const char *end, uint32_t n) {
  for (; n > 0; n--) {
    const char *nul = memchr(at, 0, (size_t)(end - at));
    if (!nul) return NULL;
    at = nul + 1;
  }
  return at;
}

int request_parse(const char *payload, size_t bytes, struct spawn_request *r) {
  const char *end = payload + bytes;
  if (bytes < sizeof(r->head)) return -EINVAL;
  memcpy(&r->head, payload, sizeof(r->head));
  const struct proc_spawn *h = &r->head;
  if (h->nfds > PROC_FDS_MAX || h->nargs == 0 || h->nargs > bytes || h->nenv > bytes)
    return -EINVAL;
  if (bytes - sizeof(*h) < h->nfds * sizeof(struct proc_fd)) return -EINVAL;
  r->fds = payload + sizeof(*h);
  r->strings = r->fds + h->nfds * sizeof(struct proc_fd);
  r->env = skip_strings(r->strings, end, 1 + h->nargs);
  if (!r->env || skip_strings(r->env, end, h->nenv) != end) return -EINVAL;
  r->program_bytes = (size_t)(r->env - r->strings);
  r->env_bytes = (size_t)(end - r->env);
  return 0;
}
