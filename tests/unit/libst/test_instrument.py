"""st-instrument against programs that know their own types, with both compilers."""

import json
import random
import re
from pathlib import Path

import pytest

from instrumented import (ALL_VARIANTS, COMPILERS, HERE, INSTRUMENT, LINK_FLAGS, META, STATE_FLAGS,
                          SUBJECTS, VARIANTS, Dump, Program, run)


@pytest.fixture(scope="session")
def tracer(tmp_path_factory):
    library = tmp_path_factory.mktemp("tracer") / "tracer.so"
    done = run("gcc", "-O1", "-fno-builtin", "-fno-omit-frame-pointer", "-shared", "-fPIC",
               HERE / "tracer.c", "-o", library)
    assert done.returncode == 0, done.stderr
    return library


def allocations(program, tracer):
    """(function, bytes, return addresses) of each allocation that a run makes."""
    done = run(program.out, env={"LD_PRELOAD": str(tracer)})
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stderr.splitlines()]
    return [(f, int(n), [int(a, 16) for a in rest]) for f, n, *rest in lines]


# ---- types ----


@pytest.mark.parametrize("compiler,level", VARIANTS)
def test_layouts_are_those_of_the_program(tmp_path, compiler, level):
    program = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], level], [SUBJECTS / "layout.c"])
    dump = program.dump()
    own, name = {}, None
    for line in run(program.out).stdout.splitlines():
        if m := re.match(r"type (.*) (\d+) bytes", line):
            name, own[m[1]] = m[1], (int(m[2]), [])
            name = m[1]
        else:
            place, _, member = line.strip().partition(" ")
            own[name][1].append((place, member))
    assert len(own) == 6
    for name, (size, members) in own.items():
        assert len(dump.types[name]) == 1, name
        found_size, found = dump.types[name][0]
        assert (found_size, [(p, m) for p, m, _ in found]) == (size, members), name


@pytest.mark.parametrize("compiler", COMPILERS)
def test_types_of_members(tmp_path, compiler):
    program = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], "-O2"], [SUBJECTS / "layout.c"])
    types = {m: t for _, m, t in program.dump().types["struct node"][0][1]}
    assert types["next"] == "struct node *"
    assert types["table"] == "struct node * *"
    assert types["narrow"] == "enum narrow"
    assert types["name"] == "char[17]"
    assert types["number"] == "union number"
    assert types["call"] == "callback"
    assert sorted(types["cv"].split()[:2]) == ["const", "volatile"]
    assert types["plain"] == "plain[2]"
    assert types["on"] == "_Bool"


@pytest.mark.parametrize("compiler", COMPILERS)
def test_structs_of_one_name_stay_apart(tmp_path, compiler):
    (tmp_path / "a.c").write_text(
        "struct conn { int a; struct conn *next; }; struct same { int x; struct same *s; };"
        "static struct conn c; static struct same s1; void *b(void);"
        "int main(void) { c.a = 1; s1.x = 2; return b() == &c; }")
    (tmp_path / "b.c").write_text(
        "struct conn { struct conn *next; long b[4]; }; struct same { int x; struct same *s; };"
        "static struct conn c; static struct same s2;"
        "void *b(void) { c.b[1] = 2; s2.x = 1; return s2.x == 7 ? 0 : &c; }")
    program = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], "-O2"], ["a.c", "b.c"])
    dump = program.dump()
    assert sorted(size for size, _ in dump.types["struct conn"]) == [16, 40]
    assert len(dump.types["struct same"]) == 1
    assert dump.variable("c", "a.c")["bytes"] == 16
    assert dump.variable("c", "b.c")["bytes"] == 40


@pytest.mark.parametrize("source,message", [
    ("struct many { %s }; struct many many;" % "".join(f"char m{i};" for i in range(65536)),
     "type 'many': has more than 65535 members"),
    ("struct far { char big[2 << 20]; int bit : 3; }; struct far far;",
     "type 'far': member 'bit' lies beyond what BTF can express"),
    ("struct far { int bit : 3; char big[2 << 20]; int last; }; struct far far;",
     "type 'far': member 'last' lies beyond what BTF can express"),
], ids=["members", "bit-field", "member beside a bit-field"])
def test_what_btf_cannot_hold_is_refused(tmp_path, source, message):
    (tmp_path / "a.c").write_text(source + " int main(void) { return 0; }")
    program = Program(tmp_path, "gcc", [*STATE_FLAGS["gcc"]], ["a.c"])
    done = program.instrument()
    assert done.returncode == 1
    assert message in done.stderr
    assert not program.out.exists()


# ---- sites ----

FLEXIBLE = """
#include <stdlib.h>
struct pair { int a, b; };
struct pairs { long n; struct pair all[]; };
struct text { int n; char all[]; };
struct pointers { long n; struct pair *all[]; };
struct nameless { long n; struct { int a, b; } all[]; };
void *volatile sink;
int main(int argc, char **argv) {
  (void)argv;
  struct pairs *p; struct text *t; struct pointers *q; struct nameless *u;
"""


@pytest.mark.parametrize("source,expected", [
    ("p = malloc(sizeof *p)", "struct pairs"),
    ("p = calloc(argc, sizeof(struct pairs))", "struct pairs"),
    ("p = malloc(sizeof *p + argc * sizeof(struct pair))", "struct pairs (flexible)"),
    ("p = malloc(sizeof *p + (argc + 1) * sizeof p->all[0])", "struct pairs (flexible)"),
    ("p = malloc(argc * sizeof(struct pair) + sizeof(*p))", "struct pairs (flexible)"),
    ("p = malloc(sizeof *p + sizeof(struct pair) - argc * sizeof(struct pair))",
     "struct pairs (flexible)"),
    ("p = malloc(sizeof *p + argc * sizeof(struct pair) + 8)", "untyped"),
    ("p = malloc(sizeof *p + 8)", "untyped"),
    ("p = malloc(argc)", "struct pairs (flexible)"),
    ("p = malloc(sizeof *p + argc * sizeof(struct text))", "untyped"),
    ("t = malloc(sizeof *t + argc + 1)", "struct text (flexible)"),
    ("t = malloc(sizeof *t)", "struct text"),
    ("q = malloc(sizeof *q + argc * sizeof(void *))", "struct pointers (flexible)"),
    ("u = malloc(sizeof *u + argc * sizeof u->all[0])", "struct nameless (flexible)"),
    ("sink = malloc(sizeof(struct pairs))", "struct pairs"),
    ("sink = malloc(sizeof(struct text) + argc)", "struct text (flexible)"),
])
def test_flexible_arrays(tmp_path, source, expected):
    (tmp_path / "a.c").write_text(FLEXIBLE + f"  {source};\n  sink = &sink;\n"
                                  "  sink = p; sink = t; sink = q; sink = u;\n  return 0;\n}\n")
    dump = Program(tmp_path, "gcc", [*STATE_FLAGS["gcc"], "-w"], ["a.c"]).dump()
    assert [s["type"] for s in dump.sites] == [expected]


EXPECTED = {
    808: "struct s56 *", 168: "struct s56", 139: "struct s136 (flexible)", 184: "typedef_184",
    32: {"struct s32", "char"}, 21: "char", 23: "unsigned char", 1324: "int", 2664: "double",
    8: "untyped", 301: "untyped", 302: "untyped", 303: "untyped", 304: "untyped", 208: "struct holder",
}


OTHER_FLAGS = [("gcc", f) for f in (
    "-O2 -flto", "-O2 -gdwarf-4", "-O2 -D_FORTIFY_SOURCE=2", "-O2 -fno-plt", "-O2 -gno-column-info",
    "-O2 -ffunction-sections -fdata-sections", "-O1 -fcf-protection")]


@pytest.mark.parametrize("compiler,level", ALL_VARIANTS + OTHER_FLAGS)
def test_each_allocation_has_its_type(tmp_path, tracer, compiler, level):
    program = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], *level.split()],
                      [SUBJECTS / "sites.c", SUBJECTS / "other.c"])
    dump = program.dump()
    seen = allocations(program, tracer)
    for function, size, addresses in seen:
        expected = EXPECTED.get(size, f"struct s{size}")
        site = dump.site_of(addresses)
        assert site, f"{function}({size}) has no site\n{dump.text}"
        assert site["type"] in (expected if isinstance(expected, set) else {expected}), \
            f"{function}({size}) at {site}"
    sizes = {size for _, size, _ in seen}
    assert sizes >= {8, 16, 24, 32, 40, 48, 56 * 3, 64, 72, 80, 88, 96, 104, 112, 120, 128, 139, 144,
                     152, 160, 176, 184, 200} | (set(EXPECTED) - {21} | {21}), sizes
    wrappers = {f["name"] for f in dump.functions if f["wrapper"]}
    assert wrappers >= {"xmalloc", "grown", "with_ledger"}
    assert not wrappers & {"make_112", "conditional", "main", "checked"}


@pytest.mark.parametrize("compiler,level", VARIANTS)
def test_sites_are_where_the_source_says(tmp_path, compiler, level):
    program = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], level],
                      [SUBJECTS / "sites.c", SUBJECTS / "other.c"])
    sites = {(Path(s["file"]).name, s["line"], s["function"]): s["type"]
             for s in program.dump().sites}
    assert ("grammar.y", 501, "from_grammar") in sites
    lines = (SUBJECTS / "sites.c").read_text().splitlines()
    line = next(i for i, text in enumerate(lines, 1) if "struct s80 *e" in text)
    assert sites["sites.c", line, "main"] == "struct s80"


@pytest.mark.parametrize("compiler,level", ALL_VARIANTS)
@pytest.mark.parametrize("flags", [["-g", "-fPIE"], None], ids=["plain", "state"])
def test_merged_calls_never_get_a_wrong_type(tmp_path, tracer, compiler, level, flags):
    own = flags if flags is not None else STATE_FLAGS[compiler]
    program = Program(tmp_path, compiler, [*own, level, "-fno-omit-frame-pointer"],
                      [SUBJECTS / "merged.c"])
    dump = program.dump()
    left, right = [dump.site_of(a) for _, _, a in allocations(program, tracer)]
    assert (left["type"] if left else "untyped") in {"struct left", "untyped"}
    assert (right["type"] if right else "untyped") in {"struct right", "untyped"}
    if flags is None:
        assert (left["type"], right["type"]) == ("struct left", "struct right")


def test_merging_is_met(tmp_path):
    """The test above tests nothing unless optimisers do merge its calls."""
    dump = Program(tmp_path, "gcc", ["-g", "-fPIE", "-O2"], [SUBJECTS / "merged.c"]).dump()
    assert [s["type"] for s in dump.sites] in (["untyped"], [])


@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_type_that_only_another_file_describes(tmp_path, compiler):
    """clang leaves a struct out of a unit that has it behind an extern pointer only."""
    (tmp_path / "h.h").write_text("struct slot { long a, b; void *c; };\n"
                                  "struct driver { struct slot *slots; };\n"
                                  "extern struct driver driver;\n")
    (tmp_path / "a.c").write_text('#include "h.h"\n#include <stdlib.h>\n'
                                  "void fill(void) { driver.slots = calloc(9, sizeof *driver.slots); }\n")
    (tmp_path / "b.c").write_text('#include "h.h"\nstruct driver driver; void fill(void);\n'
                                  "int main(void) { fill(); return driver.slots[1].a; }\n")
    dump = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], "-O2"], ["a.c", "b.c"]).dump()
    assert [s["type"] for s in dump.sites] == ["struct slot"]


def test_two_local_structs_of_one_name(tmp_path):
    """Which of them a call means cannot be told by name: it is left untyped."""
    (tmp_path / "a.c").write_text(
        "#include <stdlib.h>\nvoid *volatile sink;\n"
        "static void a(void) { struct local { long x[2]; } *p = malloc(sizeof *p); sink = p; }\n"
        "static void b(void) { struct local { void *x[3]; } *p = malloc(sizeof *p); sink = p; }\n"
        "static void c(void) { struct other { int x; } *p = malloc(sizeof *p); sink = p; }\n"
        "int main(void) { a(); b(); c(); return 0; }\n")
    dump = Program(tmp_path, "gcc", STATE_FLAGS["gcc"], ["a.c"]).dump()
    assert [s["type"] for s in dump.sites] == ["untyped", "untyped", "struct other"]


def test_a_file_that_does_not_parse_is_named(tmp_path):
    (tmp_path / "nested.c").write_text(
        "#include <stdlib.h>\nint main(int argc, char **argv) { (void)argv;\n"
        "int inner(int x) { return x + argc; }\n"
        "struct s { int i; } *s = malloc(sizeof *s); s->i = inner(1); return s->i; }\n")
    program = Program(tmp_path, "gcc", STATE_FLAGS["gcc"], ["nested.c"])
    done = program.instrument()
    assert done.returncode == 0
    assert re.search(r"warning: .*nested\.c: does not parse.*\n?.*nested\.c:3:\d+: error", done.stderr)
    assert [s["type"] for s in program.dump().sites] == ["untyped"]


def test_a_file_without_a_command_is_named(tmp_path):
    (tmp_path / "a.c").write_text("#include <stdlib.h>\nint *p;\n"
                                  "int main(void) { p = malloc(sizeof *p); return *p; }\n")
    program = Program(tmp_path, "gcc", STATE_FLAGS["gcc"], ["a.c"])
    (tmp_path / "compile_commands.json").write_text("[]")
    done = program.instrument()
    assert done.returncode == 0
    assert f"{tmp_path}/a.c: is not in compile_commands.json" in done.stderr
    assert [s["type"] for s in program.dump().sites] == ["untyped"]


def test_programs_that_share_a_file(tmp_path):
    """Each program's own command is used, not that of another built from the same file."""
    (tmp_path / "a.c").write_text(
        "#include <stdlib.h>\n#ifdef NEW\nstruct new { long a[4]; } *p;\n#else\n"
        "struct old { long a[3]; } *p;\n#endif\n"
        "int main(void) { p = malloc(sizeof *p); return p->a[0]; }\n")
    commands = []
    for name, flags in (("net", []), ("net.new", ["-DNEW"])):
        (tmp_path / f"{name}.p").mkdir()
        command = ["gcc", *STATE_FLAGS["gcc"], *flags, "-c", "a.c", "-o", f"{name}.p/a.c.o"]
        assert run(*command, cwd=tmp_path).returncode == 0
        assert run("gcc", *LINK_FLAGS, f"{name}.p/a.c.o", "-o", name, cwd=tmp_path).returncode == 0
        commands.append({"directory": str(tmp_path), "file": "a.c", "arguments": command})
    (tmp_path / "compile_commands.json").write_text(json.dumps(commands))
    for name, expected in (("net", "struct old"), ("net.new", "struct new")):
        done = run(INSTRUMENT, "--compile-commands", tmp_path / "compile_commands.json",
                   "--component", "net", "-o", tmp_path / "out", tmp_path / name)
        assert (done.returncode, done.stderr) == (0, "")
        dump = Dump(run(META, "dump", tmp_path / "out").stdout)
        assert [s["type"] for s in dump.sites] == [expected]


@pytest.mark.parametrize("flags", [["-fno-plt"], ["-foptimize-sibling-calls"]],
                         ids=["calls by register", "jumps"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_calls_that_cannot_be_seen_get_no_wrong_type(tmp_path, tracer, compiler, flags):
    """A block that a wrapper makes for itself must not pass for one that it hands on."""
    program = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], "-O2", *flags],
                      [SUBJECTS / "sites.c", SUBJECTS / "other.c"])
    dump = program.dump()
    for function, size, addresses in allocations(program, tracer):
        expected = EXPECTED.get(size, f"struct s{size}")
        site = dump.site_of(addresses)
        if site and site["type"] not in ("untyped", "its caller's"):
            assert site["type"] in expected, f"{function}({size}) at {site}"


def test_jumps_are_reported(tmp_path):
    (tmp_path / "a.c").write_text(
        "#include <stdlib.h>\nstruct s { int i; };\n"
        "__attribute__((noinline)) struct s *make(void) { return malloc(sizeof(struct s)); }\n"
        "int main(void) { return make()->i; }\n")
    program = Program(tmp_path, "gcc", ["-g", "-fPIE", "-O2"], ["a.c"])
    done = program.instrument()
    assert re.search(r"warning: .*a\.c:3: is a jump to malloc", done.stderr), done.stderr
    assert program.dump().sites == []


# ---- the file ----

PLAIN = "#include <stdlib.h>\nint x = 1;\nint main(void) { return x - 1; }\n"


def test_the_copy_runs_and_is_the_same_otherwise(tmp_path):
    (tmp_path / "a.c").write_text(PLAIN)
    program = Program(tmp_path, "gcc", STATE_FLAGS["gcc"], ["a.c"])
    program.dump()
    assert run(program.out).returncode == 0
    loads = [run("readelf", "-lW", p).stdout for p in (program.exe, program.out)]
    assert loads[0] == loads[1]
    assert run("readelf", "-aW", program.out).stderr == ""
    stripped = tmp_path / "stripped"
    assert run("strip", program.out, "-o", stripped).returncode == 0
    assert run(stripped).returncode == 0


@pytest.mark.parametrize("flags,link,message", [
    (["-fPIE"], LINK_FLAGS, "no debug information: built without -g"),
    (["-g", "-fPIE"], [*LINK_FLAGS, "-s"], "no debug information: built without -g, or stripped"),
    (["-g", "-fno-pie"], ["-no-pie", "-Wl,--build-id=sha1"], "not position-independent"),
    (["-g", "-fPIE"], ["-pie", "-Wl,--build-id=none"], "no build id"),
])
def test_unfit_executables(tmp_path, flags, link, message):
    (tmp_path / "a.c").write_text(PLAIN)
    program = Program(tmp_path, "gcc", flags, ["a.c"], link)
    done = program.instrument()
    assert done.returncode == 1
    assert message in done.stderr and str(program.exe) in done.stderr
    assert not program.out.exists()


def test_wrong_files(tmp_path):
    (tmp_path / "a.c").write_text(PLAIN)
    program = Program(tmp_path, "gcc", STATE_FLAGS["gcc"], ["a.c"])
    commands = tmp_path / "compile_commands.json"

    def message(*arguments):
        done = run(INSTRUMENT, *arguments)
        assert done.returncode in (1, 2)
        last = next(line for line in done.stderr.splitlines() if line.startswith("st-instrument: "))
        return last

    def common(path):
        return ("--component", "x", "-o", tmp_path / "out", "--compile-commands", path)

    assert "not an ELF file" in message(*common(commands), tmp_path / "a.c")
    assert "No such file" in message(*common(commands), tmp_path / "missing")
    assert "an object file" in message(*common(commands), tmp_path / "a.o")
    assert "No such file" in message(*common(tmp_path / "no" / "compile_commands.json"), program.exe)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "compile_commands.json").write_text("nonsense")
    assert "not a compilation database" in message(
        *common(tmp_path / "bad" / "compile_commands.json"), program.exe)
    assert "--component NAME is missing" in message("-o", "x", "--compile-commands", commands, "y")
    assert "not linked with the state library libnone.so.1" in message(
        "--state-library", "libnone.so.1", *common(commands), program.exe)
    program.dump()
    assert "is instrumented already" in message(*common(commands), program.out)
    done = run(META, "dump", program.exe)
    assert (done.returncode, "not instrumented" in done.stderr) == (1, True)


def test_state_in_libc_is_warned_of(tmp_path):
    (tmp_path / "a.c").write_text("#include <stdlib.h>\nint main(void) { return rand() == 7; }\n")
    program = Program(tmp_path, "gcc", STATE_FLAGS["gcc"], ["a.c"])
    assert "uses rand; an update does not carry over" in program.instrument().stderr


def test_a_damaged_section_is_an_error(tmp_path):
    """Whatever is changed in the section: an error, or an answer; never a crash."""
    program = Program(tmp_path, "gcc", [*STATE_FLAGS["gcc"], "-O1"],
                      [SUBJECTS / "sites.c", SUBJECTS / "other.c"])
    program.dump()
    good = program.out.read_bytes()
    for line in run("readelf", "-SW", program.out).stdout.splitlines():
        if m := re.search(r"\.st_meta\s+\w+\s+\w+ (\w+) (\w+)", line):
            start, size = int(m[1], 16), int(m[2], 16)
    random.seed(4)
    errors = 0
    victim = tmp_path / "victim"
    for turn in range(300):
        bad = bytearray(good)
        for _ in range(random.choice((1, 1, 3, 20))):
            at = start + random.randrange(size if turn % 2 else 200)
            bad[at] = random.choice((0, 255, 128, bad[at] ^ 1 << random.randrange(8)))
        victim.write_bytes(bad)
        done = run(META, "dump", victim)
        assert done.returncode in (0, 1), (turn, done)
        errors += done.returncode
    assert errors > 50
    for cut in (0, 10, 64, start - 1, start + 8, start + 100, start + size - 1, len(good) - 64):
        victim.write_bytes(good[:cut])
        done = run(META, "dump", victim)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), cut
