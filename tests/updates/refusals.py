"""What must be refused, and what the violation says."""

from __future__ import annotations

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
    beside: tuple[str, str] | None = None  # a second file of each version

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
#include "tests/updates/pair.h"
{self.old if version == 1 else self.new}
{build}static void verify(void) {{}}
PAIR_MAIN({fields}.verify = verify)
"""


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
    Refusal("two-statics-one-variable",
            "int f(void) { static int n; return n++; } int g(void) { static int n; return n++; }",
            "int n; int f(void) { return n++; } int g(void) { return n++; }", "f(), g()",
            "in the new version, as may `n in g` of"),
    Refusal("one-static-two-variables", "static int n; int f(void) { return n++; }",
            "int n; int f(void) { return n++; } int g(void) { static int n; return n++; }", "f()",
            "say so with ST_VAR(n, renamed_from(n))"),
    Refusal("static-of-renamed-function",
            "int f(void) { static int n; return n++; }", "int g(void) { static int n; return n++; }",
            "f()", "say so with ST_STATIC(g, n, renamed_from(n))"),
    Refusal("block-gained",
            "int f(int i) {\n if (i) {\n static int n; return n++; }\n static int n; return n++; }",
            "int f(int i) {\n if (i) {\n static int n; return n++; }\n if (i > 2) {\n"
            "static int n; return n++; }\n static int n; return n++; }",
            "f(0)", "is one of 2 statics of that name, and the new version has 3"),
    Refusal("static-to-other-file", "static int count;", "int other;", "count = 1",
            "say so with ST_VAR(count, renamed_from(count))",
            beside=("int beside;", "int beside; static int count;")),
    Refusal("function-to-other-file",
            "static int called(void) { return 1; } int (*f)(void);", "int (*f)(void);", "f = called",
            "points to function `called`, which may be `called` of ", fine="",
            beside=("int beside;", "int beside; static int called(void) { return 2; }"
                    "int (*g)(void) = called;")),
    Refusal("flexible-variable-shrunk",
            "struct s { int n; int e[]; } v = {8, {1, 2, 3, 4, 5, 6, 7, 8}}; int after = 7;",
            "struct s { int n; long e[]; } v = {2, {1, 2}}; int after = 7;", "v.e[7] = 9",
            "`v` holds data in a flexible array that is shorter", fine="v.n = 8"),
    Refusal("behind-flexible-elements",
            "struct e { int id; int z; }; struct o { long k; struct e e[]; }; struct o *o;",
            "struct e { int id; int y; int z; }; struct o { long k; struct e e[]; }; struct o *o;",
            "o = calloc(1, sizeof *o + 2 * sizeof(struct e) + 8)",
            "a block whose type is not known", fine="o = calloc(1, sizeof *o + 2 * sizeof(struct e))"),
    Refusal("rest-of-flexible-array",
            "struct e { int id; int z; }; struct o { long k; struct e e[]; }; struct o *o;"
            "int room = 28;",
            "struct e { int id; int y; int z; }; struct o { long k; struct e e[]; }; struct o *o;"
            "int room = 28;",
            "o = calloc(1, room); o->e[2].id = 1",
            "has 4 bytes behind the last whole element", fine="o = calloc(1, room)"),
    Refusal("complex-narrowed", "double _Complex z;", "float _Complex z;", "z = 0.1",
            "is 0.1, which"),
]
