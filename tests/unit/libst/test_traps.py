"""What misleads tools that believe debug information: each trap is built, and must be seen."""

import os
import re
import shutil

import pytest

from instrumented import COMPILERS, LINK_FLAGS, STATE_FLAGS, VARIANTS, Program, run

C_MAIN = "int used = 1;\nextern int other(void);\nint main(void) { return other() + used; }\n"


def refused(dump):
    return {v["name"]: v["about"].split("refused: ", 1)[1]
            for v in dump.variables if "refused: " in v["about"]}


# ---- kinds of debug information ----

DWARF = [("gcc", "-gdwarf-4"), ("gcc", "-gdwarf-5"), ("clang-19", "-gdwarf-4"),
         ("clang-19", "-gdwarf-5"), ("gcc", "-gz"), ("clang-19", "-gz"), ("gcc", "-flto"),
         ("gcc", "-fdebug-types-section"), ("gcc", "-g3"), ("gcc", "-fno-common"),
         ("gcc", "-fcommon"), ("gcc", "-gdwarf-4 -gstrict-dwarf"), ("gcc", "-gno-column-info"),
         ("clang-19", "-flto -fuse-ld=gold"), ("clang-19", "-fno-plt"), ("gcc", "-O0"),
         ("clang-19", "-O0")]

UNITS = {
    "a.c": '#include "h.h"\nstatic struct conn { long a[3]; } conn;\nint shared = 3;\n'
           "static int hits(void) { return tick() + ++shared; }\n"
           "int main(int argc, char **argv) { (void)argv; conn.a[1] = argc;\n"
           "  struct slot *s = malloc(sizeof *s); s->n = hits() + other(); sink = s;\n"
           "  return conn.a[1] + s->n == -1; }\n",
    "b.c": '#include "h.h"\nstatic struct conn { short b[5]; struct slot *next; } conn;\nvoid *sink;\n'
           "int other(void) { conn.b[tick() & 3]++; conn.next = calloc(4, sizeof *conn.next);\n"
           "  return conn.b[1] + !conn.next; }\n",
    "h.h": "#include <stdlib.h>\nstruct slot { int n; unsigned low : 3, high : 9; union { int i; float f; };\n"
           "  enum { ONE = 1, MANY = 300 } kind; };\nextern void *sink; int other(void);\n"
           "static inline int tick(void) { static int ticks; return ++ticks; }\n",
}


def units(folder):
    for name, text in UNITS.items():
        (folder / name).write_text(text)
    return [name for name in UNITS if name.endswith(".c")]


@pytest.mark.parametrize("compiler,flags", [d for d in DWARF if d[0] in COMPILERS])
def test_kinds_of_debug_information(tmp_path, compiler, flags):
    program = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], "-O2", *flags.split()],
                      units(tmp_path))
    dump = program.dump()
    assert refused(dump) == {}
    assert run(program.out).returncode == 0
    assert sorted(size for size, _ in dump.types["struct conn"]) == [24, 24]
    fields = {tuple(m for _, m, _ in members) for _, members in dump.types["struct conn"]}
    assert fields == {("a",), ("b", "next")}
    (size, members), = dump.types["struct slot"]
    assert (size, [(p, m) for p, m, _ in members]) == (
        16, [("0", "n"), ("4.0:3", "low"), ("4.3:9", "high"), ("8", ""), ("12", "kind")])
    assert {v["about"].split(",")[0] for v in dump.variables if v["name"] == "conn"} == {"a.c", "b.c"}
    # A static of an inline function is one for each unit that has the function.
    assert [v["about"].split(", ")[:2] for v in dump.variables if v["name"] == "ticks"] == [
        ["a.c", "in tick"], ["b.c", "in tick"]] or sorted(
        v["about"].split(",")[0] for v in dump.variables if v["name"] == "ticks") == ["a.c", "b.c"]
    assert {(s["function"], s["type"]) for s in dump.sites} == {
        ("main", "struct slot"), ("other", "struct slot")}


@pytest.mark.parametrize("version", ["-gdwarf-4", "-gdwarf-5"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_split_debug_information_is_refused(tmp_path, compiler, version):
    program = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], "-O1", version, "-gsplit-dwarf"],
                      units(tmp_path))
    done = program.instrument()
    assert done.returncode == 1
    assert re.search(r"a\.dwo' was built with -gsplit-dwarf; build it without", done.stderr), \
        done.stderr
    assert not program.out.exists()


def test_poor_debug_information_is_refused(tmp_path):
    """-g1 has the names of globals, and nothing of statics and types."""
    names = units(tmp_path)
    flags = [f for f in STATE_FLAGS["gcc"] if f != "-g"]
    dump = Program(tmp_path, "gcc", [*flags, "-g1"], names).dump()
    about = refused(dump)
    assert set(about) >= {"shared", "sink"}
    assert "its type is not described" in about["shared"]
    assert {v["name"] for v in dump.variables if "const" not in v["about"]} == set(about)


def test_static_executables_are_refused(tmp_path):
    program = Program(tmp_path, "gcc", STATE_FLAGS["gcc"], units(tmp_path),
                      ["-static-pie", "-Wl,--build-id=sha1"])
    done = program.instrument()
    assert (done.returncode, "linked statically" in done.stderr) == (1, True)


# ---- units in other languages, and data that none describes ----


def mixed(folder, foreign, compile_foreign, link="gcc"):
    """A C program with an object that `compile_foreign` makes from the text `foreign`."""
    (folder / "a.c").write_text(C_MAIN)
    source = folder / f"foreign{compile_foreign[-1]}"
    source.write_text(foreign)
    done = run(*compile_foreign[:-1], "-c", source, "-o", folder / "foreign.o", cwd=folder)
    assert done.returncode == 0, done.stderr
    return Program(folder, "gcc", [*STATE_FLAGS["gcc"], "-O1"], ["a.c"],
                   [*LINK_FLAGS, folder / "foreign.o"])


ASSEMBLER = ("gcc", "-g", "-fPIE", ".S")
BARE_ASSEMBLER = ("gcc", "-fPIE", ".S")
CPP = ("g++", "-g", "-fPIE", "-O1", ".cc")
BARE_C = ("gcc", "-O1", "-fPIE", ".c")
FUNCTION = ".text\n.globl other\n.type other,@function\nother: xorl %eax,%eax\n ret\n.size other,.-other\n"
NOTE = ".section .note.GNU-stack,\"\"\n"


@pytest.mark.parametrize("compiler", [ASSEMBLER, BARE_ASSEMBLER], ids=["with -g", "without"])
def test_assembler_without_state_is_ignored(tmp_path, compiler):
    program = mixed(tmp_path, FUNCTION + ".section .rodata\ntable: .long 1\n" + NOTE, compiler)
    done = program.instrument()
    assert done.returncode == 0
    warned = "foreign.S: written in assembler: ignored, as it holds no state" in done.stderr
    assert warned == ("-g" in compiler)
    assert refused(program.dump()) == {}


@pytest.mark.parametrize("compiler", [ASSEMBLER, BARE_ASSEMBLER], ids=["with -g", "without"])
@pytest.mark.parametrize("data", [".data\ncounter: .quad 5\n", ".lcomm counter, 8\n",
                                  ".data\n.globl counter\n.type counter,@object\n.size counter,8\n"
                                  "counter: .quad 1\n"])
def test_state_of_assembler_is_refused(tmp_path, compiler, data):
    program = mixed(tmp_path, FUNCTION + data + NOTE, compiler)
    names = refused(program.dump())
    assert set(names) == {"counter"}
    assert "no debug information describes it" in names["counter"]


def test_state_compiled_without_debug_information_is_refused(tmp_path):
    program = mixed(tmp_path, "static int hidden; int visible = 2; static __thread int per_thread;\n"
                    "const int constant = 7;\n"
                    "int other(void) { return ++hidden + visible++ + per_thread++ > 900; }\n", BARE_C)
    assert set(refused(program.dump())) == {"hidden", "visible", "per_thread"}


def test_cpp_without_state_is_ignored(tmp_path):
    program = mixed(tmp_path, "namespace { struct V { virtual int f() { return 0; } }; }\n"
                    "static const int table[] = {1, 2};\n"
                    'extern "C" int other() { V v; return v.f() + table[0] - 1; }\n', CPP)
    done = program.instrument()
    assert done.returncode == 0, done.stderr
    assert "foreign.cc: written in C++: ignored, as it holds no state" in done.stderr
    assert refused(program.dump()) == {}


def test_state_of_cpp_is_refused(tmp_path):
    program = mixed(tmp_path, "namespace n { int counter; struct K { static long kept; }; long K::kept; }\n"
                    "static int next() { static int last = 4; return ++last; }\n"
                    'extern "C" int other() { n::counter++; n::K::kept++; return next() > 900; }\n', CPP)
    done = program.instrument()
    assert "foreign.cc: written in C++: its variables are refused" in done.stderr
    names = refused(program.dump())
    assert set(names) == {"counter", "kept", "last"}
    assert all("written in C++" in note for note in names.values())


def rust(folder, source):
    """An object whose debug information says Rust: Debian's rustc with its library is too large for
    one test, so gcc's output is told to say so."""
    (folder / "rust.c").write_text(source)
    done = run("gcc", "-g", "-O1", "-fPIE", "-S", "-dA", "rust.c", "-o", "rust.s", cwd=folder)
    assert done.returncode == 0, done.stderr
    text, count = re.subn(r"\.byte\t0x\w+(\s*# DW_AT_language)", r".byte\t0x1c\1",
                          (folder / "rust.s").read_text())
    assert count == 1
    return mixed(folder, text, ("gcc", "-fPIE", ".s"))


def test_rust_without_state_is_ignored(tmp_path):
    program = rust(tmp_path, "static const long table[3] = {1, 2};\n"
                   "int other(void) { return table[2]; }\n")
    done = program.instrument()
    assert done.returncode == 0
    assert "rust.c: written in Rust: ignored, as it holds no state" in done.stderr
    assert refused(program.dump()) == {}


def test_state_of_rust_is_refused(tmp_path):
    program = rust(tmp_path, "static long COUNTER; int other(void) { return ++COUNTER > 900; }\n")
    assert "rust.c: written in Rust: its variables are refused" in program.instrument().stderr
    assert "written in Rust" in refused(program.dump())["COUNTER"]


# ---- variables and functions ----


LINKERS = [linker for linker in ("bfd", "gold", "lld") if shutil.which(f"ld.{linker}")]


@pytest.mark.parametrize("linker", LINKERS)
@pytest.mark.parametrize("compiler", COMPILERS)
def test_what_the_linker_removed_is_not_there(tmp_path, compiler, linker):
    """Its debug information says that it is at address 0, which pointers must not go to."""
    (tmp_path / "a.c").write_text(
        "#include <stdlib.h>\nint used = 1;\nint unused[10] = {1};\nvoid *block;\n"
        "static int deep(void) { static int calls; block = malloc(9); return ++calls; }\n"
        "int never(void) { return deep() + unused[2]; }\nint main(void) { return used - 1; }\n")
    program = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], "-O1", "-ffunction-sections",
                                           "-fdata-sections"], ["a.c"],
                      [*LINK_FLAGS, "-Wl,--gc-sections", f"-fuse-ld={linker}"])
    dump = program.dump()
    assert {v["name"] for v in dump.variables} <= {"used", "block"}, dump.text
    assert "used" in {v["name"] for v in dump.variables} and refused(dump) == {}
    assert [f["name"] for f in dump.functions] == ["main"]


def test_functions_that_share_their_code(tmp_path):
    """A pointer to it may mean either."""
    (tmp_path / "a.c").write_text(
        "int one(int x) { return 3 * x; }\nint two(int x) { return 3 * x; }\n"
        "int (*volatile call)(int) = one; int (*volatile other)(int) = two;\n"
        "int main(void) { return call(1) != other(1); }\n")
    for flags, names in ((["-Wl,--icf=all"], {"main", "one|two"}), ([], {"main", "one", "two"})):
        program = Program(tmp_path, "gcc", [*STATE_FLAGS["gcc"], "-O1", "-ffunction-sections"],
                          ["a.c"], [*LINK_FLAGS, "-fuse-ld=gold", *flags])
        assert {f["name"] for f in program.dump().functions} == names



@pytest.mark.parametrize("compiler", COMPILERS)
def test_variables_of_libraries_are_left_alone(tmp_path, compiler):
    """The linker copies them into the executable; they are not its own."""
    (tmp_path / "a.c").write_text(
        "#include <stdio.h>\n#include <unistd.h>\n#include <time.h>\n#include <errno.h>\n"
        "extern char **environ; int own;\n"
        "int main(int argc, char **argv) { tzset(); fprintf(stdout, \"%s %d\", optarg, optind);\n"
        "  return own + !environ + (stderr == stdin) + (timezone == 77) + (argv[argc] != NULL); }\n")
    program = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], "-O1"], ["a.c"])
    if compiler == "gcc":
        assert "R_X86_64_COPY" in run("readelf", "-rW", program.exe).stdout
    assert [v["name"] for v in program.dump().variables if "const" not in v["about"]] == ["own"]


@pytest.mark.parametrize("compiler", COMPILERS)
def test_two_types_of_one_name_in_two_files(tmp_path, compiler):
    """Their blocks too: each site has the type of its own file."""
    text = ("#include <stdlib.h>\nstruct conn {{ {0}; }};\nstatic struct conn *list;\n"
            "int {1}(void) {{ list = malloc(sizeof *list); return !list; }}\n")
    (tmp_path / "a.c").write_text(text.format("long a[5]", "other"))
    (tmp_path / "b.c").write_text(text.format("char *b; int c", "more")
                                  + "int other(void);\nint main(void) { return other() + more(); }\n")
    program = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], "-O2"], ["a.c", "b.c"])
    text = program.dump().text
    numbers = dict(re.findall(r"site ([ab])\.c:\d+:\d+ in \w+: struct conn#(\d+)", text))
    lists = dict((f, n) for n, f in re.findall(r"list: struct conn#(\d+) \* \(([ab])\.c", text))
    sizes = dict(re.findall(r"type struct conn#(\d+) (\d+) bytes", text))
    assert numbers == lists and {f: sizes[n] for f, n in numbers.items()} == {"a": "40", "b": "16"}


@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_type_that_its_own_file_only_declares(tmp_path, compiler):
    """Its definition is in the file of those that use it, and no variable there has it."""
    (tmp_path / "a.c").write_text("struct conn; struct conn *first; struct conn *make(void);\n"
                                  "int main(void) { first = make(); return !first; }\n")
    (tmp_path / "b.c").write_text("struct conn { int a; struct peer { long port; } *peer; };\n"
                                  "struct conn *make(void) { static char room[64];\n"
                                  "  struct conn *c = (void *)room; c->a = 1; return c; }\n")
    dump = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], "-O1"], ["a.c", "b.c"]).dump()
    assert [m for _, m, _ in dump.types["struct conn"][0][1]] == ["a", "peer"]
    assert dump.types["struct peer"][0][0] == 8


def test_types_that_no_state_has_are_left_out(tmp_path):
    (tmp_path / "a.c").write_text("struct unused { int a; }; struct used { int b; } used;\n"
                                  "enum mode { IDLE, BUSY }; int state;\n"
                                  "int main(int argc, char **argv) { (void)argv; struct unused u = {argc};\n"
                                  "  state = argc ? BUSY : IDLE; return u.a == 77 && used.b; }\n")
    program = Program(tmp_path, "gcc", STATE_FLAGS["gcc"], ["a.c"])
    assert set(program.dump().types) == {"struct used"}
    assert b"BUSY" not in program.out.read_bytes()[program.exe.stat().st_size:]  # it is packed


@pytest.mark.parametrize("count,fits", [(65535, True), (65536, False)])
def test_the_most_members_and_enumerators(tmp_path, count, fits):
    for name, source in (
            ("members", "struct many { %s } many;" % "".join(f"char m{i};" for i in range(count))),
            ("enumerators", "enum many { %s } many;" % ",".join(f"E{i}" for i in range(count)))):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "a.c").write_text(source + " int main(void) { return many%s; }"
                                    % (".m0" if name == "members" else ""))
        program = Program(folder, "gcc", STATE_FLAGS["gcc"], ["a.c"])
        done = program.instrument()
        assert (done.returncode == 0) == fits, done.stderr
        if not fits:
            assert f"type 'many': has more than 65535 {name}" in done.stderr
        elif name == "members":
            assert program.dump().types["struct many"][0][0] == count


def test_one_variable_of_two_sizes(tmp_path):
    """Files need not agree on what a common symbol is."""
    (tmp_path / "a.c").write_text("int both; int same; int main(void) { return both + same; }\n")
    (tmp_path / "b.c").write_text("struct { int a[4]; } both; int same; int b(void) { return both.a[2]; }\n")
    dump = Program(tmp_path, "gcc", [*STATE_FLAGS["gcc"], "-fcommon"], ["a.c", "b.c"]).dump()
    assert refused(dump) == {"both": "defined with types of different sizes in several files"}


@pytest.mark.parametrize("compiler", COMPILERS)
def test_types_of_c(tmp_path, compiler):
    """Each kind that C and the compilers have has its size."""
    own = "_BitInt(17) other;" if compiler.startswith("clang") else "_Decimal64 other;"
    (tmp_path / "a.c").write_text(
        "#include <stdio.h>\n#define V(x) printf(#x \" %zu\\n\", sizeof x)\n__int128 wide;\n"
        "long double ld; _Complex double z; double _Complex zs[2]; _Float16 half;\n"
        "typedef int v4 __attribute__((vector_size(16))); v4 vec; struct { v4 v[2]; } vecs;\n"
        "_Atomic int at; int m[2][3][4]; int (*fp)(int, ...);\n"
        "struct __attribute__((packed)) { char c; long l; } packed;\n"
        "struct { int x __attribute__((aligned(64))); } aligned;\n"
        "enum big { B = 0x100000000ll } big; enum neg { N = -1 } neg;\n"
        "enum __attribute__((packed)) small { S } small; _Bool flag; struct zero {} zero; \n"
        f"{own}\nint main(void) {{ V(wide); V(ld); V(z); V(zs); V(half); V(vec); V(vecs); V(at); V(m);\n"
        "  V(fp); V(packed); V(aligned); V(big); V(neg); V(small); V(flag); V(zero); V(other);\n"
        "  return 0; }\n")
    program = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], "-O1"], ["a.c"])
    dump = program.dump()
    sizes = {name: int(size) for name, size in
             (line.split() for line in run(program.out).stdout.splitlines())}
    assert len(sizes) == 18 and refused(dump) == {}
    assert {v["name"]: v["bytes"] for v in dump.variables if v["name"] in sizes} == sizes


# ---- sites ----


@pytest.mark.parametrize("compiler,level", VARIANTS)
def test_two_types_at_one_position(tmp_path, compiler, level):
    """Calls of one macro have one place in the source, and nothing tells which is which."""
    (tmp_path / "a.c").write_text(
        "#include <stdlib.h>\n#define BOTH (a = malloc(sizeof *a), b = malloc(sizeof *b))\n"
        "#define SAME (c = malloc(sizeof *c), d = malloc(sizeof *d))\n"
        "struct a { long x[3]; } *a; struct b { void *p[2]; } *b; struct c { int i; } *c, *d;\n"
        "int main(void) { BOTH; SAME; return !a + !b + !c + !d; }\n")
    program = Program(tmp_path, compiler, [*STATE_FLAGS[compiler], level], ["a.c"])
    report = program.instrument("--report").stdout
    assert "calls of different types at one place in the source" in report
    assert {s["type"] for s in program.dump().sites} == {"untyped", "struct c"}


@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_call_without_a_line(tmp_path, compiler):
    """As compilers mark what they merged. Only clang's assembler writes down line 0."""
    (tmp_path / "a.c").write_text(
        "#include <stdlib.h>\nstruct s { long x[3]; } *s;\n"
        "int main(void) { s = malloc(sizeof *s); return !s; }\n")
    flags = [*STATE_FLAGS[compiler], "-O1"]
    if compiler == "gcc":
        flags += ["-gno-variable-location-views", "-gdwarf-4"]
    program = Program(tmp_path, compiler, flags, ["a.c"])
    assert [s["type"] for s in program.dump().sites] == ["struct s"]
    assert run(compiler, *flags, "-S", "a.c", cwd=tmp_path).returncode == 0
    lost, count = re.subn(r"(\.loc\s\d+ )(3 22\b[^\n]*)(\n.*?\n\s+call\w*\s+malloc)", r"\g<1>0 0\3",
                          (tmp_path / "a.s").read_text(), flags=re.S)
    assert count == 1
    (tmp_path / "a.s").write_text(lost)
    done = run("clang-19", "-c", "a.s", "-o", "a.o", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert run(compiler, *LINK_FLAGS, "a.o", "-o", program.exe, cwd=tmp_path).returncode == 0
    report = program.instrument("--report").stdout
    assert "the compiler gives it no line" in report
    assert [s["type"] for s in program.dump().sites] == ["untyped"]


def test_a_source_that_was_edited_since(tmp_path):
    """Its lines may be others by now: a call at the same place may make another type."""
    text = ("#include <stdlib.h>\nstruct a { long x[3]; } *a; struct b { void *p[3]; } *b;\n"
            "int main(void) { a = malloc(sizeof *a); b = malloc(24); return !a + !b; }\n")
    header = "static inline void *make(void) { return calloc(1, sizeof(struct b)); }\n"
    (tmp_path / "a.c").write_text(text)
    program = Program(tmp_path, "gcc", STATE_FLAGS["gcc"], ["a.c"])
    assert [s["type"] for s in program.dump().sites][0] == "struct a"
    (tmp_path / "a.c").write_text(text.replace("a = malloc(sizeof *a)", "b = malloc(sizeof *b)"))
    (tmp_path / "h.h").write_text(header)
    later = program.exe.stat().st_mtime + 10
    os.utime(tmp_path / "a.c", (later, later))
    done = program.instrument()
    assert f"{tmp_path}/a.c: newer than {program.exe}, so the allocations of" in done.stderr
    assert {s["type"] for s in program.dump().sites} == {"untyped"}
    (tmp_path / "a.c").write_text(
        "#include <stdlib.h>\nstruct b { void *p[3]; } *b;\n#include \"h.h\"\n"
        "int main(void) { b = make(); return !b; }\n")
    program = Program(tmp_path, "gcc", STATE_FLAGS["gcc"], ["a.c"])
    assert [s["type"] for s in program.dump().sites] == ["struct b"]
    os.utime(tmp_path / "h.h", (later + 600, later + 600))
    assert f"{tmp_path}/h.h: newer than {program.exe}" in program.instrument().stderr
    assert {s["type"] for s in program.dump().sites} == {"untyped"}


def test_a_type_that_the_compiler_was_told_to_lay_out_otherwise(tmp_path):
    (tmp_path / "a.c").write_text(
        "#include <stdlib.h>\n#ifdef BIG\n#define COUNT 9\n#else\n#define COUNT 3\n#endif\n"
        "struct s { long x[COUNT]; } *s;\nint main(void) { s = malloc(sizeof *s); return !s; }\n")
    program = Program(tmp_path, "gcc", [*STATE_FLAGS["gcc"], "-DBIG"], ["a.c"])
    assert [s["type"] for s in program.dump().sites] == ["struct s"]
    commands = tmp_path / "compile_commands.json"
    commands.write_text(commands.read_text().replace('"-DBIG", ', ""))
    assert [s["type"] for s in program.dump().sites] == ["untyped"]


# ---- state that no update reaches ----


@pytest.mark.parametrize("call,kept", [
    ("srand(3)", "the random number generator's state"),
    ("strtok(text, \" \")", "the rest of the string"),
    ("setenv(text, text, 1)", "changes of the environment"),
    ("putenv(text)", "changes of the environment"),
    ("setlocale(LC_ALL, text)", "the locale"),
    ("fopen(text, text)", "streams and their buffers"),
    ("setvbuf(stdout, text, _IOFBF, 9)", "a stream's buffer"),
    ("signal(SIGUSR1, SIG_IGN)", "signal handlers"),
    ("sigaction(SIGUSR1, 0, 0)", "signal handlers"),
    ("opendir(text)", "directory streams"),
    ("atexit(abort)", "functions to be called at exit"),
    ("alarm(9)", "timers"),
    ("openlog(text, 0, 0)", "the connection to the system log"),
])
def test_state_in_libc(tmp_path, call, kept):
    (tmp_path / "a.c").write_text(
        "#include <stdlib.h>\n#include <string.h>\n#include <stdio.h>\n#include <locale.h>\n"
        "#include <signal.h>\n#include <dirent.h>\n#include <unistd.h>\n#include <syslog.h>\n"
        f"char text[99];\nint main(void) {{ {call}; return 0; }}\n")
    program = Program(tmp_path, "gcc", STATE_FLAGS["gcc"], ["a.c"])
    done = program.instrument("--report")
    name = call.split("(")[0]
    message = re.compile(rf"uses (__cxa_)?{name}(64)?; an update does not carry over {re.escape(kept)}, which")
    assert message.search(done.stderr)
    assert message.search(done.stdout.partition("state outside the reach of an update\n")[2])
    quiet = program.instrument("--quiet", "--report")
    assert quiet.stderr == "" and message.search(quiet.stdout)


def test_the_report(tmp_path):
    (tmp_path / "a.c").write_text(
        "#include <stdlib.h>\n#include <math.h>\n__thread int per_thread;\nint *values;\nvoid *any;\n"
        "static void *xalloc(size_t n) { return malloc(n); }\n"
        "static void fill(int n) { any = malloc(n); values = xalloc(n * sizeof *values); }\n"
        "int main(int argc, char **argv) { (void)argv; fill(argc); return per_thread + rand() == 0; }\n")
    program = Program(tmp_path, "gcc", STATE_FLAGS["gcc"], ["a.c"])
    lines = program.instrument("--report").stdout.splitlines()
    for expected in (
            "  a.c: variable 'per_thread': thread-local",
            "  a.c: 'xalloc'"):
        assert expected in lines, lines
    assert any(re.fullmatch(r"  a\.c:7:\d+ in fill: neither destination nor size name a type", line)
               for line in lines), lines
    assert re.fullmatch(r"3 variables, 1 refused; 3 functions; 3 allocation sites, 1 without a type",
                        lines[-1]), lines
    assert any("uses rand" in line for line in lines)


def test_help():
    for tool in ("ST_INSTRUMENT", "ST_META"):
        done = run(os.environ[tool], "--help")
        assert done.returncode == 0
        for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS"):
            assert f"\n{section}\n" in "\n" + done.stdout
