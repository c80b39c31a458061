/* Types and objects that the table of changes mentions. */
enum color { PICK(BODY(RED, GREEN, BLUE), BODY(BLACK, BLUE, RED = 7, GREEN)) };
enum level { LOW = -1, MIDDLE, HIGH = PICK(1, 100) };
enum wide { NARROW_ONE = 1, FAR = PICK(2, 0x100000000) };
enum alias { FIRST, SECOND, ALSO_SECOND = PICK(1, 1), THIRD = PICK(2, 3) };

typedef PICK(int, long) count_type;
typedef PICK(unsigned short, enum color) chosen_type;

struct point {
  PICK(int x; int y;, int z; int y; int x;)
};
struct PICK(old_tag, new_tag) {
  int key;
  struct PICK(old_tag, new_tag) * next;
};
struct grows {
  PICK(, long serial;)
  int used;
};
struct fixed {
  int a, b;
};
struct holder {
  int first;
  PICK(, int second;)
};

static int numbers[4] = {1, 2, 3, 4};
static struct grows grown[3];
static const char shared_text[] = "shared";

static int twice(int x) {
  return 2 * x;
}

__attribute__((unused)) static int (*use_twice)(int) = twice;
