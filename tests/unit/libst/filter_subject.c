/* Compiles and evaluates state filters over its own variables. */
#include "libst/annotate.h"
#include "libst/meta.h"
#include "libst/st.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum mode { IDLE, BUSY = 5, BROKEN = -2 };
struct peer {
  unsigned short port;
  struct {
    int depth;
    char tag;
  };
  struct peer *next;
};

struct flags {
  unsigned ready : 1;
  unsigned level : 5;
  int balance : 4;
  unsigned long wide : 40;
};

static struct peer peers[3] = {
    {80, {1, 'a'}, &peers[1]}, {443, {2, 'b'}, NULL}, {8080, {3, 'c'}, NULL}};
static struct flags flags = {1, 17, -3, 0xabcdef0123};
static int table[2][3] = {{1, 2, 3}, {4, 5, 6}};
static enum mode mode = BUSY;
static enum { HUGE_VALUE = 0x1000000000 } large = HUGE_VALUE;
int num_pending_writes = 0;
static unsigned zero_unsigned = 0;
__attribute__((used)) static unsigned char byte = 200;
static signed char small = -7;
__attribute__((used)) static long big = -5000000000;
__attribute__((used)) static unsigned long all_ones = ~0ul;
static double ratio = 0.5;
static float quarter = 0.25f;
static _Bool on = 1;
static struct peer *current = &peers[2];
static struct peer *nobody;
static struct peer *wild = (struct peer *)0x10;
static struct peer *heap;
__attribute__((used)) static void *opaque = &table;
static int *middle = &table[1][1];
static int (*callback)(const char *) = puts;

/* They change nothing that a filter sees. */
struct shape {
  int kind;
  union {
    int side;
    struct peer *peer;
  } u;
  unsigned long word;
};
static struct shape shape;
__attribute__((used)) static char pool[100];
ST_FIELD(struct shape, u, live_by(kind, 0 = side, BUSY = peer, default = nothing));
ST_FIELD(struct shape, word, tagged_pointer(7));
ST_VAR(opaque, not_pointer);
ST_VAR(all_ones, opaque);
ST_VAR(byte, dont_transfer);
ST_VAR(big, pointer_to(struct peer));
ST_VAR(pool, pool_of(struct flags));
ST_ENUMERATOR(BUSY, renamed_from(WORKING));
ST_TYPE(struct peer, renamed_from(struct other));

static int counted(void) {
  static int calls = 41;
  return ++calls;
}

struct expectation {
  const char *text;
  int result;
};

static const struct expectation holds[] = {
    /* variables, members, elements */
    {"num_pending_writes == 0", 1},
    {"num_pending_writes", 0},
    {"!num_pending_writes", 1},
    {"peers[1].port == 443", 1},
    {"peers[0].next->port == 443", 1},
    {"(*peers[0].next).port == 443", 1},
    {"peers->port == 80", 1},
    {"(peers + 2)->port == 8080", 1},
    {"current == &peers[2] && current->depth == 3", 1},
    {"current - peers == 2", 1},
    {"peers[2].tag == 'c' && peers[0].tag < 'b'", 1},
    {"table[1][2] == 6", 1},
    {"*table[1] == 4", 1},
    {"middle[-1] == 4 && *(middle + 1) == 6", 1},
    {"heap->port == 7", 1},
    {"heap->next == NULL", 1},
    {"counted::calls == 42", 1},
    {"'filter_subject.c'::big < 0", 1},
    {"flags.ready && flags.level == 17 && flags.balance == -3", 1},
    {"flags.wide == 0xabcdef0123", 1},
    {"callback", 1},
    {"opaque != 0 && nobody == 0", 1},
    {"&peers[1] > &peers[0]", 1},
    /* enumerators, constants */
    {"mode == BUSY", 1},
    {"mode == 5", 1},
    {"BROKEN == -2 && mode > BROKEN", 1},
    {"HUGE_VALUE > 0xffffffff && large == HUGE_VALUE", 1},
    {"'\\n' == 10 && '\\x41' == 'A' && '\\101' == 65 && '\\0' == 0", 1},
    {"010 == 8 && 0x10 == 16 && 0b101 == 5 && 10u == 10 && 1e3 == 1000", 1},
    {"true && !false", 1},
    {"on", 1},
    /* C's arithmetic */
    {"1 + 2 * 3 == 7", 1},
    {"(1 + 2) * 3 == 9", 1},
    {"10 - 4 - 3 == 3", 1},
    {"100 / 10 / 2 == 5", 1},
    {"-7 / 2 == -3 && -7 % 2 == -1", 1},
    {"1 << 2 + 1 == 8", 1},
    {"1 | 2 ^ 3 & 2", 1},
    {"(6 & 3) == 2 && (6 | 3) == 7 && (6 ^ 3) == 5 && ~0 == -1", 1},
    {"1 == 2 == 0", 1},
    {"0 && 1 || 1", 1},
    {"1 || 0 && 0", 1},
    {"1 ? 0 : 1", 0},
    {"0 ? 1 : 0 ? 2 : 3", 1},
    {"- - 1 == 1", 1},
    {"byte == 200 && small == -7 && byte + 100 == 300", 1},
    {"-1 < zero_unsigned", 0},
    {"-1 < 0", 1},
    {"zero_unsigned - 1 > 0", 1},
    {"zero_unsigned - 1 == 4294967295", 1},
    {"big == -5000000000", 1},
    {"all_ones == 0xffffffffffffffff", 1},
    {"all_ones == -1", 1},
    {"all_ones > 0", 1},
    {"-1 >> 1 == -1 && all_ones >> 63 == 1", 1},
    {"2147483647 + 1 < 0", 1},
    {"(0-9223372036854775807-1) / -1 < 0", 1},
    {"ratio == 0.5 && quarter * 2 == ratio && ratio < 1", 1},
    {"!ratio", 0},
    {"7 / 2 == 3 && 7 / 2.0 == 3.5", 1},
    /* memory that is not there */
    {"nobody->port == 80", -EFAULT},
    {"wild->port == 80", -EFAULT},
    {"nobody && nobody->port == 80", 0},
    {"!nobody || nobody->port", 1},
    {"(middle + 100000000)[0]", -EFAULT},
    {"table[num_pending_writes + 2][0]", -EFAULT},
    {"table[num_pending_writes - 1][0]", -EFAULT},
    {"1 / num_pending_writes", -EDOM},
    {"1 % num_pending_writes == 0", -EDOM},
    {"num_pending_writes && 1 / num_pending_writes", 0},
};

static const struct {
  const char *text, *error;
} refused[] = {
    {"num_pending_write == 0",
     "column 1: unknown variable 'num_pending_write'; did you mean 'num_pending_writes'?"},
    {"num_pending_writes == 0 && xyzzy_plugh", "column 28: unknown variable 'xyzzy_plugh'"},
    {"peers[0].prot == 1", "column 10: unknown member 'prot' of struct peer; did you mean 'port'?"},
    {"peers[0] == 1", "column 1: type error: struct peer is no number or pointer"},
    {"peers[0]", "column 1: type error: struct peer is no number or pointer"},
    {"*num_pending_writes", "column 1: type error: '*' needs a pointer, not int"},
    {"*opaque", "column 1: type error: void * cannot be followed"},
    {"num_pending_writes.x", "column 20: type error: int has no members"},
    {"current.port", "type error: struct peer * has no members; use ->"},
    {"num_pending_writes->x", "column 19: type error: '->' needs a pointer, not int"},
    {"num_pending_writes[0]", "column 1: type error: int cannot be indexed"},
    {"peers[ratio].port", "column 7: type error: an index must be an integer, not double"},
    {"peers[3].port", "column 7: index 3 is outside of an array of 3 elements"},
    {"current == 5", "column 9: type error: struct peer * == int"},
    {"current * 2", "column 9: type error: struct peer * * int"},
    {"ratio % 2", "column 7: type error: double % int"},
    {"~ratio", "column 1: type error: '~' needs a number, not double"},
    {"&5", "column 1: type error: '&' needs a variable"},
    {"&flags.level", "column 1: type error: a bit-field has no address"},
    {"opaque + 1", "cannot be moved"},
    {"num_pending_writes = 0", "column 20: '=' would assign; compare with =="},
    {"num_pending_writes == ", "column 23: a variable or number is missing at the end"},
    {"(1 + 2", "column 7: ')' is missing at the end"},
    {"1 + 2)", "column 6: ')' is left over"},
    {"1 2", "column 3: '2' is left over"},
    {"", "column 1: the filter is empty"},
    {"   ", "the filter is empty"},
    {"1 @ 2", "column 3: '@' is not part of the filter language"},
    {"peers == \"x\"", "column 10: '\"' begins a string"},
    {"12ab", "column 1: '12ab' is not a number"},
    {"99999999999999999999", "does not fit in 64 bits"},
    {"'a", "column 1: ''a' has no closing quote"},
    {"'ab' == 1", "is not a character"},
    {"calls == 42", "column 1: unknown variable 'calls'"},
    {"'other.c'::big", "column 12: unknown variable 'big' in 'other.c'"},
    {"peers[0].", "a member's name expected"},
    {"1 ? 2", "':' is missing at the end"},
    {"old(num_pending_writes) == 0", "column 1: old() is for checks of an update only"},
};

static unsigned failures;

static void check_value(const struct expectation *e) {
  char error[256];
  struct st_filter *filter = st_filter_compile(st_self(), e->text, error, sizeof error);
  int result = filter ? st_filter_eval(filter) : -1000;
  if (result != e->result) {
    printf("%s: %d instead of %d %s\n", e->text, result, e->result, filter ? "" : error);
    failures++;
  }
  st_filter_free(filter);
}

static void check_refusal(const char *text, const char *expected) {
  char error[256] = "";
  struct st_filter *filter = st_filter_compile(st_self(), text, error, sizeof error);
  if (filter || !strstr(error, expected)) {
    printf("%s: %s\n  instead of: %s\n", text, filter ? "accepted" : error, expected);
    failures++;
  }
  st_filter_free(filter);
}

/* Nesting has a limit, and a filter that reaches it is refused like any other. */
static void check_depth(void) {
  char text[1000];
  memset(text, '(', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  check_refusal(text, "nested too deeply");
  memset(text, '-', sizeof text - 1);
  check_refusal(text, "nested too deeply");
}

int main(void) {
  int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (exe < 0 || st_init(exe, false) != 0) {
    printf("not instrumented\n");
    return 1;
  }
  heap = calloc(1, sizeof *heap);
  heap->port = 7;
  counted();
  for (size_t i = 0; i < sizeof holds / sizeof *holds; i++)
    check_value(&holds[i]);
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
    check_refusal(refused[i].text, refused[i].error);
  check_depth();
  return failures != 0;
}
