/* Power cuts at every point of random lives of a journal on real images, in whichever way the
 * device's cache is lost. Our recovery must find exactly what has committed, and so must e2fsck. */
#include <check.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/test-run.h"
#include "servers/storage/journal/jbd2.h"
#include "servers/storage/journal/test-scenario.h"

struct setting {
  const char *name, *options;
  uint32_t block_bytes;
  uint32_t incompat;   /* what the journal has from the start */
  uint32_t log_blocks; /* 0: all */
  uint32_t transactions, nblocks, largest;
  uint32_t every; /* so many points of a row of writes the power is cut; and at each flush */
};

/* mkfs.ext4's defaults are metadata_csum and 64bit. */
static const struct setting settings[] = {
    {"1k, checksums v3, 64 bit", "", 1024, 0, 40, 25, 60, 30, 1},
    {"4k, checksums v3, 64 bit", "", 4096, 0, 40, 14, 30, 30, 1},
    {"4k, checksums v3, 32 bit", "-O ^64bit", 4096, 0, 50, 14, 30, 30, 1},
    {"4k, no checksums, 64 bit", "-O ^metadata_csum", 4096, 0, 50, 14, 30, 30, 1},
    {"1k, no checksums, 32 bit", "-O ^metadata_csum,^64bit", 1024, 0, 30, 25, 25, 25, 1},
    {"1k, checksums v2, 64 bit", "-O ^metadata_csum", 1024, JBD2_INCOMPAT_CSUM_V2, 40, 40, 60, 30,
     1},
    {"1k, checksums v2, 32 bit", "-O ^metadata_csum,^64bit", 1024, JBD2_INCOMPAT_CSUM_V2, 40, 40,
     60, 30, 1},
    {"1k, checksums v3, large transactions", "", 1024, 0, 0, 15, 640, 600, 61},
    {"1k, no checksums, large transactions", "-O ^metadata_csum,^64bit", 1024, 0, 0, 15, 640, 600,
     31},
    {"4k, checksums v3, large transactions", "", 4096, 0, 0, 6, 640, 400, 61},
    {"1k, checksums v2, large transactions", "-O ^metadata_csum", 1024, JBD2_INCOMPAT_CSUM_V2, 0,
     15, 640, 600, 61},
    {"shortest log", "", 1024, 0, 4, 60, 4, 4, 1},
};

enum { LIVES = 2, JUDGED = 4, NESTED = 12 }; /* in about so many points of each life */

/* ---- recovery on the medium that was found ---- */

struct reader {
  struct medium *medium;
  uint64_t writes_left;
};

static int read_block(void *arg, uint64_t block, void *data) {
  const struct medium *m = ((struct reader *)arg)->medium;
  size_t n = m->history->image->geometry.block_bytes;
  memcpy(data, m->bytes + block * n, n);
  return 0;
}

static int write_block(void *arg, uint64_t block, const void *data) {
  struct reader *r = arg;
  if (r->writes_left == 0) return -EIO;
  r->writes_left--;
  medium_write(r->medium, block, data);
  return 0;
}

static struct journal *open_medium(const struct medium *m) {
  const struct journal_geometry *g = &m->history->image->geometry;
  struct journal *j;
  struct journal_reason why = {""};
  int err = journal_open(&j, g, m->bytes + g->extents[0].block * g->block_bytes, &why);
  ck_assert_msg(err == 0, "%s", why.text);
  return j;
}

/* @return whether recovery got through before its writes were used up */
static bool recover(struct medium *m, uint64_t writes) {
  struct journal *j = open_medium(m);
  struct reader r = {m, writes};
  struct journal_reason why = {""};
  struct journal_recovery done = {0};
  int err = journal_recover(j, read_block, write_block, &r, &done, &why);
  ck_assert_msg(err == 0 || r.writes_left == 0, "%s", why.text);
  struct journal_write w;
  if (err == 0 && journal_superblock(j, JOURNAL_CLEAN, &w) == 1) {
    medium_write(m, w.block, w.data);
    ck_assert_int_eq(journal_superblock_written(j), 0);
  }
  ck_assert(!done.torn);
  journal_free(j);
  return err == 0;
}

static void check_recovery(const struct scenario *s, struct medium *m, size_t cut, bool nested) {
  for (uint64_t writes = 0; nested && !recover(m, writes); writes += 1 + writes / 3)
    ;
  recover(m, UINT64_MAX);
  scenario_check(s, cut, m->bytes, "our recovery");
  struct journal *j = open_medium(m);
  ck_assert(!journal_needs_recovery(j));
  journal_free(j);
}

static void judge(const struct scenario *s, const struct medium *m, size_t cut) {
  uint8_t *bytes = malloc(s->image->nbytes);
  memcpy(bytes, m->bytes, s->image->nbytes);
  image_judge(s->image, bytes);
  scenario_check(s, cut, bytes, "e2fsck");
  free(bytes);
}

/* Linux refuses a log of fewer than 1024 blocks. */
static bool linux_takes(const struct image *m) {
  return be32toh(image_superblock(m)->first) == 1;
}

/* For test-kernel. */
static void keep(const struct scenario *s, const struct medium *m, size_t cut, uint64_t name) {
  const char *folder = getenv("JOURNAL_KEEP");
  char path[300];
  if (!folder || !linux_takes(s->image)) return;
  snprintf(path, sizeof path, "%s/%016" PRIx64 "-%zu.img", folder, name, cut);
  image_save(s->image, m->bytes, path);
  snprintf(path, sizeof path, "%s/%016" PRIx64 "-%zu.must", folder, name, cut);
  scenario_save(s, cut, path);
}

/* ---- all points ---- */

static uint64_t seed_of(unsigned i) {
  const char *given = getenv("JOURNAL_SEED");
  return (given ? strtoull(given, NULL, 0) : 1) * 1000003 + i;
}

static bool is_boundary(const struct scenario *s, size_t cut) {
  const struct event *e = s->history.events;
  return cut == 0 || cut == s->history.nevents || e[cut - 1].kind != EVENT_WRITE ||
         e[cut].kind != EVENT_WRITE;
}

/* @return how many times the power was cut */
static size_t cut_everywhere(const struct scenario *s, uint32_t every, uint64_t seed) {
  static const unsigned lost[] = {0, 256, 128, 128, 40, 220};
  struct medium m;
  size_t cuts = 0, points = s->history.nevents / every + 1;
  medium_init(&m, &s->history);
  for (size_t cut = 0; cut <= s->history.nevents; cut++) {
    if (cut % every && !is_boundary(s, cut)) continue;
    bool judged = chance(&seed, points) < JUDGED, nested = chance(&seed, points) < NESTED;
    for (unsigned way = 0; way < sizeof lost / sizeof *lost; way++, cuts++) {
      medium_cut(&m, cut, lost[way], &seed);
      if (judged && way < 3) judge(s, &m, cut);
      if (judged && way == 2) keep(s, &m, cut, seed);
      check_recovery(s, &m, cut, nested);
    }
  }
  medium_free(&m);
  return cuts;
}

static struct image make(const struct setting *t) {
  struct image m = image_make(t->block_bytes, t->options);
  if (t->incompat) {
    image_superblock(&m)->incompat |= htobe32(t->incompat);
    image_checksum(&m);
  }
  if (t->log_blocks) image_shorten_log(&m, t->log_blocks);
  return m;
}

/* The image goes on as it is found after a power cut and a recovery: by us, or by e2fsck. */
static void survive(const struct scenario *s, struct image *image, uint64_t seed) {
  struct medium m;
  medium_init(&m, &s->history);
  medium_cut(&m, s->history.nevents / 2 + chance(&seed, s->history.nevents / 2), 128, &seed);
  if (chance(&seed, 2))
    recover(&m, UINT64_MAX);
  else
    image_judge(image, m.bytes);
  memcpy(image->bytes, m.bytes, image->nbytes);
  image_expect_recovery(image);
  medium_free(&m);
}

START_TEST(power_cuts) {
  const struct setting *t = &settings[_i];
  struct image image = make(t);
  size_t cuts = 0;
  for (unsigned life = 0; life < LIVES; life++) {
    uint64_t seed = seed_of((unsigned)_i * 64 + life * 2);
    struct scenario s;
    scenario_run(&s, &image, seed, t->transactions, t->nblocks, t->largest);
    cuts += cut_everywhere(&s, t->every, seed + 1);
    survive(&s, &image, seed);
    scenario_free(&s);
  }
  printf("%s: %u times %u transactions, %zu power cuts\n", t->name, LIVES, t->transactions, cuts);
  image_free(&image);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("journal-crash");
  TCase *tc = tcase_create("crash");
  tcase_set_timeout(tc, 0);
  tcase_add_loop_test(tc, power_cuts, 0, sizeof settings / sizeof *settings);
  suite_add_tcase(suite, tc);
  return test_run(suite);
}
