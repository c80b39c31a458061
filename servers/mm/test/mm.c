/* The memory server without a bus: what it tells the kernel, and what it answers. */
#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../area.h"
#include "../kernel.h"
#include "../quota.h"
#include "bus/abi.h"
#include "bus/test-run.h"
#include "control.pb-c.h"
#include "drivers-sim/test-component.h"
#include "libsys/if/mem.h"
#include "libsys/kern.h"
#include "libsys/sys.h"

enum { OWNER = 1, HOLDER, OTHER, DEAD, PEERS, PAGE = 4096, NUMBERS = 4096 };

/* ---- the kernel ---- */

static struct {
  uint64_t bytes;
  uint32_t rights[PEERS];
  bool used;
} segments[NUMBERS];
static uint32_t last_segment, make_left;
static int ended[PEERS], end_result;

int kernel_segment_make(uint64_t bytes, uint32_t *id) {
  if (!make_left) return -ENFILE;
  make_left--;
  *id = ++last_segment;
  segments[*id].bytes = bytes;
  segments[*id].used = true;
  return 0;
}

int kernel_segment_share(uint32_t id, endpoint_t with, uint32_t rights, uint32_t *incarnation) {
  ck_assert(segments[id].used);
  if (with < 0 || with == DEAD || with >= PEERS) return -ESRCH;
  segments[id].rights[with] = rights;
  if (incarnation) *incarnation = 1;
  return 0;
}

void kernel_segment_drop(uint32_t id) {
  ck_assert(segments[id].used);
  segments[id].used = false;
  make_left++;
}

int kernel_end(endpoint_t holder, uint32_t incarnation) {
  ck_assert_uint_eq(incarnation, 1);
  if (!end_result) ended[holder]++;
  return end_result;
}

static unsigned segments_used(void) {
  unsigned n = 0;
  for (uint32_t i = 0; i < NUMBERS; i++)
    n += segments[i].used;
  return n;
}

/* ---- libsys ---- */

static struct {
  uint64_t token;
  msg_t m;
  uint8_t payload[SYS_PAYLOAD_MAX];
} answer;
static unsigned answers;
static uint64_t now_us, alarm_us, bits[PEERS];

int sys_reply_bulk(uint64_t token, const msg_t *m, const void *out, size_t n) {
  answer.token = token;
  answer.m = *m;
  answer.m.payload = (uint32_t)n;
  if (n) memcpy(answer.payload, out, n);
  answers++;
  return 0;
}
int sys_reply(uint64_t token, const msg_t *m) {
  return sys_reply_bulk(token, m, NULL, 0);
}
int sys_notify(endpoint_t to, uint64_t b) {
  bits[to] |= b;
  return 0;
}
int sys_alarm(unsigned bit, uint64_t at_us) {
  (void)bit;
  alarm_us = at_us;
  return 0;
}
uint64_t sys_time_us(void) {
  return now_us;
}
const char *sys_name(endpoint_t e) {
  static const char *const names[PEERS] = {"bus", "owner", "holder", "other", "dead"};
  return e >= 0 && e < PEERS ? names[e] : "with-the-longest-name-there-is-x";
}
void sys_log(const char *fmt, ...) {
  (void)fmt;
}

static Proteos__ControlReply *told; /* to prctl */

int kern_control_send(uint64_t connection, const void *packed, size_t bytes, bool last) {
  ck_assert_uint_eq(connection, 77);
  ck_assert(last && bytes < SYS_PAYLOAD_MAX);
  told = proteos__control_reply__unpack(NULL, bytes, packed);
  ck_assert(told && told->last);
  return 0;
}

/* ---- what the test does ---- */

static uint64_t last_token;

static const msg_t *ask(endpoint_t from, msg_t m) {
  unsigned before = answers;
  m.source = from;
  m.token = ++last_token;
  component_receive(m);
  if (answers == before) return NULL; /* later */
  ck_assert_uint_eq(answers, before + 1);
  ck_assert_uint_eq(answer.token, last_token);
  return &answer.m;
}

static const msg_t *create(endpoint_t from, uint64_t bytes, uint64_t segment) {
  return ask(from, (msg_t){.type = MEM_CREATE, .u64 = {bytes, segment}});
}

static const msg_t *give(uint32_t area, endpoint_t to, uint64_t first, uint64_t bytes,
                         uint32_t rights) {
  msg_t m = {.type = MEM_GRANT};
  *IPC(&m, mem_grant) =
      (struct mem_grant){.first = first, .bytes = bytes, .area = area, .to = to, .rights = rights};
  return ask(OWNER, m);
}

static const msg_t *with_grant(endpoint_t from, uint32_t type, uint32_t grant) {
  /* Too little, of what is revoked. */
  return ask(from, (msg_t){.type = type, .u32 = {grant, 1}});
}

static uint32_t area, own, given;

static uint32_t map(endpoint_t from, uint32_t grant) {
  ck_assert_int_eq(with_grant(from, MEM_MAP, grant)->status, 0);
  return *(uint32_t *)(void *)answer.payload;
}

static void died(endpoint_t who) {
  component_receive((msg_t){.type = SYS_EXITED, .i32 = {who}});
}

static void pass(uint64_t us) {
  now_us += us;
  if (alarm_us && alarm_us <= now_us) component_receive((msg_t){.type = SYS_NOTIFIED, .bits = 1});
}

/* Two of four pages are the holder's, for reading. */
static void setup(void) {
  static char *argv[] = {"mm", "quota=1M", "other=8K", "patience=100", NULL};
  memset(segments, 0, sizeof(segments));
  memset(areas, 0, sizeof(areas));
  memset(ended, 0, sizeof(ended));
  memset(bits, 0, sizeof(bits));
  last_segment = 0;
  make_left = 200;
  end_result = 0;
  now_us = 1000;
  alarm_us = 0;
  component_start(4, argv);
  ck_assert_int_eq(create(OWNER, 4 * PAGE, PAGE)->status, 0);
  area = IPC_REPLY(&answer.m, mem_create)->area;
  own = IPC_REPLY(&answer.m, mem_create)->grant;
  ck_assert_int_eq(give(area, HOLDER, PAGE, 2 * PAGE, MEM_READ)->status, 0);
  given = IPC_REPLY(&answer.m, mem_grant)->grant;
}

START_TEST(only_what_is_mapped_is_shared) {
  ck_assert_uint_eq(segments[2].rights[HOLDER], 0);
  ck_assert_uint_eq(map(HOLDER, given), 2);
  ck_assert_uint_eq(answer.m.payload, 8);
  for (uint32_t s = 1; s <= 4; s++)
    ck_assert_uint_eq(segments[s].rights[HOLDER], s == 2 || s == 3 ? MEM_READ : 0);
  ck_assert_int_eq(with_grant(HOLDER, MEM_RELEASE, given)->status, 0);
  for (uint32_t s = 1; s <= 4; s++)
    ck_assert_uint_eq(segments[s].rights[HOLDER], 0);
}
END_TEST

START_TEST(grants_that_overlap_add_up) {
  give(area, HOLDER, 2 * PAGE, 2 * PAGE, MEM_READ | MEM_WRITE);
  uint32_t second = IPC_REPLY(&answer.m, mem_grant)->grant;
  map(HOLDER, given);
  map(HOLDER, second);
  ck_assert_uint_eq(segments[2].rights[HOLDER], MEM_READ);
  ck_assert_uint_eq(segments[3].rights[HOLDER], MEM_READ | MEM_WRITE);
  with_grant(HOLDER, MEM_RELEASE, second);
  ck_assert_uint_eq(segments[3].rights[HOLDER], MEM_READ);
  ck_assert_uint_eq(segments[4].rights[HOLDER], 0);
}
END_TEST

START_TEST(a_revocation_is_answered_once_it_is_released) {
  map(HOLDER, given);
  ck_assert_ptr_null(with_grant(OWNER, MEM_REVOKE, given));
  uint64_t token = last_token;
  ck_assert_uint_eq(bits[HOLDER], MEM_REVOKED);
  ck_assert_int_eq(with_grant(HOLDER, MEM_MAP, given)->status, -ENOENT);
  ck_assert_int_eq(with_grant(OWNER, MEM_REVOKE, given)->status, -EBUSY);
  with_grant(HOLDER, MEM_NEXT_REVOKED, 0);
  ck_assert_uint_eq(IPC_REPLY(&answer.m, mem_next_revoked)->grant, given);
  with_grant(HOLDER, MEM_NEXT_REVOKED, given);
  ck_assert_uint_eq(IPC_REPLY(&answer.m, mem_next_revoked)->grant, 0);
  unsigned before = answers;
  component_receive(
      (msg_t){.source = HOLDER, .type = MEM_RELEASE, .token = ++last_token, .u32 = {given}});
  ck_assert_uint_eq(answers, before + 2); /* the owner's, then the holder's */
  ck_assert_uint_eq(answer.token, last_token);
  ck_assert_uint_ne(token, last_token);
  ck_assert_uint_eq(alarm_us, 0);
  ck_assert_uint_eq(segments[2].rights[HOLDER], 0);
}
END_TEST

START_TEST(a_holder_that_is_late_is_ended) {
  map(HOLDER, given);
  ck_assert_ptr_null(with_grant(OWNER, MEM_REVOKE, given));
  uint64_t token = last_token;
  pass(99999);
  ck_assert_int_eq(ended[HOLDER], 0);
  pass(1);
  ck_assert_int_eq(ended[HOLDER], 1);
  pass(100000); /* it was recovered, with its mapping */
  ck_assert_int_eq(ended[HOLDER], 2);
  end_result = -ESRCH;
  pass(100000);
  ck_assert_uint_eq(alarm_us, 0);
  died(HOLDER);
  ck_assert_uint_eq(answer.token, token);
  ck_assert_uint_eq(IPC_REPLY(&answer.m, mem_revoke)->ended, 1);
}
END_TEST

START_TEST(a_holder_that_is_held_gets_its_time_again) {
  map(HOLDER, given);
  with_grant(OWNER, MEM_REVOKE, given);
  end_result = -EBUSY;
  pass(100000);
  ck_assert_uint_eq(alarm_us, now_us + 100000);
  end_result = 0;
  pass(100000);
  ck_assert_int_eq(ended[HOLDER], 1);
}
END_TEST

START_TEST(a_dead_owner_leaves_nothing) {
  map(HOLDER, given);
  map(OWNER, own);
  died(OWNER);
  ck_assert_uint_eq(segments_used(), 4); /* the holder has them mapped */
  ck_assert_uint_eq(bits[HOLDER], MEM_REVOKED);
  with_grant(HOLDER, MEM_RELEASE, given);
  ck_assert_uint_eq(segments_used(), 0);
  ck_assert_int_eq(create(OWNER, 1 << 20, 0)->status, 0); /* its quota is free again */
}
END_TEST

START_TEST(a_dead_holder_holds_nothing) {
  map(HOLDER, given);
  died(HOLDER);
  ck_assert_int_eq(with_grant(HOLDER, MEM_MAP, given)->status, -ENOENT);
  ck_assert_uint_eq(segments[2].rights[HOLDER], 0);
}
END_TEST

START_TEST(an_area_ends_with_its_last_grant) {
  map(HOLDER, given);
  ck_assert_ptr_null(with_grant(OWNER, MEM_DESTROY, area));
  ck_assert_int_eq(with_grant(OWNER, MEM_DESTROY, area)->status, -ENOENT);
  ck_assert_uint_eq(segments_used(), 4);
  died(HOLDER);
  ck_assert_uint_eq(segments_used(), 0);
}
END_TEST

START_TEST(only_those_ended_with_the_area_are_counted) {
  give(area, HOLDER, 0, PAGE, MEM_READ);
  uint32_t second = IPC_REPLY(&answer.m, mem_grant)->grant;
  map(HOLDER, given);
  ck_assert_ptr_null(with_grant(OWNER, MEM_REVOKE, given));
  pass(100000);
  died(HOLDER);
  ck_assert_uint_eq(IPC_REPLY(&answer.m, mem_revoke)->ended, 1);
  ck_assert_int_eq(with_grant(HOLDER, MEM_MAP, second)->status, -ENOENT);
  ck_assert_int_eq(with_grant(OWNER, MEM_DESTROY, area)->status, 0);
  ck_assert_uint_eq(IPC_REPLY(&answer.m, mem_destroy)->ended, 0);
}
END_TEST

START_TEST(a_failure_in_the_middle_leaves_nothing) {
  make_left = 2;
  ck_assert_int_eq(create(OWNER, 4 * PAGE, PAGE)->status, -ENFILE);
  ck_assert_uint_eq(make_left, 2);
  ck_assert_int_eq(give(area, DEAD, 0, PAGE, MEM_READ)->status, -ESRCH);
  ck_assert_int_eq(create(OWNER, 2 * PAGE, PAGE)->status, 0);
}
END_TEST

START_TEST(quotas) {
  ck_assert_int_eq(create(OTHER, 2 * PAGE, 0)->status, 0);
  ck_assert_int_eq(create(OTHER, 1, 0)->status, -EDQUOT);
  ck_assert_int_eq(create(OWNER, (1 << 20) - 4 * PAGE, 0)->status, 0);
  ck_assert_int_eq(create(OWNER, 1, 0)->status, -EDQUOT);
  ck_assert_int_eq(create(OWNER, UINT64_MAX, 0)->status, -EINVAL);
  ck_assert_int_eq(create(OWNER, UINT64_MAX / 2, UINT64_MAX / 2 & ~4095ull)->status, -EINVAL);
  with_grant(OTHER, MEM_LIST, 0);
  const struct mem_account *a = (const void *)answer.payload;
  ck_assert_uint_eq(answer.m.payload, 3 * sizeof(*a));
  ck_assert_int_eq(a[2].endpoint, OTHER);
  ck_assert_uint_eq(a[2].bytes, 2 * PAGE);
  ck_assert_uint_eq(a[2].quota, 8192);
}
END_TEST

static Proteos__MemoryStatus *ask_for_table(void) {
  if (told) proteos__control_reply__free_unpacked(told, NULL);
  told = NULL;
  component_receive((msg_t){.source = SYS_KERNEL, .type = BUS_TABLE, .u64 = {77}});
  ck_assert(told && told->memory);
  return told->memory;
}

START_TEST(the_table_is_told) {
  map(HOLDER, given);
  with_grant(OWNER, MEM_REVOKE, given);
  const Proteos__MemoryStatus *t = ask_for_table();
  ck_assert_uint_eq(t->n_areas, 1);
  ck_assert_uint_eq(t->areas[0]->number, area);
  ck_assert_str_eq(t->areas[0]->owner_name, "owner");
  ck_assert_uint_eq(t->areas[0]->bytes, 4 * PAGE);
  ck_assert_uint_eq(t->areas[0]->n_grants, 2);
  const Proteos__GrantStatus *g = t->areas[0]->grants[0];
  ck_assert_uint_eq(g->number, given);
  ck_assert_str_eq(g->holder_name, "holder");
  ck_assert_uint_eq(g->first, PAGE);
  ck_assert_uint_eq(g->bytes, 2 * PAGE);
  ck_assert(!g->writable && g->mapped && g->revoking);
  g = t->areas[0]->grants[1];
  ck_assert(g->number == own && g->writable && !g->mapped && !g->revoking);
  ck_assert_uint_eq(t->n_accounts, 2);
  ck_assert_uint_eq(t->accounts[0]->quota, 1 << 20);
  ck_assert_uint_eq(t->accounts[1]->mapped, 1);
}
END_TEST

START_TEST(the_largest_table_fits) {
  static struct grant grants[GRANTS_MAX];
  for (unsigned i = 0; i < AREAS_MAX; i++) {
    areas[i] = (struct area){.state = AREA_ENDING, .number = UINT32_MAX, .owner = (endpoint_t)i};
    areas[i].segment_bytes = 1ull << 40;
    areas[i].nsegments = MEM_SEGMENTS_MAX;
  }
  for (unsigned i = 0; i < GRANTS_MAX; i++) {
    grants[i] = (struct grant){.number = UINT32_MAX, .state = GRANT_REVOKING, .first = 31};
    grants[i].holder = (endpoint_t)(i % 64);
    grants[i].count = MEM_SEGMENTS_MAX;
    grants[i].rights = MEM_READ | MEM_WRITE;
    LIST_INSERT_HEAD(&areas[i / 4].grants, &grants[i], link);
  }
  const Proteos__MemoryStatus *t = ask_for_table();
  ck_assert_uint_eq(t->n_areas, AREAS_MAX);
  ck_assert_uint_eq(t->areas[AREAS_MAX - 1]->n_grants, 4);
  ck_assert_uint_eq(t->n_accounts, 64);
  memset(areas, 0, sizeof(areas));
}
END_TEST

START_TEST(arguments) {
  static const char *const good[] = {"quota=1", "quota=3G", "net=64K", "patience=60000"};
  static const char *const bad[] = {"",
                                    "quota",
                                    "quota=",
                                    "=1",
                                    "quota=1T",
                                    "quota=-1",
                                    "quota=1KK",
                                    "patience=0",
                                    "patience=60001",
                                    "quota=99999999999999999999"};
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
    ck_assert_msg(quota_argument(good[i]), "%s", good[i]);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    ck_assert_msg(!quota_argument(bad[i]), "%s", bad[i]);
}
END_TEST

int main(void) {
  Suite *s = suite_create("mm");
  TCase *t = tcase_create("mm");
  tcase_add_checked_fixture(t, setup, NULL);
  tcase_add_test(t, only_what_is_mapped_is_shared);
  tcase_add_test(t, grants_that_overlap_add_up);
  tcase_add_test(t, a_revocation_is_answered_once_it_is_released);
  tcase_add_test(t, a_holder_that_is_late_is_ended);
  tcase_add_test(t, a_holder_that_is_held_gets_its_time_again);
  tcase_add_test(t, a_dead_owner_leaves_nothing);
  tcase_add_test(t, a_dead_holder_holds_nothing);
  tcase_add_test(t, an_area_ends_with_its_last_grant);
  tcase_add_test(t, only_those_ended_with_the_area_are_counted);
  tcase_add_test(t, a_failure_in_the_middle_leaves_nothing);
  tcase_add_test(t, quotas);
  tcase_add_test(t, the_table_is_told);
  tcase_add_test(t, the_largest_table_fits);
  tcase_add_test(t, arguments);
  suite_add_tcase(s, t);
  return test_run(s);
}
