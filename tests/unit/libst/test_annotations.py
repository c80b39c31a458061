"""Annotations leave no trace in what runs, and what is wrong with them st-instrument tells."""

import os
import shutil

import pytest
from instrumented import COMPILERS, STATE_FLAGS, Program, run

SOURCE = os.environ["SOURCE"]
LEVELS = ("-O0", "-O1", "-O2")

# Every kind of annotation on every kind of thing; `@` are the lines that are annotations.
SUBJECT = """
#include <stdint.h>
#include <stdlib.h>
#include "libst/annotate.h"
enum kind { KIND_NUMBER, KIND_TEXT };
struct item { int number; struct item *next; };
struct value {
  enum kind kind;
  union { long number; char *text; } u;
  uintptr_t owner, coloured;
  void *cookie;
  unsigned bits : 3;
  char bytes[64];
};
typedef uintptr_t handle_t;
static struct value values[4];
static handle_t handle;
static char pool[4096];
static int cache;
struct item *items;
@ST_FIELD(struct value, u, live_by(kind, KIND_NUMBER = number, KIND_TEXT = text));
@ST_FIELD(struct value, owner, pointer_to(struct item));
@ST_FIELD(struct value, coloured, tagged_pointer(0x7));
@ST_FIELD(struct value, cookie, not_pointer);
@ST_FIELD(struct value, bits, renamed_from(flags));
@ST_FIELD(struct value, bytes, opaque);
@ST_TYPE(handle_t, pointer_to(void));
@ST_TYPE(struct item, renamed_from(struct thing));
@ST_VAR(pool, pool_of(struct item));
@ST_VAR(cache, dont_transfer);
@ST_ENUMERATOR(KIND_TEXT, renamed_from(KIND_STRING));
static int next(void) { static int made; return ++made + cache + pool[made]; }
@ST_STATIC(next, made, dont_transfer);
@ST_FUNCTION(next, renamed_from(following));
static char *grow(unsigned bytes) { return malloc(bytes * 2); }
@ST_BLOCKS(grow, pool_of(struct item));
static char *copy(unsigned bytes) { return malloc(bytes * 2); }
@ST_BLOCKS(copy, opaque);
int main(int argc, char **argv) {
  items = malloc(sizeof(*items));
  values[argc].u.text = grow(argc);
  values[0].u.text = copy(argc);
  handle = (uintptr_t)argv;
  return next() + (int)values[1].kind + (int)handle;
}
"""


def program(folder, compiler, flags, text):
    folder.mkdir(exist_ok=True)
    (folder / "subject.c").write_text(text)
    return Program(folder, compiler, [*flags, "-std=gnu11", "-I" + SOURCE],
                   [folder / "subject.c"])


def annotated(text=SUBJECT):
    return text.replace("@", "")


def plain():
    return "\n".join("" if line.startswith("@") else line for line in SUBJECT.split("\n"))


def section(exe, name, folder):
    out = folder / "section"
    done = run("objcopy", "-O", "binary", f"--only-section={name}", exe, out)
    assert done.returncode == 0, done.stderr
    return out.read_bytes()


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("state_flags", (True, False))
def test_no_effect_on_code_and_data(tmp_path, compiler, level, state_flags):
    flags = [*(STATE_FLAGS[compiler] if state_flags else ["-g", "-fPIE"]), level]
    with_, without = (program(tmp_path / n, compiler, flags, t)
                      for n, t in (("with", annotated()), ("without", plain())))
    for name in (".text", ".rodata", ".data", ".data.rel.ro", ".rela.dyn", ".eh_frame"):
        assert section(with_.exe, name, with_.folder) == section(without.exe, name, without.folder)
    assert section(with_.exe, ".text", with_.folder)
    sections = run("readelf", "-SW", with_.exe).stdout
    assert [line.split()[-6:] for line in sections.splitlines() if ".st_annotations" in line]
    loaded = run("readelf", "-lW", with_.exe).stdout
    assert ".st_annotations" not in loaded and ".text" in loaded


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("level", LEVELS)
def test_all_arrive(tmp_path, compiler, level):
    dump = program(tmp_path, compiler, [*STATE_FLAGS[compiler], level], annotated()).dump().text
    said = [line for line in dump.splitlines() if line.startswith("annotation ")]
    assert len(said) == SUBJECT.count("\n@")
    assert any("live_by(kind, KIND_NUMBER = number, KIND_TEXT = text)" in s for s in said)
    # What a function allocates has its type at run time, too.
    assert " in grow: struct item" in dump


def test_with_link_time_optimisation(tmp_path):
    flags = [*STATE_FLAGS["gcc"], "-O2", "-flto"]
    dump = program(tmp_path, "gcc", flags, annotated()).dump().text
    assert dump.count("annotation ") == SUBJECT.count("\n@")


def test_in_a_header_of_several_units(tmp_path):
    """One unit does not use the type, one only names it; the variable is another's."""
    (tmp_path / "conn.h").write_text(
        '#include <stdint.h>\n#include "libst/annotate.h"\n'
        "struct conn { uintptr_t peer; };\nextern uintptr_t shared;\n"
        "ST_FIELD(struct conn, peer, pointer_to(struct conn));\n"
        "ST_VAR(shared, pointer_to(void));\n")
    sources = {
        "a.c": '#include "conn.h"\nuintptr_t shared;\nstruct conn conns[2];\nint main(void) '
               "{ extern int other(void); return other(); }\n",
        "b.c": '#include "conn.h"\nint other(void) { return (int)shared; }\n',
        "c.c": '#include "conn.h"\nstatic struct conn own;\nstruct conn *get(void) { return &own; }\n',
    }
    for name, text in sources.items():
        (tmp_path / name).write_text(text)
    p = Program(tmp_path, "gcc", [*STATE_FLAGS["gcc"], "-O2", "-I" + SOURCE],
                [tmp_path / n for n in sources])
    dump = p.dump().text
    assert "ST_FIELD(struct conn, peer, pointer_to(struct conn))" in dump


WRONG = {
    "ST_FIELD(struct value, u, live_by(kinf, 0 = number))":
        "no member `kinf`; the nearest name is `kind`",
    "ST_FIELD(struct value, u, live_by(kind, KIND_TXT = text))":
        "no enumerator `KIND_TXT`; the nearest name is `KIND_TEXT`",
    "ST_FIELD(struct value, u, live_by(kind, KIND_TEXT = test))":
        "the union has no member `test`; the nearest name is `text`",
    "ST_FIELD(struct value, u, live_by(kind, 0 = number, KIND_NUMBER = text))":
        "contradiction: two members for `KIND_NUMBER`",
    "ST_FIELD(struct value, u, live_by(kind, default = number, default = text))":
        "contradiction: twice `default`",
    "ST_FIELD(struct value, u, live_by(bytes, 0 = number))": "no integer or enumeration: `bytes`",
    "ST_FIELD(struct value, u, live_by(kind))": "no `VALUE = MEMBER` after `kind`",
    "ST_FIELD(struct value, kind, live_by(bits, 1 = number))": "it is no union",
    "ST_FIELD(struct value, kind, pointer_to(void))": "no integer that can hold a pointer",
    "ST_FIELD(struct value, cookie, pointer_to(void))": "is a pointer already",
    "ST_FIELD(struct value, kind, not_pointer)": "it is no pointer, and no integer that can hold one",
    "ST_FIELD(struct value, bits, opaque)": "`opaque` cannot be said of a bit-field",
    "struct packet { int n; char data[]; }; struct packet packets; "
    "ST_FIELD(struct packet, data, dont_transfer)":
        "`dont_transfer` cannot be said of a flexible array",
    "ST_FIELD(struct value, owner, tagged_pointer(0))": "leaves no tag or no address",
    "ST_FIELD(struct value, owner, tagged_pointer(some))": "the mask is no number",
    "ST_FIELD(struct value, owner, pointer_to(struct itme))": "has no such type",
    "ST_VAR(values, pool_of(struct item))": "it is no array of integers that can hold",
    "ST_STATIC(next, mode, dont_transfer)": "there is no variable `mode`",
    "ST_BLOCKS(next, pool_of(struct value))": "allocates no block of bytes or without a type",
    "ST_BLOCKS(next, opaque)": "the function allocates no block of bytes",
    "ST_BLOCKS(grow, not_pointer)": "`not_pointer` cannot be said of blocks",
    "ST_ENUMERATOR(KIND_TEXT, opaque)": "`opaque` cannot be said of an enumerator",
    "ST_TYPE(struct value, pointer_to(void))": "it is no typedef",
    "ST_VAR(cache, opaque); ST_VAR(cache, dont_transfer)":
        "ST_VAR(cache, dont_transfer): contradicts subject.c:",
    "ST_FIELD(struct value, owner, opaque); ST_FIELD(struct value, owner, tagged_pointer(1))":
        "tagged_pointer(1)): contradicts subject.c:",
    "ST_FIELD(struct value, owner, renamed_from(was)); "
    "ST_FIELD(struct value, coloured, renamed_from(was))":
        "ST_FIELD(struct value, coloured, renamed_from(was)): contradicts subject.c:",
}


@pytest.mark.parametrize("annotation", WRONG)
def test_refused(tmp_path, annotation):
    text = plain().replace("int main(", annotation + ";\nint main(")
    done = program(tmp_path, "gcc", [*STATE_FLAGS["gcc"], "-O1"], text).instrument()
    assert done.returncode == 1
    assert WRONG[annotation] in done.stderr.replace(str(tmp_path) + "/", ""), done.stderr


def test_the_compiler_checks_names(tmp_path):
    for annotation in ("ST_FIELD(struct value, ownr, opaque)", "ST_VAR(cashe, opaque)",
                       "ST_TYPE(struct itme, renamed_from(x))", "ST_ENUMERATOR(NO, renamed_from(x))"):
        (tmp_path / "wrong.c").write_text(plain() + annotation + ";\n")
        for compiler in COMPILERS:
            assert shutil.which(compiler)
            done = run(compiler, "-std=gnu11", "-I" + SOURCE, "-c", tmp_path / "wrong.c", "-o",
                       tmp_path / "wrong.o")
            assert done.returncode != 0, annotation


def test_the_same_twice(tmp_path):
    text = annotated() + "ST_VAR(cache, dont_transfer);\nST_FIELD(struct value, bytes, opaque);\n"
    done = program(tmp_path, "gcc", [*STATE_FLAGS["gcc"], "-O1"], text).instrument()
    assert done.returncode == 0, done.stderr
