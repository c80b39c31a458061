/* The driver against the device model, played by a client, in one process without a bus. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../nvme-model/device.h"
#include "../../nvme-model/host.h"
#include "bus/test-run.h"
#include "drivers-sim/test-component.h"
#include "libsys/if/device.h"
#include "libsys/if/disk.h"
#include "libsys/sys.h"

enum {
  MODEL = 1,
  CLIENT = 3,
  COMMANDS = 64,
  FRAMES_BYTES = 1 << 20,
  RINGS_WINDOW = 40960,
  MEDIA = 4 << 20
};

static struct device device;
static uint32_t *bar;
static char *rings, *frames, *media;
static bool doorbell, interrupt, device_is_dead, deaf;
static uint64_t client_bits, now_us, alarm_us;
static unsigned lines; /* in the driver's log */
static msg_t last_reply;

/* ---- the device's surroundings ---- */

void host_interrupt(void) {
  interrupt = true;
}

void host_complain(const char *what) {
  ck_abort_msg("the device complains: %s", what);
}

/* ---- libsys, for the driver ---- */

int sys_sendrec(endpoint_t dst, msg_t *m) {
  ck_assert_int_eq(dst, MODEL);
  if (device_is_dead) return -SYS_EDEADSRCDST;
  msg_t reply = {.type = m->type | SYS_REPLY_FLAG};
  if (m->type == DEVICE_READ)
    IPC_REPLY(&reply, device_read)->value = device_read(&device, IPC(m, device_read)->reg);
  else
    device_write(&device, IPC(m, device_write)->reg, IPC(m, device_write)->value);
  *m = reply;
  return 0;
}

int sys_notify(endpoint_t dst, uint64_t bits) {
  if (dst == MODEL)
    doorbell = true;
  else if (dst == CLIENT)
    client_bits |= bits;
  else
    ck_abort_msg("a notification of %d", dst);
  return 0;
}

int sys_reply(uint64_t token, const msg_t *m) {
  (void)token;
  last_reply = *m;
  return 0;
}

endpoint_t sys_lookup(const char *name) {
  return strcmp(name, "nvme-model") == 0 ? MODEL : -ENOENT;
}

void *sys_region(const char *name, size_t *bytes) {
  *bytes = RINGS_WINDOW;
  if (strcmp(name, "disk0.rings") == 0) return rings;
  *bytes = FRAMES_BYTES;
  if (strcmp(name, "disk0.frames") == 0) return frames;
  *bytes = NVME_BAR_BYTES;
  return bar;
}

void sys_log(const char *fmt, ...) {
  (void)fmt;
  lines++;
}

const char *sys_strerror(int error) {
  return strerror(-error);
}

uint64_t sys_time_us(void) {
  return now_us;
}

int sys_alarm(unsigned bit, uint64_t at_us) {
  ck_assert_uint_eq(bit, 0);
  alarm_us = at_us;
  return 0;
}

/* ---- the table ---- */

static void power_on(void) {
  struct media m;
  struct dma_window windows[DMA_WINDOWS] = {
      [DMA_RINGS] = {rings, RINGS_WINDOW}, [DMA_FRAMES] = {frames, FRAMES_BYTES}};
  media_open_memory(&m, media, MEDIA);
  device_init(&device, bar, windows, &m);
}

/* Everybody runs until nobody has anything to do; a deaf device does not. */
static void settle(void) {
  while ((doorbell && !deaf) || interrupt) {
    if (doorbell && !deaf) {
      doorbell = false;
      device_look(&device);
    }
    if (interrupt) {
      interrupt = false;
      component_receive((msg_t){.type = SYS_NOTIFIED, .source = MODEL, .bits = DEVICE_IRQ});
    }
  }
}

static void time_passes(uint64_t us) {
  now_us += us;
  if (!alarm_us || alarm_us > now_us) return;
  alarm_us = 0;
  component_receive((msg_t){.type = SYS_NOTIFIED, .source = SYS_KERNEL, .bits = 1});
  settle();
}

static int32_t request(uint32_t type) {
  component_receive((msg_t){.type = type, .source = CLIENT, .token = 1});
  ck_assert_uint_eq(last_reply.type, type | SYS_REPLY_FLAG);
  return last_reply.status;
}

static char *pages(size_t bytes) {
  char *p = aligned_alloc(4096, bytes);
  return memset(p, 0, bytes);
}

static void setup(void) {
  static char *argv[] = {"nvme", "disk0", "nvme-model", "100", NULL};
  bar = (uint32_t *)(void *)pages(NVME_BAR_BYTES);
  rings = pages(RINGS_WINDOW);
  frames = pages(FRAMES_BYTES);
  media = pages(MEDIA);
  doorbell = interrupt = device_is_dead = deaf = false;
  client_bits = alarm_us = 0;
  now_us = 1000000;
  power_on();
  component_start(4, argv);
  ck_assert_int_eq(request(DISK_START), 0);
  dq_want_items(disk_ring(frames, DISK_RING_DONE));
}

static void teardown(void) {
  free(bar);
  free(rings);
  free(frames);
  free(media);
}

/* ---- the client ---- */

static uint32_t page_at(uint32_t i) {
  return DISK_PAGES_OFFSET + i * DISK_PAGE_BYTES;
}

static struct disk_request transfer(uint32_t operation, uint64_t block, uint32_t blocks,
                                    uint32_t first_page) {
  struct disk_request r = {.operation = operation, .status = 1, .block = block, .blocks = blocks};
  for (uint32_t i = 0; i < DISK_REQUEST_PAGES; i++)
    r.page[i] = page_at(first_page + i);
  return r;
}

static void submit(uint32_t number, struct disk_request r) {
  if (number < DISK_REQUESTS) *disk_record(frames, number) = r;
  ck_assert(dq_push(disk_ring(frames, DISK_RING_SUBMIT), (struct dq_desc){number, 0, 77}));
  if (dq_must_notify_consumer(disk_ring(frames, DISK_RING_SUBMIT)))
    component_receive((msg_t){.type = SYS_NOTIFIED, .source = CLIENT, .bits = DISK_TO_DRIVER});
  settle();
}

static bool take_done(uint32_t *number) {
  struct dq_desc d;
  bool any = dq_pop(disk_ring(frames, DISK_RING_DONE), &d);
  if (!any) return dq_want_items(disk_ring(frames, DISK_RING_DONE));
  ck_assert_uint_eq(d.cookie, 77);
  *number = d.offset;
  return true;
}

static int32_t run(struct disk_request r) {
  uint32_t number;
  submit(5, r);
  ck_assert(take_done(&number));
  ck_assert_uint_eq(number, 5);
  ck_assert(client_bits & DISK_TO_CLIENT_DONE);
  return disk_record(frames, 5)->status;
}

START_TEST(tells_the_size) {
  ck_assert_uint_eq(IPC_REPLY(&last_reply, disk_start)->blocks, MEDIA / LBA_BYTES);
  ck_assert_uint_eq(IPC_REPLY(&last_reply, disk_start)->block_bytes, LBA_BYTES);
}
END_TEST

START_TEST(start_tells_once_that_power_was_lost) {
  ck_assert_uint_eq(IPC_REPLY(&last_reply, disk_start)->lost, 1); /* it has just been switched on */
  ck_assert_int_eq(request(DISK_START), 0);
  ck_assert_uint_eq(IPC_REPLY(&last_reply, disk_start)->lost, 0);
  component_receive((msg_t){.type = SYS_EXITED, .i32 = {CLIENT}});
  power_on();
  component_receive((msg_t){.type = SYS_RESTARTED, .i32 = {MODEL}});
  ck_assert_int_eq(request(DISK_START), 0);
  ck_assert_uint_eq(IPC_REPLY(&last_reply, disk_start)->lost, 1);
}
END_TEST

/* The news of the device's death comes only after it was found late, and is up again. */
START_TEST(power_cut_that_nobody_has_told_of) {
  uint32_t number;
  client_bits = 0;
  deaf = true;
  submit(1, (struct disk_request){.operation = DISK_FLUSH});
  power_on();
  deaf = doorbell = false;
  time_passes(200000);
  ck_assert(client_bits & DISK_TO_CLIENT_LOST);
  ck_assert(take_done(&number) && number == 1);
  ck_assert(!take_done(&number));
  ck_assert_int_eq(disk_record(frames, 1)->status, -EIO);
  client_bits = 0;
  component_receive((msg_t){.type = SYS_RESTARTED, .i32 = {MODEL}});
  ck_assert(!(client_bits & DISK_TO_CLIENT_LOST));
  ck_assert_int_eq(run((struct disk_request){.operation = DISK_FLUSH}), 0);
}
END_TEST

/* Between the driver's look at the device and its first word to it. */
START_TEST(power_cut_while_the_driver_starts_the_device) {
  client_bits = 0;
  deaf = true;
  submit(1, (struct disk_request){.operation = DISK_FLUSH});
  power_on();
  bar[NVME_AQA / 4] = 1; /* which it has written before it looks again */
  deaf = doorbell = false;
  time_passes(200000);
  ck_assert(client_bits & DISK_TO_CLIENT_LOST);
  ck_assert_int_eq(disk_record(frames, 1)->status, -EIO);
}
END_TEST

START_TEST(reads_what_was_written) {
  static const uint32_t sizes[] = {1, 8, 9, 16, 17, 24, 255, 256};
  uint32_t bytes = sizes[_i] * LBA_BYTES;
  for (uint32_t i = 0; i < bytes; i++)
    frames[page_at(0) + i] = (char)(i * 7 + i / 512);
  ck_assert_int_eq(run(transfer(DISK_WRITE, 11, sizes[_i], 0)), 0);
  ck_assert_int_eq(run((struct disk_request){.operation = DISK_FLUSH}), 0);
  ck_assert_int_eq(memcmp(media + 11 * LBA_BYTES, frames + page_at(0), bytes), 0);
  ck_assert_int_eq(run(transfer(DISK_READ, 11, sizes[_i], 40)), 0);
  ck_assert_int_eq(memcmp(frames + page_at(40), frames + page_at(0), bytes), 0);
  ck_assert_int_eq(run(transfer(DISK_ZERO, 11, sizes[_i], 0)), 0);
  ck_assert_int_eq(run(transfer(DISK_READ, 11, sizes[_i], 40)), 0);
  for (uint32_t i = 0; i < bytes; i++)
    ck_assert_int_eq(frames[page_at(40) + i], 0);
}
END_TEST

START_TEST(many_are_under_way_and_all_come_back) {
  bool seen[DISK_REQUESTS] = {false};
  uint32_t number, n = 0;
  deaf = true;
  for (uint32_t i = 0; i < DISK_REQUESTS; i++)
    submit(i, transfer(DISK_READ, i, 1, i % 200));
  ck_assert_int_eq(request(DISK_INFO), 0);
  ck_assert_uint_eq(IPC_REPLY(&last_reply, disk_info)->under_way, COMMANDS - 1);
  deaf = false;
  for (settle(); take_done(&number); n++) {
    ck_assert(!seen[number] && disk_record(frames, number)->status == 0);
    seen[number] = true;
  }
  ck_assert_uint_eq(n, DISK_REQUESTS);
}
END_TEST

#define LAST (MEDIA / LBA_BYTES - 1)
static const struct {
  struct disk_request r;
  int32_t status;
} wrongs[] = {
    {{.operation = 0, .blocks = 1}, -EINVAL},
    {{.operation = 9, .blocks = 1}, -EINVAL},
    {{.operation = DISK_READ, .blocks = 0}, -EINVAL},
    {{.operation = DISK_READ, .blocks = 257}, -EINVAL},
    {{.operation = DISK_ZERO, .blocks = 65537}, -EINVAL},
    {{.operation = DISK_READ, .blocks = 1}, -EINVAL}, /* page 0: the rings */
    {{.operation = DISK_WRITE, .blocks = 1, .page = {DISK_PAGES_OFFSET + 512}}, -EINVAL},
    {{.operation = DISK_WRITE, .blocks = 1, .page = {FRAMES_BYTES}}, -EINVAL},
    {{.operation = DISK_WRITE, .blocks = 9, .page = {DISK_PAGES_OFFSET, 0xFFFFF000u}}, -EINVAL},
    {{.operation = DISK_READ, .block = LAST + 1, .blocks = 1}, -ERANGE},
    {{.operation = DISK_ZERO, .block = LAST, .blocks = 2}, -ERANGE},
    {{.operation = DISK_ZERO, .block = UINT64_MAX, .blocks = 2}, -ERANGE},
};

START_TEST(wrong_requests_are_refused) {
  ck_assert_int_eq(run(wrongs[_i].r), wrongs[_i].status);
  ck_assert_int_eq(run(transfer(DISK_READ, LAST, 1, 0)), 0);
}
END_TEST

START_TEST(record_that_does_not_exist) {
  uint32_t number;
  submit(DISK_REQUESTS, (struct disk_request){0});
  ck_assert(take_done(&number));
  ck_assert_uint_eq(number, DISK_REQUESTS);
}
END_TEST

START_TEST(late_command_has_the_controller_reset) {
  uint32_t number;
  deaf = true;
  submit(1, transfer(DISK_WRITE, 0, 8, 0));
  time_passes(50000);
  ck_assert(!take_done(&number));
  deaf = doorbell = false; /* it never heard of it */
  time_passes(100000);
  ck_assert(take_done(&number) && number == 1);
  ck_assert_int_eq(disk_record(frames, 1)->status, 0);
  request(DISK_INFO);
  ck_assert_uint_eq(IPC_REPLY(&last_reply, disk_info)->resets, 1);
}
END_TEST

START_TEST(power_cut_is_told_and_fails_flushes) {
  uint32_t number, done = 0;
  deaf = true;
  submit(1, transfer(DISK_WRITE, 0, 8, 0));
  submit(2, (struct disk_request){.operation = DISK_FLUSH});
  device_is_dead = true;
  component_receive((msg_t){.type = SYS_EXITED, .i32 = {MODEL}});
  submit(3, transfer(DISK_READ, 0, 8, 10)); /* waits */
  ck_assert(!take_done(&number));
  device_is_dead = deaf = doorbell = false;
  power_on();
  component_receive((msg_t){.type = SYS_RESTARTED, .i32 = {MODEL}});
  settle();
  ck_assert(client_bits & DISK_TO_CLIENT_LOST);
  while (take_done(&number))
    done |= 1u << number;
  ck_assert_uint_eq(done, 2 | 4 | 8);
  ck_assert_int_eq(disk_record(frames, 1)->status, 0);
  ck_assert_int_eq(disk_record(frames, 2)->status, -EIO);
  ck_assert_int_eq(disk_record(frames, 3)->status, 0);
}
END_TEST

START_TEST(device_that_stays_away_fails_requests_in_the_end) {
  uint32_t number;
  device_is_dead = true;
  component_receive((msg_t){.type = SYS_EXITED, .i32 = {MODEL}});
  submit(1, transfer(DISK_READ, 0, 1, 0));
  lines = 0;
  for (unsigned i = 0; i < 100; i++)
    time_passes(1000000);
  ck_assert_uint_eq(lines, 1);
  ck_assert(take_done(&number));
  ck_assert_int_eq(disk_record(frames, 1)->status, -EIO);
  ck_assert_int_eq(request(DISK_START), -EIO);
  device_is_dead = false;
  power_on();
  ck_assert_int_eq(request(DISK_START), 0);
  ck_assert_int_eq(run(transfer(DISK_READ, 0, 1, 0)), 0);
}
END_TEST

START_TEST(client_that_begins_again_has_nothing_under_way) {
  uint32_t number;
  deaf = true;
  submit(1, transfer(DISK_READ, 0, 1, 0));
  component_receive((msg_t){.type = SYS_RESTARTED, .i32 = {CLIENT}});
  ck_assert_int_eq(request(DISK_START), 0);
  frames[page_at(0)] = 'x';
  deaf = false;
  doorbell = true;
  settle();
  ck_assert(!take_done(&number));
  ck_assert_int_eq(frames[page_at(0)], 'x');
}
END_TEST

/* ---- without the rings ---- */

static int32_t asked(endpoint_t source, uint32_t record) {
  msg_t m = {.type = DISK_DO, .source = source, .token = 9};
  last_reply = (msg_t){0};
  IPC(&m, disk_do)->record = record;
  component_receive(m);
  settle();
  return last_reply.status;
}

START_TEST(record_is_done_without_the_rings) {
  uint32_t number;
  strcpy(media + 8 * LBA_BYTES, "here");
  *disk_record(frames, 7) = transfer(DISK_READ, 8, 1, 3);
  deaf = true;
  asked(CLIENT, 7);
  ck_assert_uint_eq(last_reply.type, 0); /* not before it is done */
  deaf = false;
  settle();
  ck_assert_uint_eq(last_reply.type, DISK_DO | SYS_REPLY_FLAG);
  ck_assert_int_eq(last_reply.status, 0);
  ck_assert_str_eq(frames + page_at(3), "here");
  ck_assert(!take_done(&number));
}
END_TEST

START_TEST(wrong_record_is_answered_at_once) {
  *disk_record(frames, 7) = transfer(DISK_READ, UINT64_MAX, 1, 3);
  ck_assert_int_eq(asked(CLIENT, 7), -ERANGE);
  ck_assert_int_eq(asked(CLIENT, DISK_REQUESTS), -EINVAL);
  ck_assert_int_eq(asked(CLIENT + 1, 7), -EPERM);
}
END_TEST

START_TEST(one_command_is_left_to_who_waits) {
  *disk_record(frames, COMMANDS) = transfer(DISK_READ, 0, 1, 3);
  deaf = true;
  for (uint32_t i = 0; i < COMMANDS; i++)
    submit(i, transfer(DISK_READ, i, 1, i));
  ck_assert_int_eq(asked(CLIENT, COMMANDS), 0);
  ck_assert_uint_eq(last_reply.type, 0);
  ck_assert_int_eq(asked(CLIENT, COMMANDS), -EAGAIN);
  deaf = false;
  doorbell = true;
  settle();
  ck_assert_uint_eq(last_reply.type, DISK_DO | SYS_REPLY_FLAG);
  ck_assert_int_eq(last_reply.status, 0);
}
END_TEST

START_TEST(who_begins_again_has_an_answer) {
  *disk_record(frames, 7) = transfer(DISK_READ, 0, 1, 3);
  deaf = true;
  asked(CLIENT, 7);
  deaf = false;
  component_receive((msg_t){.type = SYS_RESTARTED, .i32 = {CLIENT}});
  ck_assert_uint_eq(last_reply.type, DISK_DO | SYS_REPLY_FLAG);
  ck_assert_int_eq(last_reply.status, -EIO);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("nvme");
  TCase *t = tcase_create("nvme");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, tells_the_size);
  tcase_add_test(t, start_tells_once_that_power_was_lost);
  tcase_add_test(t, power_cut_that_nobody_has_told_of);
  tcase_add_test(t, power_cut_while_the_driver_starts_the_device);
  tcase_add_loop_test(t, reads_what_was_written, 0, 8);
  tcase_add_test(t, many_are_under_way_and_all_come_back);
  tcase_add_loop_test(t, wrong_requests_are_refused, 0, sizeof(wrongs) / sizeof(wrongs[0]));
  tcase_add_test(t, record_that_does_not_exist);
  tcase_add_test(t, late_command_has_the_controller_reset);
  tcase_add_test(t, power_cut_is_told_and_fails_flushes);
  tcase_add_test(t, device_that_stays_away_fails_requests_in_the_end);
  tcase_add_test(t, client_that_begins_again_has_nothing_under_way);
  tcase_add_test(t, record_is_done_without_the_rings);
  tcase_add_test(t, wrong_record_is_answered_at_once);
  tcase_add_test(t, one_command_is_left_to_who_waits);
  tcase_add_test(t, who_begins_again_has_an_answer);
  suite_add_tcase(suite, t);
  return test_run(suite);
}
