/* What is checked when an update is requested, before anything starts. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus/needs.h"
#include "libst/fault.h"
#include "libst/meta.h"
#include "libst/st.h"
#include "libsys/kern.h"
#include "updmgr/member.h"
#include "updmgr/signed.h"
#include "updmgr/symbols.h"

static int refuse(char *why, size_t cap, int error, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static int refuse(char *why, size_t cap, int error, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(why, cap, fmt, ap);
  va_end(ap);
  return error;
}

static int lookup(struct member *m, char *why, size_t cap) {
  struct kern_args args = {
      .m = {.type = KERN_LOOKUP}, .fd_out = -1, .out = m->name, .out_len = strlen(m->name) + 1};
  if (kern_call(&args) || args.m.i32[0] < 0)
    return refuse(why, cap, -ENOENT, "there is no component of that name in the manifest");
  m->endpoint = args.m.i32[0];
  return 0;
}

static void take_calls(struct member *m, const struct bus_edge *edges, unsigned n) {
  m->ncalls = 0;
  for (unsigned i = 0; i < n; i++)
    if (edges[i].rights & BUS_RIGHT_SENDREC) m->calls[m->ncalls++] = edges[i].endpoint;
}

static int check_filter(const struct st_meta *running, const struct member *m, char *why,
                        size_t cap) {
  if (!*m->filter) return 0;
  char error[512];
  if (strlen(m->filter) >= BUS_FILTER_MAX)
    return refuse(why, cap, -E2BIG, "its state filter is longer than %u bytes", BUS_FILTER_MAX - 1);
  struct st_filter *filter = st_filter_compile(running, m->filter, error, sizeof(error));
  if (!filter) return refuse(why, cap, -EINVAL, "state filter '%s': %s", m->filter, error);
  st_filter_free(filter);
  return 0;
}

static int check_checks(const struct st_meta *running, const struct st_meta *new,
                        const struct member *m, char *why, size_t cap) {
  char error[512];
  int status = 0;
  if (m->options_bytes > BUS_OPTIONS_MAX)
    return refuse(why, cap, -E2BIG, "its checks are longer than %u bytes", BUS_OPTIONS_MAX);
  struct st_options *options = st_options_unpack(m->options, m->options_bytes);
  if (!options) return refuse(why, cap, -ENOMEM, "its options cannot be read");
  for (size_t i = 0; i < options->check_count && !status; i++) {
    const char *text = options->checks[i];
    status = st_check_compile(running, new, text, error, sizeof(error));
    if (status) refuse(why, cap, status, "check '%s': %s", text, error);
  }
  st_options_free(options);
  return status;
}

static int check_against(const struct st_meta *running, struct member *m, char *why, size_t cap) {
  char error[512];
  struct st_meta *new = st_meta_open(m->exe_fd, error, sizeof(error));
  if (!new)
    return refuse(why, cap, -ENOEXEC,
                  "%s is not an instrumented executable (%s). Build it as a component: "
                  "st-instrument must run after the link, and nothing may strip it",
                  m->path, error);
  int status = 0;
  if (!has_symbols(m->exe_fd))
    status = refuse(why, cap, -ENOEXEC,
                    "%s is stripped: no report of a crash could name what it was in. Give the "
                    "executable as st-instrument wrote it",
                    m->path);
  else if (strcmp(st_meta_component(new), st_meta_component(running)) != 0)
    status = refuse(why, cap, -EINVAL, "%s was built for component %s, but a version of %s runs",
                    m->path, st_meta_component(new), st_meta_component(running));
  else
    status = check_checks(running, new, m, why, cap);
  st_meta_build_id(new, m->new_build_id);
  st_meta_close(new);
  return status;
}

static int check_files(struct member *m, int running_fd, char *why, size_t cap) {
  char error[512];
  struct st_meta *running = st_meta_open(running_fd, error, sizeof(error));
  if (!running)
    return refuse(why, cap, -ENODATA,
                  "its running version is not instrumented (%s): it cannot be updated", error);
  int status = check_against(running, m, why, cap);
  if (!status) status = check_filter(running, m, why, cap);
  st_meta_close(running);
  return status;
}

int member_check(struct member *m, char *why, size_t cap) {
  if (st_fault("um.check", ENOMEM)) return refuse(why, cap, -ENOMEM, "out of memory");
  int status = lookup(m, why, cap);
  if (status) return status;
  struct kern_info info;
  struct bus_edge edges[MEMBER_EDGES_MAX];
  const char *given;
  int running_fd = -1;
  status = kern_info(m->endpoint, &info, edges, MEMBER_EDGES_MAX, &given, &running_fd);
  if (status == -EBUSY) return refuse(why, cap, status, "a debugger holds %s", m->name);
  if (status || info.pid <= 0 || running_fd < 0) {
    if (running_fd >= 0) close(running_fd);
    return refuse(why, cap, -ESRCH, "it is not running");
  }
  if (info.probation_ms) {
    close(running_fd);
    return refuse(
        why, cap, -EBUSY,
        m->endpoint == SYS_KERNEL
            ? "versions are on probation for another %u ms, which the bus must see through"
            : "it is on probation since its last update, for another %u ms",
        info.probation_ms);
  }
  if (m->endpoint == SYS_KERNEL && (*m->filter || *m->allow)) {
    close(running_fd);
    return refuse(why, cap, -ENOTSUP,
                  "it is quiescent between any two messages: it takes no filter");
  }
  take_calls(m, edges, info.nedges < MEMBER_EDGES_MAX ? info.nedges : MEMBER_EDGES_MAX);
  memcpy(m->old_build_id, info.build_id, sizeof(m->old_build_id));
  if (m->self) {
    if (m->exe_fd >= 0) close(m->exe_fd);
    m->exe_fd = running_fd;
  }
  /* The signature first: nothing else reads what is not signed. */
  status = signed_check(m, running_fd, why, cap);
  if (!status) status = needs_check(m->exe_fd, m->path, given, info.given, why, cap);
  if (!status) status = check_files(m, running_fd, why, cap);
  if (!m->self) close(running_fd);
  return status;
}

void member_name(endpoint_t ep, char name[BUS_NAME_MAX]) {
  struct kern_info info;
  struct bus_edge edges[1];
  int exe = -1;
  snprintf(name, BUS_NAME_MAX, "component %d", ep);
  if (kern_info(ep, &info, edges, 1, NULL, &exe) == 0) memcpy(name, info.name, BUS_NAME_MAX);
  if (exe >= 0) close(exe);
}
