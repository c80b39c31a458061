"""Values that the new version would take for what they are not, each of which must be refused."""

from refusal import Refusal

ITEM = "struct item { int id, count; }; struct item keep;"
GROWN = "struct item { long stamp; int id, count; }; struct item keep;"
NODE = "struct node { struct item *item; struct node *next; };"
MAKE = "struct item *make(void) { return calloc(1, sizeof(struct item)); }"

MISREADINGS = [
    # Objects in memory that is declared as something else.
    Refusal("in-byte-array",
            f"{ITEM} struct item *p; static char pool[64];",
            f"{GROWN} struct item *p; static char pool[64];",
            "p = (struct item *)(pool + 16); p->id = 7",
            "`p` (`struct item *`) points to byte 16 of variable `pool`, where no object of the "
            "pointer's type is known to be", fine="p = &keep"),
    Refusal("pointers-in-byte-array",
            f"{ITEM} {NODE} struct node *p, spare; static char pool[64] __attribute__((aligned(16)));",
            f"{ITEM} {NODE} struct node *p, spare; static char pool[64] __attribute__((aligned(16)));",
            "p = (struct node *)pool; p->next = &spare",
            "`p` (`struct node *`) points to byte 0 of variable `pool`", fine="p = &spare"),
    Refusal("in-byte-block", f"{ITEM} struct item *p;", f"{GROWN} struct item *p;",
            "char *bytes = calloc(64, 1); p = (struct item *)bytes",
            "`p` (`struct item *`) points ", fine="p = &keep"),
    Refusal("pointers-in-numbers",
            f"{NODE} struct node *p, spare; struct dev {{ long id; unsigned long area[4]; }} dev;",
            f"{NODE} struct node *p, spare; struct dev {{ long id; unsigned long area[4]; }} dev;",
            "p = (struct node *)dev.area", "points to byte 8 of variable `dev`", fine="p = &spare"),
    Refusal("other-struct",
            "struct a { int x, y; } a; struct b { int y, x; } b; void *p;",
            "struct a { int x, y; } a; struct b { int y, x; } b; struct b *p;",
            "p = calloc(1, sizeof(struct a)); ((struct a *)p)->x = 1",
            "`p` (`void *`, now `struct b *`) points to byte 0 of a `struct a`", fine="p = &b"),
    # Sizes that are not spelled.
    Refusal("derived-object",
            "struct base { long kind; int x; }; size_t size = 48; struct base *p;",
            "struct base { long kind, added; int x; }; size_t size = 48; struct base *p;",
            "p = calloc(1, size); p->kind = 1",
            "which is no `struct base`, and that changes", fine="size = 16; p = calloc(1, size)"),
    Refusal("struct-hack",
            "struct text { int length; char bytes[1]; }; struct text *p;",
            "struct text { long length; char bytes[1]; }; struct text *p;",
            "p = calloc(1, offsetof(struct text, bytes) + 12); p->bytes[10] = 'x'",
            "without a sizeof", fine="p = calloc(1, sizeof(*p))"),
    # What pointers point to changes, and the blocks do not.
    Refusal("rows", "int **rows;", "long **rows;",
            "rows = calloc(2, sizeof(*rows)); rows[1] = calloc(4, sizeof(int))",
            "`rows` (`int * *`, now `long", fine=""),
    Refusal("rows-of-other-structs",
            "struct a { int x; } a; struct b { float x; } b; struct a **rows;",
            "struct a { int x; } a; struct b { float x; } b; struct b **rows;",
            "rows = calloc(1, sizeof(*rows)); *rows = &a", "`rows` (`struct a * *`, now", fine=""),
    Refusal("longer-names", "char (*names)[16];", "char (*names)[32];",
            "names = calloc(3, sizeof(*names)); names[2][0] = 'x'",
            "`names` (`char[16] *`, now `char[32] *`) points", fine=""),
    Refusal("other-sign", "unsigned *p;", "int *p;", "p = malloc(sizeof(*p)); *p = 4000000000u",
            "`p` (`unsigned int *`, now `int *`) points", fine=""),
    Refusal("other-enum",
            "enum color { RED, BLUE }; enum color *p;", "enum colour { BLUE, RED }; enum colour *p;",
            "p = malloc(sizeof(*p)); *p = BLUE", "`p` (`enum color *`, now `enum colour *`) points",
            fine=""),
    Refusal("flags-to-bool", "unsigned char *p;", "bool *p;", "p = malloc(1); *p = 2",
            "`p` (`unsigned char *`, now `_Bool *`) points", fine=""),
    # Addresses in integers.
    Refusal("address-of-variable", "int target; unsigned long u;", "int target; unsigned long u;",
            "u = (unsigned long)&target",
            ") is the address of `target`, which has moved; say what it points "
            "to with pointer_to(TYPE), or not_pointer", fine="u = 0x2b5afffffff0ul"),
    Refusal("address-of-function", "long u;", "long u;", "u = (long)build",
            "is the address of function `build`, which has moved", fine="u = -1"),
    Refusal("address-of-library", "uintptr_t u[3];", "uintptr_t u[3];", "u[2] = (uintptr_t)puts",
            "`u[2]` (`uintptr_t`) is an address in libc.so.6", fine="u[2] = 5"),
    Refusal("address-in-block",
            "struct item { uintptr_t at; } *p; long *keep;",
            "struct item { uintptr_t at; } *p; long *keep;",
            "p = calloc(2, sizeof(*p)); p[1].at = (uintptr_t)&keep",
            "`p[1].at` (`uintptr_t`; allocated at ", fine="p = calloc(2, sizeof(*p))"),
    Refusal("address-of-moved",
            f"{ITEM} {MAKE} struct item *p; unsigned long u;",
            f"{GROWN} {MAKE} struct item *p; unsigned long u;",
            "p = make(); u = (unsigned long)p",
            ") is the address of a `struct item` (allocated at ", fine="p = make()"),
    # Constants.
    Refusal("unnamed-constant", "const int *p; static const int *const shared = (const int[]){0, 11};",
            "const int *p; static const int *const shared = (const int[]){0, 11};", "p = shared",
            "no known object (a constant without a name?)", fine="p = NULL"),
    Refusal("constant-gone",
            "struct limit { int low, high; }; static const struct limit small = {65, 1}; "
            "const struct limit *p;",
            "struct limit { int low, high; }; const struct limit *p;", "p = &small",
            "points to byte 0 of variable `small`, which the new version does not have", fine=""),
    Refusal("wide-text", "#include <wchar.h>\nconst wchar_t *p;", "#include <wchar.h>\nconst wchar_t *p;",
            'p = L"wide"', "no known object", fine="p = NULL"),
    # One name for several things.
    Refusal("zero-named", "enum mode { A = 1, B } mode;", "enum mode { A, B } mode;", "mode = 0",
            "is 0, which is no enumerator, and the enumerators change: 0 is one now", fine="mode = B"),
    Refusal("crooked-union",
            "struct s { union { struct { char c; void *p; } __attribute__((packed)) in; long n; } u; } s;",
            "struct s { union { struct { char c; void *p; } __attribute__((packed)) in; long n; } u; } s;",
            "s.u.in.p = &s", "is a union with a pointer in a packed struct"),
]
