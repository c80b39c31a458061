/* The new version's side of an update. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libst/alone/alone.h"
#include "libst/descriptor.h"

static void say(Proteos__AloneKind kind, int status, const char *text) {
  /* The supervisor knows which update this process is for. */
  if (message_say(alone.channel, kind, 0, status, text) < 0) _exit(EXIT_FAILURE);
  if (status) _exit(EXIT_FAILURE);
}

static void report(Proteos__AloneKind kind, int err) {
  bool silent = err && !alone.report.used;
  say(kind, err, silent ? strerror(-err) : alone.report.text);
}

static void expect(Proteos__AloneKind kind, struct message *in) {
  if (message_wait(alone.channel, in) < 0 || in->m->kind != kind) _exit(EXIT_FAILURE);
}

static int plan(int old_exe) {
  struct message in;
  expect(PROTEOS__ALONE_KIND__ALONE_PLAN, &in);
  struct st_options *options = st_options_unpack(in.m->options.data, in.m->options.len);
  message_free(&in);
  int err = options ? st_plan(old_exe, options, &alone.report) : -EINVAL;
  st_options_free(options);
  return err;
}

void become(int old_exe, int state) {
  int err = st_init(alone.exe, true);
  if (err)
    say(PROTEOS__ALONE_KIND__ALONE_PLANNED, err,
        err == -ENODATA ? "it is not instrumented (see st-instrument)" : strerror(-err));
  old_exe = descriptor_hide(old_exe);
  report(PROTEOS__ALONE_KIND__ALONE_PLANNED, plan(old_exe));

  err = st_import(state, &alone.report);
  /* The old version has ended or thawed: the supervisor, who knows, ends this process. */
  while (err == -EPIPE)
    pause();
  if (!err) err = st_check(&alone.report);
  if (err) report(PROTEOS__ALONE_KIND__ALONE_TRANSFERRED, err);
  struct message old, live;
  expect(PROTEOS__ALONE_KIND__ALONE_ADOPT, &old);
  if (!old.m->process) _exit(EXIT_FAILURE);
  process_drop_signals();
  report(PROTEOS__ALONE_KIND__ALONE_TRANSFERRED, process_follow(old.m->process));

  expect(PROTEOS__ALONE_KIND__ALONE_LIVE, &live);
  message_free(&live);
  err = st_commit();
  if (err) {
    /* The old version is gone; half of the state is worse than none. */
    fprintf(stderr, "libst: the new version's descriptors cannot be made live: %s\n",
            strerror(-err));
    _exit(EXIT_FAILURE);
  }
  descriptor_close(old_exe);
  alone.update_fd = old.m->process->update_fd;
  alone.makes_signalfds |= old.m->process->makes_signalfds;
  atomic_store(&alone.page->by_signal, alone.update_fd == 0);
  process_wake_by_signal();
  process_become(&old);
  epoll_renew();
  message_free(&old);
  alone.restored = true;
  point_write_back();
}
