/* The update point, and the old version's side of an update. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libst/alone.h"
#include "libst/alone/alone.h"

/* Longest slice of write-back between two rounds of the event loop, in microseconds, and how many
 * rounds apart. */
enum { SLICE_US = 200, ROUNDS_PER_SLICE = 16 };

static enum stage {
  STAGE_NONE,
  STAGE_PREPARED,
  STAGE_CONVERGING, /* freezes when it is quiescent */
} stage;

static unsigned update;          /* its number */
static struct st_filter *filter; /* NULL: always holds */
static char *filter_text;
static bool writing_back;
static uintptr_t shallowest; /* frame of a call of st_update_point() */

static void forget(void) {
  st_filter_free(filter);
  filter = NULL;
  stage = STAGE_NONE;
}

static void gone(void) {
  /* The kernel ends the program with its supervisor; this only is first. */
  _exit(1);
}

/* ---- write-back ---- */

void point_write_back(void) {
  writing_back = true;
  atomic_store(&alone.page->wanted, 1);
  uint64_t one = 1;
  /* A program with nothing to do is to come back until it is done. */
  if (alone.wake >= 0 && write(alone.wake, &one, sizeof(one)) < 0) return;
}

static void write_slice(unsigned max_us) {
  int left = st_writeback_slice(max_us);
  if (left < 0) fprintf(stderr, "libst: the state cannot be written back: %s\n", strerror(-left));
  writing_back = left > 0;
}

/* ---- preparing ---- */

static void answer_process(Proteos__AloneKind kind, int status, const char *text) {
  int fds[MESSAGE_FDS];
  size_t count;
  Proteos__Alone m = PROTEOS__ALONE__INIT;
  m.kind = kind;
  m.update = update;
  m.status = status;
  m.text = (char *)text;
  m.process = process_capture(fds, &count);
  if (!m.process) {
    m.status = -ENOMEM;
    m.text = "out of memory";
    count = 0;
  }
  if (message_send(alone.channel, &m, fds, count) < 0) gone();
  if (m.process && m.process->directory) close(fds[count - 1]);
  process_free(m.process);
}

static int prepare(struct message *in, char *error, size_t cap) {
  forget();
  update = in->m->update;
  if (obstacle_find(true, error, cap)) return -EBUSY;
  free(filter_text);
  filter_text = strdup(in->m->filter);
  if (*in->m->filter) {
    filter = st_filter_compile(st_self(), in->m->filter, error, cap);
    if (!filter) return -EINVAL;
  }
  int channel = message_take_fd(in, 0);
  if (channel < 0) return -EPROTO;
  /* What is left of this version's own import goes first. */
  while (writing_back)
    write_slice(SLICE_US);
  return st_export_prepare(channel);
}

/* ---- freezing ---- */

static void thaw(void) {
  st_export_cancel();
  forget();
}

/* Waits until the update is off. If it commits, the process is killed in here. */
static void stay_frozen(void) {
  for (bool frozen = true; frozen;) {
    struct message in;
    if (message_wait(alone.channel, &in) < 0) gone();
    frozen = in.m->kind != PROTEOS__ALONE_KIND__ALONE_THAW || in.m->update != update;
    message_free(&in);
  }
}

static bool cannot_freeze(char *text, size_t cap) {
  return frames_find(text, cap) || obstacle_find(false, text, cap) || stream_find(text, cap);
}

static void freeze(void) {
  char text[512] = "";
  process_hold_signals(true);
  int err = cannot_freeze(text, sizeof(text)) ? -EBUSY : 0;
  if (!err) {
    err = st_export();
    if (err) snprintf(text, sizeof(text), "%s", strerror(-err));
  }
  answer_process(PROTEOS__ALONE_KIND__ALONE_FROZEN, err, text);
  stay_frozen();
  thaw();
  process_hold_signals(false);
}

static void converge(void) {
  int holds = filter ? st_filter_eval(filter) : 1;
  if (holds > 0) freeze();
  if (holds >= 0) return;
  char text[512];
  snprintf(text, sizeof(text), "the state filter '%.400s' %s", filter_text,
           holds == -EDOM ? "divides by zero" : "follows an invalid pointer");
  stage = STAGE_PREPARED;
  answer_process(PROTEOS__ALONE_KIND__ALONE_FROZEN, holds, text);
}

/* ---- the channel ---- */

static void handle(struct message *in) {
  char error[512] = "";
  switch (in->m->kind) {
  case PROTEOS__ALONE_KIND__ALONE_PREPARE:
    thaw();
    int err = prepare(in, error, sizeof(error));
    if (err && !*error) snprintf(error, sizeof(error), "%s", strerror(-err));
    if (err)
      thaw();
    else
      stage = STAGE_PREPARED;
    answer_process(PROTEOS__ALONE_KIND__ALONE_PREPARED, err, error);
    break;
  case PROTEOS__ALONE_KIND__ALONE_CONVERGE:
    if (stage == STAGE_PREPARED && in->m->update == update) stage = STAGE_CONVERGING;
    break;
  case PROTEOS__ALONE_KIND__ALONE_THAW:
    if (in->m->update == update) thaw();
    break;
  default: /* of a newer supervisor */
    break;
  }
}

static void take_messages(void) {
  struct message in;
  int err;
  while ((err = message_receive(alone.channel, &in)) == 0) {
    handle(&in);
    message_free(&in);
  }
  if (err == -EPIPE) gone();
}

static __attribute__((noinline)) void attend(bool top_level) {
  static unsigned rounds;
  uint64_t count;
  if (getpid() != alone.pid) return; /* a child that the program forked: nothing here is for it */
  /* First the mark, then the messages: one that comes meanwhile sets it again. */
  atomic_store(&alone.page->wanted, 0);
  if (writing_back && ++rounds % ROUNDS_PER_SLICE == 0) write_slice(SLICE_US);
  if (!writing_back && read(alone.wake, &count, sizeof(count)) < 0 && errno != EAGAIN) gone();
  take_messages();
  if (stage == STAGE_CONVERGING && top_level) converge();
  if (stage == STAGE_CONVERGING || writing_back) atomic_store(&alone.page->wanted, 1);
}

void st_update_point(void) {
  uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
  if (frame > shallowest) shallowest = frame;
  if (__builtin_expect(atomic_load_explicit(&alone.page->wanted, memory_order_relaxed) != 0, 0))
    attend(frame == shallowest);
}
