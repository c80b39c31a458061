"""What st-instrument takes for a variable, and tells apart."""

import re

import pytest

from instrumented import COMPILERS, STATE_FLAGS, VARIANTS, Program, run

VARIABLES = """
#include <stdio.h>
int global = 1;
static int of_file = 2;
static int never_read;
static int flag_like;
static struct { long a, b, c; } aggregate;
const int constant = 4;
const char *const names[] = {"a", "b"};
__thread int per_thread;
struct flexible { int n; int items[]; } flexible = {3, {1, 2, 3}};
static int once(void) { static int calls; static char buffer[10]; buffer[calls % 10] = 1;
  return ++calls; }
int main(int argc, char **argv) { never_read = argc; flag_like = 7 * (argc > 1); per_thread++;
  aggregate.b = argc; if (flag_like) puts(names[argc]); fputs("", stdout);
  return aggregate.b + once() + of_file + global > 100; }
"""


@pytest.mark.parametrize("compiler,level", VARIANTS)
def test_variables(tmp_path, compiler, level):
    (tmp_path / "a.c").write_text(VARIABLES)
    program = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], level], ["a.c"])
    dump = program.dump()
    symbols = {}
    for line in run("nm", "-S", program.exe).stdout.splitlines():
        if m := re.match(r"(\w+) (\w+) \w (\S+)", line):
            symbols[re.sub(r"^once\.|\.\d+$", "", m[3])] = (int(m[1], 16), int(m[2], 16))
    for name in ("global", "of_file", "never_read", "flag_like", "aggregate", "constant", "names",
                 "flexible", "calls", "buffer"):
        v = dump.variable(name)
        assert (v["address"], v["bytes"]) == symbols[name], name
        assert "refused" not in v["about"], v
        assert ("const" in v["about"]) == (name in ("constant", "names")), v
        assert ("in once" in v["about"]) == (name in ("calls", "buffer")), v
    assert "thread-local" in dump.variable("per_thread")["about"]
    assert not [v for v in dump.variables if v["name"] == "stdout"]


def test_variables_that_the_compiler_took_apart_are_refused(tmp_path):
    (tmp_path / "a.c").write_text(VARIABLES)
    program = Program(tmp_path, "clang-19", ["-g", "-fPIE", "-O2"], ["a.c"])
    dump = program.dump()
    refused = {v["name"] for v in dump.variables if "refused" in v["about"]}
    assert "flag_like" in refused  # shrunk to a bool
    assert "aggregate" in refused  # split
    assert "global" not in refused


@pytest.mark.parametrize("compiler", COMPILERS)
def test_variables_that_the_compiler_removed_are_refused(tmp_path, compiler):
    (tmp_path / "a.c").write_text(VARIABLES)
    dump = Program(tmp_path, compiler, ["-g", "-fPIE", "-O2"], ["a.c"]).dump()
    assert "refused: removed by the compiler" in dump.variable("never_read")["about"]
    about = dump.variable("buffer")["about"]
    assert "in once" in about and "refused: removed by the compiler" in about
    assert "refused" not in dump.variable("calls")["about"]


def test_an_unused_inline_function_has_no_state(tmp_path):
    (tmp_path / "h.h").write_text("static inline int id(void) { static int last; return ++last; }\n")
    (tmp_path / "a.c").write_text('#include "h.h"\nint main(void) { return id(); }\n')
    (tmp_path / "b.c").write_text('#include "h.h"\nint b;\n')
    program = Program(tmp_path, "gcc", [*STATE_FLAGS["gcc"], "-O2"], ["a.c", "b.c"])
    assert "in id" in program.dump().variable("last")["about"]
    assert "refused" not in program.dump().text


@pytest.mark.parametrize("compiler,level", VARIANTS)
def test_locals_with_a_constant_address_are_no_variables(tmp_path, compiler, level):
    (tmp_path / "a.c").write_text(
        "struct n { int v, w; }; static struct n table[10]; static int limit = 3;\n"
        "static __thread int per_thread[4];\n"
        "int sum(void) { struct n *end = table + 10; const int most = limit; int s = 0, *t = per_thread + 1;\n"
        " for (struct n *q = table; q < end; q++) s += q->v; return s + most + *t; }\n"
        "int main(void) { return sum(); }\n")
    dump = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], level], ["a.c"]).dump()
    assert {v["name"] for v in dump.variables} == {"table", "limit", "per_thread"}


@pytest.mark.parametrize("compiler,level", VARIANTS)
def test_statics_of_one_name_are_numbered_by_their_declarations(tmp_path, compiler, level):
    (tmp_path / "a.c").write_text(
        "int step(int i) {\n if (i == 0) {\n  static long n = 1; return n++; }\n"
        " if (i == 1) {\n  static int n; return n++; }\n static short n = 2;\n return n++; }\n"
        "int other(void) { static int n; return n++; }\n"
        "int main(int argc, char **argv) { (void)argv; return step(argc) + other(); }\n")
    dump = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], level], ["a.c"]).dump()
    found = {(v["bytes"], re.sub(r".*in (\w+(?:, \d of \d)?).*", r"\1", v["about"]))
             for v in dump.variables}
    assert found == {(8, "step, 1 of 3"), (4, "step, 2 of 3"), (2, "step, 3 of 3"), (4, "other")}


@pytest.mark.parametrize("compiler", COMPILERS)
def test_statics_on_one_line_are_not_told_apart_without_columns(tmp_path, compiler):
    (tmp_path / "a.c").write_text(
        "int f(int i) { if (i) { static int n; return n++; } static int n; return n++; }\n"
        "int main(int argc, char **argv) { (void)argv; return f(argc); }\n")
    dump = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], "-O2"], ["a.c"]).dump()
    numbers = sorted(re.search(r"(\d) of 2", v["about"])[1] for v in dump.variables)
    assert numbers == (["1", "2"] if compiler == "gcc" else ["1", "1"])


@pytest.mark.parametrize("compiler", COMPILERS)
def test_one_of_two_statics_that_the_compiler_removed_is_refused(tmp_path, compiler):
    (tmp_path / "a.c").write_text(
        "int f(int i) {\n if (i) {\n static int n; n = i; return 0; }\n static int n; return n++; }\n"
        "int main(int argc, char **argv) { (void)argv; return f(argc); }\n")
    dump = Program(tmp_path, compiler, ["-g", "-fPIE", "-O2"], ["a.c"]).dump()
    assert ["removed by the compiler" in v["about"] for v in dump.variables].count(True) == 1


@pytest.mark.parametrize("compiler", COMPILERS)
def test_an_alias_is_no_variable(tmp_path, compiler):
    (tmp_path / "a.c").write_text(
        "int real = 4; extern int alias __attribute__((alias(\"real\")));\n"
        "int main(void) { return alias++; }\n")
    dump = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], "-O2"], ["a.c"]).dump()
    assert [v["name"] for v in dump.variables] == ["real"] and "refused" not in dump.text


@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_thread_local_of_an_inlined_function_has_its_function(tmp_path, compiler):
    (tmp_path / "a.c").write_text(
        "static int f(int n) { static __thread int reached; return reached += n; }\n"
        "int main(int argc, char **argv) { (void)argv; return f(argc); }\n")
    dump = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], "-O2"], ["a.c"]).dump()
    assert "in f, static, refused: thread-local" in dump.variable("reached")["about"]
