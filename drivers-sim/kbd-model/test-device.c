/* The keyboard controller and the keyboard, without a bus. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bus/test-run.h"
#include "device.h"
#include "host.h"

static struct device device;
static uint32_t bar[I8042_BAR_BYTES / 4];
static uint64_t now_us, timer_us;
static unsigned interrupts;

void host_interrupt(void) {
  interrupts++;
}

void host_timer(uint64_t at_us) {
  timer_us = at_us;
}

uint64_t host_now_us(void) {
  return now_us;
}

static void command(uint8_t byte) {
  device_write(&device, I8042_COMMAND, byte);
}

static void data(uint8_t byte) {
  device_write(&device, I8042_DATA, byte);
}

static bool is_full(void) {
  return device_read(&device, I8042_STATUS) & I8042_OUTPUT_FULL;
}

static void expect(const char *bytes, size_t n) {
  for (size_t i = 0; i < n; i++) {
    ck_assert_msg(is_full(), "byte %zu does not come", i);
    ck_assert_uint_eq(device_read(&device, I8042_DATA), (uint8_t)bytes[i]);
  }
  ck_assert(!is_full());
}
#define EXPECT(text) expect(text, sizeof(text) - 1)

static void configure(uint8_t config) {
  command(I8042_WRITE_CONFIG);
  data(config);
}

static void setup(void) {
  memset(bar, 0xFF, sizeof(bar));
  now_us = 1000000;
  timer_us = interrupts = 0;
  device_init(&device, bar);
  command(I8042_ENABLE);
}

START_TEST(controller_commands) {
  command(I8042_SELF_TEST);
  EXPECT("\x55");
  ck_assert(device_read(&device, I8042_STATUS) & I8042_SYSTEM);
  ck_assert(device_read(&device, I8042_STATUS) & I8042_WAS_COMMAND);
  command(I8042_PORT_TEST);
  EXPECT("\x00");
  configure(I8042_TRANSLATE);
  ck_assert(!(device_read(&device, I8042_STATUS) & I8042_WAS_COMMAND));
  command(I8042_READ_CONFIG);
  EXPECT("\x40");
  command(0x99);
  ck_assert(!is_full());
}
END_TEST

START_TEST(keyboard_commands) {
  data(KEYBOARD_ECHO);
  EXPECT("\xEE");
  data(KEYBOARD_IDENTIFY);
  EXPECT("\xFA\xAB\x83");
  data(KEYBOARD_RESET);
  EXPECT("\xFA\xAA");
  data(KEYBOARD_SET);
  data(0);
  EXPECT("\xFA\xFA\x02");
  data(KEYBOARD_LEDS);
  data(4);
  EXPECT("\xFA\xFA");
  ck_assert_uint_eq(device.keyboard.leds, 4);
  data(0x12);
  EXPECT("\xFE");
}
END_TEST

START_TEST(codes_of_set_2_and_of_set_1) {
  ck_assert(device_key(&device, 0x1E, true) && device_key(&device, 0x1E, false));
  ck_assert(device_key(&device, KEY_UP, true) && device_key(&device, KEY_UP, false));
  EXPECT("\x1C\xF0\x1C\xE0\x75\xE0\xF0\x75");
  ck_assert_uint_eq(interrupts, 0);
  configure(I8042_TRANSLATE | I8042_INTERRUPT);
  device_key(&device, 0x1E, true), device_key(&device, 0x1E, false);
  device_key(&device, KEY_UP, true), device_key(&device, KEY_UP, false);
  EXPECT("\x1E\x9E\xE0\x48\xE0\xC8");
  ck_assert_uint_eq(interrupts, 6);
}
END_TEST

START_TEST(a_full_keyboard_takes_no_more) {
  unsigned n = 0;
  while (n < 100 && device_key(&device, 0x1E, true))
    n++;
  ck_assert_uint_ge(n, KEYBOARD_BUFFER_BYTES - 2);
  ck_assert(!device_has_room(&device));
  for (unsigned i = 0; i < n; i++)
    ck_assert_uint_eq(device_read(&device, I8042_DATA), 0x1C);
  ck_assert(!is_full() && device_has_room(&device));
}
END_TEST

START_TEST(disabled_keyboard_waits) {
  command(I8042_DISABLE);
  device_key(&device, 0x1E, true);
  ck_assert(!is_full());
  command(I8042_ENABLE);
  EXPECT("\x1C");
  data(KEYBOARD_NO_SCAN);
  EXPECT("\xFA");
  device_key(&device, 0x1E, false);
  ck_assert(!is_full());
}
END_TEST

START_TEST(held_key_repeats_at_the_rate) {
  data(KEYBOARD_RATE);
  data(0); /* 250 ms, then 30 a second */
  EXPECT("\xFA\xFA");
  device_key(&device, 0x1E, true);
  EXPECT("\x1C");
  ck_assert_uint_eq(timer_us, now_us + 250000);
  now_us = timer_us;
  device_timer(&device);
  EXPECT("\x1C");
  ck_assert_uint_eq(timer_us, now_us + 33360);
  device_key(&device, 0x1E, false);
  EXPECT("\xF0\x1C");
  ck_assert_uint_eq(timer_us, 0);
}
END_TEST

START_TEST(unknown_keys_and_ports) {
  bool unknown;
  ck_assert(!device_key(&device, 0, true));
  ck_assert(!device_key(&device, KEY_EXTENDED | 0x1E, true));
  ck_assert(!device_key(&device, 0x7F, true));
  ck_assert(!device_type(&device, 0x9C, &unknown) && unknown);
  ck_assert_uint_eq(device_read(&device, 2), UINT32_MAX);
  ck_assert_uint_eq(device_read(&device, UINT32_MAX), UINT32_MAX);
  device_write(&device, UINT32_MAX, 1);
  device_write(&device, I8042_STATUS, 1);
  ck_assert(!is_full());
}
END_TEST

START_TEST(random_bytes) {
  srandom(3);
  for (unsigned i = 0; i < 100000; i++) {
    device_write(&device, (uint32_t)(random() % 4) * 4, (uint8_t)random());
    device_key(&device, (uint8_t)random(), random() % 2);
    if (random() % 2) device_read(&device, I8042_DATA);
    now_us += 1000;
    if (timer_us && timer_us <= now_us) device_timer(&device);
    ck_assert_uint_le(device.keyboard.used, KEYBOARD_BUFFER_BYTES);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("kbd-model");
  TCase *t = tcase_create("kbd-model");
  tcase_add_checked_fixture(t, setup, NULL);
  tcase_add_test(t, controller_commands);
  tcase_add_test(t, keyboard_commands);
  tcase_add_test(t, codes_of_set_2_and_of_set_1);
  tcase_add_test(t, a_full_keyboard_takes_no_more);
  tcase_add_test(t, disabled_keyboard_waits);
  tcase_add_test(t, held_key_repeats_at_the_rate);
  tcase_add_test(t, unknown_keys_and_ports);
  tcase_add_test(t, random_bytes);
  suite_add_tcase(suite, t);
  return test_run(suite);
}
