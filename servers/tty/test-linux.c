/* The line discipline beside Linux's: the same keys, in random order, give the same lines and the
 * same screen. Linux's word erase has another idea of words, and its tabs are erased by backspaces
 * alone; so the keys are letters, blanks and what edits them. */
#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "bus/test-run.h"
#include "servers/tty/host.h"
#include "servers/tty/ldisc.h"
#include "servers/tty/output.h"

enum { ROUNDS = 400, KEYS_MAX = 60, TEXT_BYTES = 8192 };

struct text {
  size_t used;
  char bytes[TEXT_BYTES];
};

static struct ldisc l;
static struct output screen;
static int master, slave;

void host_echo(const void *bytes, uint32_t n) {
  output_write(&screen, bytes, n, true);
}

uint32_t host_column(void) {
  return screen.column;
}

void host_signal(int signal) {
  (void)signal;
}

/* ---- Linux's ---- */

static void open_terminal(void) {
  struct termios t;
  master = posix_openpt(O_RDWR | O_NOCTTY);
  ck_assert_int_ge(master, 0);
  ck_assert_int_eq(grantpt(master), 0);
  ck_assert_int_eq(unlockpt(master), 0);
  slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  ck_assert_int_ge(slave, 0);
  tcgetattr(slave, &t);
  t.c_iflag = ICRNL | IUTF8;
  t.c_oflag = OPOST | ONLCR;
  t.c_lflag = ICANON | ECHO | ECHOE | ECHOK | ECHOKE | ECHOCTL | IEXTEN; /* no ISIG */
  memset(t.c_cc, _POSIX_VDISABLE, sizeof(t.c_cc));
  for (unsigned i = 0; i < 5; i++) {
    static const unsigned index[] = {VERASE, VKILL, VWERASE, VEOF, VLNEXT};
    t.c_cc[index[i]] = (cc_t) "\x7f\x15\x17\x04\x16"[i];
  }
  tcsetattr(slave, TCSANOW, &t);
}

static bool ends_with(const struct text *t, const char *end) {
  size_t n = strlen(end);
  return t->used >= n && memcmp(t->bytes + t->used - n, end, n) == 0;
}

/* Reads until `end` has come. */
static void read_until(int fd, struct text *t, const char *end) {
  while (!ends_with(t, end)) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    ck_assert_msg(poll(&p, 1, 20000) == 1, "after \"%.*s\"", (int)t->used, t->bytes);
    ssize_t n = read(fd, t->bytes + t->used, sizeof(t->bytes) - t->used);
    ck_assert_int_ge(n, 0);
    t->used += (size_t)n;
    if (n == 0) t->bytes[t->used++] = '\xff'; /* the end of the input */
  }
}

/* ---- both ---- */

static size_t choose_keys(char *keys) {
  static const char *const choices[] = {
      "a",  "b",  "c",    " ",        "\x7f", "\x7f", "\x17",     "d",        " ",    "\x15",
      "\r", "\n", "\x04", "\x16\x7f", "e",    "f/g",  "\x16\x04", "\xc3\xa4", "\x01", "\x16\x15"};
  size_t n = 0;
  for (int left = rand() % KEYS_MAX; left > 0; left--) {
    const char *key = choices[(size_t)rand() % (sizeof(choices) / sizeof(choices[0]))];
    memcpy(keys + n, key, strlen(key));
    n += strlen(key);
  }
  memcpy(keys + n, "\nEND\n", 5); /* on a line of its own, whatever was before it */
  return n + 5;
}

static void ours(const char *keys, size_t n, struct text *read, struct text *shown) {
  const uint8_t *bytes;
  uint32_t cells, some;
  for (size_t i = 0; i < n; i++)
    ldisc_type(&l, (uint8_t)keys[i]);
  while (l.input.used) {
    some = input_look(&l.input, (uint8_t *)read->bytes + read->used,
                      (uint32_t)(sizeof(read->bytes) - read->used), &cells);
    input_drop(&l.input, cells);
    read->used += some;
    if (!some) read->bytes[read->used++] = '\xff';
  }
  while ((some = output_next(&screen, &bytes))) {
    memcpy(shown->bytes + shown->used, bytes, some);
    shown->used += some;
    output_shown(&screen, some);
  }
}

static void same(const struct text *a, const struct text *b, const char *what, int round) {
  bool equal = a->used == b->used && memcmp(a->bytes, b->bytes, a->used) == 0;
  ck_assert_msg(equal, "round %d: %s: here \"%.*s\", Linux \"%.*s\"", round, what, (int)a->used,
                a->bytes, (int)b->used, b->bytes);
}

START_TEST(like_linux) {
  static struct text here[2], there[2];
  char keys[2 * KEYS_MAX + 16];
  srand(1);
  open_terminal();
  ldisc_init(&l);
  l.modes.flags &= ~(uint32_t)TTY_SIGNALS;
  output_attach(&screen);
  for (int round = 0; round < ROUNDS; round++) {
    size_t n = choose_keys(keys);
    here[0].used = here[1].used = there[0].used = there[1].used = 0;
    ours(keys, n, &here[0], &here[1]);
    ck_assert_int_eq(write(master, keys, n), (ssize_t)n);
    read_until(slave, &there[0], "END\n");
    read_until(master, &there[1], "END\r\n");
    same(&here[0], &there[0], "read", round);
    same(&here[1], &there[1], "shown", round);
  }
  close(slave);
  close(master);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("linux");
  TCase *tc = tcase_create("linux");
  tcase_set_timeout(tc, 60);
  tcase_add_test(tc, like_linux);
  suite_add_tcase(suite, tc);
  return test_run(suite);
}
