/* Asks the counter without a pause and checks every answer: none may be lost, repeated or wrong.
 *
 * Each round adds 1 and expects the total to be one more. Every NOTE_EVERY rounds it adds a note,
 * and then compares the counter's digest of all notes with its own. Prints a line every REPORT_US.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/sys.h"
#include "tests/components/counter.h"

#define NOTE_EVERY 64u
#define NOTES_MAX  20000u
#define REPORT_US  250000u

enum bit { BIT_REPORT };

static endpoint_t counter;
static uint64_t rounds, wrong, notes;
static uint64_t expected_digest = 14695981039346656037ull;
static uint64_t asked_at_us, longest_us;
static uint32_t version;

static void send(msg_t *m, const void *payload, size_t bytes) {
  asked_at_us = sys_time_us();
  int error = sys_call(counter, m, payload, bytes, m->type);
  if (error) {
    sys_log("call of 0x%x: %s", m->type, sys_strerror(error));
    exit(EXIT_FAILURE);
  }
}

static void ask_add(void) {
  msg_t m = {.type = COUNTER_ADD};
  IPC(&m, counter_add)->amount = 1;
  send(&m, NULL, 0);
}

static void ask_note(void) {
  char word[24];
  int n = snprintf(word, sizeof(word), "word %llu", (unsigned long long)notes);
  msg_t m = {.type = COUNTER_NOTE};
  IPC(&m, counter_note)->number = notes++;
  expected_digest = (expected_digest ^ (notes - 1)) * 1099511628211ull;
  for (int i = 0; i < n; i++)
    expected_digest = (expected_digest ^ (uint8_t)word[i]) * 1099511628211ull;
  send(&m, word, (size_t)n);
}

static void ask_check(void) {
  msg_t m = {.type = COUNTER_CHECK};
  send(&m, NULL, 0);
}

static void answered_add(const msg_t *m) {
  rounds++;
  if (m->status || IPC_REPLY(m, counter_add)->total != rounds) wrong++;
  if (rounds % NOTE_EVERY == 0 && notes < NOTES_MAX)
    ask_note();
  else
    ask_add();
}

static void answered_check(const msg_t *m) {
  const struct counter_check_reply *r = IPC_REPLY(m, counter_check);
  if (m->status || r->digest != expected_digest || r->notes != notes) wrong++;
  version = r->version;
  ask_add();
}

static void answered(const msg_t *m) {
  uint64_t us = sys_time_us() - asked_at_us;
  if (us > longest_us) longest_us = us;
  switch (m->cookie) {
  case COUNTER_ADD:
    answered_add(m);
    break;
  case COUNTER_NOTE:
    if (m->status) wrong++;
    ask_check();
    break;
  case COUNTER_CHECK:
    answered_check(m);
    break;
  }
}

static void report(void) {
  sys_log("rounds %llu wrong %llu notes %llu longest_us %llu version %u",
          (unsigned long long)rounds, (unsigned long long)wrong, (unsigned long long)notes,
          (unsigned long long)longest_us, version);
  longest_us = 0;
}

static void report_and_go_on(void) {
  report();
  sys_alarm(BIT_REPORT, sys_time_us() + REPORT_US);
}

static int init(const sys_init_t *info) {
  (void)info;
  counter = sys_lookup("counter");
  report_and_go_on();
  ask_add();
  return 0;
}

int main(void) {
  event_eh_t handlers = {.init = init, .shutdown = report};
  sys_startup(&handlers);
  while (1) {
    msg_t m;
    sys_receive(&m);
    if (m.type & SYS_REPLY_FLAG)
      answered(&m);
    else if (m.type == SYS_NOTIFIED && m.source == SYS_KERNEL && (m.bits & (1u << BIT_REPORT)))
      report_and_go_on();
  }
}
