"""What must be refused, and what the violation says."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass
class Refusal:
    """A pair of programs that differ in the declarations `old` and `new`. The old one runs `build`,
    and the update must be refused with a message that contains `says`. With `fine` instead, if it is
    given, the same pair must update: what is refused is the state, not the change."""

    name: str
    old: str
    new: str
    build: str
    says: str
    fine: str | None = None

    def program(self, version: int) -> str:
        build = ""
        if version == 1:
            build = f"""static void build(void) {{
  if (getenv("FINE")) {{
    {self.fine or ""};
  }} else {{
    {self.build};
  }}
}}
"""
        fields = ".build = build, " if version == 1 else ""
        return f"""#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "libst/annotate.h"
#include "tests/updates/pair.h"
{self.old if version == 1 else self.new}
{build}static void verify(void) {{}}
PAIR_MAIN({fields}.verify = verify)
"""


def incomplete(report: str) -> str:
    """The first violation that does not name the datum, or does not say what would resolve it; "" """
    for line in report.splitlines():
        if line.startswith("violation: ") and not line.startswith("violation: and "):
            if not re.match("violation: .*`[^`]+`.*; .", line):
                return line
    return ""


# A list of 50 items whose count does not fit what it becomes.
ITEMS = "struct item { %s count; struct item *next; }; struct item *list;"
MANY = """for (int i = 0; i < 50; i++) {
  struct item *item = calloc(1, sizeof(*item));
  *item = (struct item){%d, list};
  list = item;
}"""
# Allocated before st_init().
EARLY = "__attribute__((constructor)) static void early(void) { cache = malloc(sizeof(*cache)); }"
LIVE = "union { int a; long %s; } u; }; struct value v; ST_FIELD(struct value, u, live_by(kind, 0 = a, 1 = %s));"

REFUSALS = [
    Refusal("fraction-to-integer", "double rate;", "long rate;", "rate = 2.5",
            "is 2.5, which", fine="rate = 2"),
    Refusal("double-to-float", "double rate;", "float rate;", "rate = 0.1",
            "is 0.1", fine="rate = 0.5"),
    Refusal("double-beyond-float", "double rate;", "float rate;", "rate = 1e300",
            "is 1e+300", fine="rate = 1e30f"),
    Refusal("integer-beyond-double", "long rate;", "double rate;", "rate = (1l << 53) + 1",
            "is 9007199254740993", fine="rate = 1l << 53"),
    Refusal("negative-float-to-unsigned", "float rate;", "unsigned rate;", "rate = -1",
            "is -1", fine="rate = 1"),
    Refusal("enum-bits-gone",
            "enum e {A, B, C}; struct { enum e value : 4; } s;",
            "enum e {A, C}; struct { enum e value : 4; } s;", "s.value = B",
            "is 1, an enumerator that the new version does not have", fine="s.value = C"),
    Refusal("enum-alias-parts",
            "enum e {A, B = 1, C = 1}; enum e value;",
            "enum e {A, B = 1, C = 2}; enum e value;", "value = B",
            "is 1, which", fine="value = A"),
    Refusal("bits-to-narrower-integer",
            "struct { unsigned v : 12; } s;", "struct { uint8_t v; } s;", "s.v = 300",
            "is 300, which does not fit", fine="s.v = 255"),
    Refusal("signed-bits", "struct { int v : 4; } s;", "struct { unsigned v : 4; } s;", "s.v = -1",
            "is -1, which does not fit", fine="s.v = 7"),
    Refusal("rows-shrunk", "int table[3][4];", "int table[3][2];", "table[1][3] = 1",
            "`table[1][2]` and what follows hold data", fine="table[1][1] = 1"),
    Refusal("made-square", "int table[4];", "int table[4][4];", "table[0] = 1",
            "`table` changes from `int[4]` to `int[4][4]`"),
    Refusal("each-gains-one", "int table[8];", "int table[8][2];", "table[0] = 1",
            "`table` changes from `int[8]` to `int[8][2]`"),
    Refusal("one-row-remains", "int table[2][4];", "int table[4];", "table[1][2] = 1",
            "`table[4]` and what follows hold data", fine="table[0][3] = 1"),
    Refusal("flattened-shrunk", "int table[2][4];", "int table[6];", "table[1][3] = 1",
            "`table` changes from `int[2][4]` to `int[6]`"),
    Refusal("scalar-to-array", "int value;", "int value[2];", "value = 1",
            "`value` changes from `int` to `int[2]`"),
    Refusal("tail-gone",
            "struct text { int length; char bytes[]; }; struct text *text;",
            "struct text { int length; }; struct text *text;",
            "text = calloc(1, sizeof(*text) + 10); text->bytes[3] = 'x'",
            "held data", fine="text = calloc(1, sizeof(*text) + 10)"),
    Refusal("struct-retagged",
            "struct a { int x, y; }; struct a *p; struct a q;",
            "struct b { int x; long z; }; struct b *p; struct b q;",
            "p = calloc(1, sizeof(*p))", "`q` changes from `struct a` to `struct b`"),
    Refusal("pointer-retagged",
            "struct a { int x, y; }; struct a *p;",
            "struct b { int x; long z; }; struct b *p;",
            "p = calloc(1, sizeof(*p))", "points into a `struct a`", fine=""),
    Refusal("container-not-described",
            "struct link { struct link *next; } list; struct item { int key; struct link link; };",
            "struct link { struct link *next; } list;"
            "struct item { long stamp; int key; struct link link; };",
            "struct item *item = calloc(1, sizeof(*item)); list.next = &item->link",
            "points into a `struct item`", fine=""),
    Refusal("uthash-untyped",
            "#include <uthash.h>\nstruct user { int id; UT_hash_handle hh; }; struct user *users;",
            "#include <uthash.h>\nstruct user { int id; UT_hash_handle hh; long n; };"
            "struct user *users; void add(struct user *u) { HASH_ADD_INT(users, id, u); }"
            "void *make(void) { return calloc(1, sizeof(struct user)); }",
            "struct user *u = calloc(1, sizeof(*u)); HASH_ADD_INT(users, id, u)",
            "holds the address of a `struct user`", fine=""),
    Refusal("moved-twice",
            "struct in { int x; }; struct { int lead; int id; } s;",
            "struct in { int x; }; struct { int lead; struct { int id; } a; struct { int id; } b; } s;",
            "s.id = 1", "`s.id`"),
    Refusal("own-mapping", "char *p;", "char *p;",
            "p = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)",
            "points to 0x", fine=""),
    Refusal("stream", "FILE *f;", "FILE *f;", 'f = fopen("/dev/null", "r")', "points to 0x",
            fine="f = stderr"),
    Refusal("thread-local", "__thread int count; int other;", "__thread int count; int other;",
            "count = 1", "`count`"),
    Refusal("many-alike", ITEMS % "int", ITEMS % "unsigned char", MANY % 300,
            "and 47 more of `.count` of a `struct item`, alike", fine=MANY % 200),
    Refusal("far-in-a-list", ITEMS % "int", ITEMS % "unsigned char",
            MANY % 200 + "struct item *p = list; while (p->next) p = p->next; p->count = 300",
            "`list->next->(48 more)->count` (`int`, now `unsigned char`; allocated at "),
    Refusal("tag-in-address",
            "struct { int a, b; } s __attribute__((aligned(16))); int *p; ST_VAR(p, tagged_pointer(4));",
            "struct { int x, a, b; } s __attribute__((aligned(16))); int *p;"
            "ST_VAR(p, tagged_pointer(4));", "p = &s.a",
            "which has bits of the tag 0x4; let the tag be", fine="p = 0"),
    Refusal("live-gone", "struct value { int kind; " + LIVE % ("b", "b"),
            "struct value { int kind; " + LIVE % ("c", "c"), "v.kind = 1",
            "`v.u` (`union {...}`) has `c` live, which its union does not have", fine="v.kind = 0"),
    Refusal("time-zone", "#include <time.h>\nstruct tm now;", "#include <time.h>\nstruct tm now;",
            "time_t t = time(0); now = *localtime(&t)",
            "annotate it: ST_FIELD(struct tm, tm_zone, dont_transfer)", fine="now.tm_min = 5"),
    Refusal("library-text", "char *path;", "char *path;", 'path = realpath("/", 0)',
            "copying what a library made (strdup), or annotate it: ST_VAR(path, dont_transfer)",
            fine='path = strdup("/")'),
    Refusal("early", "int *cache;" + EARLY, "int *cache;" + EARLY, "*cache = 1",
            "`cache` (`int *`) points to 0x", fine="cache = calloc(1, 4)"),
    Refusal("early-in-the-new-one", "int old;", "int *cache;" + EARLY, "old = 0",
            "from before st_init() (a constructor's), which is no state; allocate it after st_init()"),
    Refusal("complex-narrowed", "double _Complex z;", "float _Complex z;", "z = 0.1",
            "is 0.1, which"),
]
