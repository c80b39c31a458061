"""What the shell makes of scripts: functions, case, here-documents; beside the host's shell."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from machine import PROMPT, Machine, bash, files, machine  # noqa: F401 (fixtures)

FUNCTIONS = {
    "arguments": 'f() { echo $# "$1" "$2"; shift; echo "$@"; }\nset -- own\nf a "b c"\nf ""\necho $#$1\n',
    "set in it": 'f() { set -- x y z; echo $#; }\nset -- own\nf; f\necho $#$1\n',
    "return": "f() { echo a; return 3; echo b; }\nf; echo $?\nf && echo no || echo or\n",
    "return without a number": "f() { false; return; }\nf; echo $?\ng() { true; }\ng; echo $?\n",
    "return out of loops": "f() { for i in 1 2 3; do while true; do return $i; done; done; }\nf; echo $?\n",
    "return in conditions": "f() { if return 4; then :; fi; echo no; }\nf; echo $?\n"
                            "g() { while return 5; do :; done; echo no; }\ng; echo $?\n",
    "exit in conditions": "while exit 4; do :; done\n",
    "exit in it": "f() { echo a; exit 7; }\nf\necho no\n",
    "variables": "f() { X=in; Y=$1; }\nX=out\nf y\necho $X $Y\n",
    "recursion": "f() { if [ $1 -gt 0 ]; then echo $1; f $(($1 - 1)); fi; }\nf 5\n",
    "deep recursion": "f() { [ $1 = 0 ] || f $(($1 - 1)); }\nf 100 && echo deep\n",
    "redirections": "f() { echo out; echo err >&2; } 2>&1\nf | wc -l\nf >kept; cat kept; rm kept\n"
                    "g() { read line; echo \"<$line>\"; }\ng <text\necho piped | g\n",
    "any compound": "f() (X=1; echo $X)\nX=0; f; echo $X\ng() if true; then echo g; fi\ng\n"
                    "h()\n{\n  echo h\n}\nh\n",
    "in shells of their own": "f() { echo $1 $V; }\nV=v\n(f a); echo $(f b); f c | cat; f d & wait\n"
                              "{ f e; } | cat\necho x | while read l; do f $l; done\n",
    "words in shells of their own": "f() { echo $1; }\nf $(echo x >>log; echo a) | cat; wc -l <log\n"
                                    "N=1; f ${X:=$(echo y >>log)} & wait; wc -l <log; rm log\n",
    "return in a shell of its own": "f() { echo x | while read l; do return 2; done; echo $?; }\nf\n",
    "one in another": "f() { g() { echo g of f; }; }\nf; g\n",
    "defined again": "f() { echo 1; f() { echo 2; }; echo 1 still; }\nf; f\n",
    "unset": "f() { echo f; }\nf; unset -f f; f 2>/dev/null; echo $?\n",
    "unset while it runs": "f() { unset -f f; echo on; }\nf\n",
    "before commands": "true() { echo mine; }\ntrue\nunset -f true; true\n"
                       "cat() { echo no cat; }\ncat <text; echo a | cat\n",
    "break stays in": "f() { break; echo after; }\nfor i in 1 2; do f; echo $i; done 2>/dev/null\n",
    "set -e": "set -e\nf() { false; echo reached; }\nf || echo or\nf\necho no\n",
    "sourced": "echo 'g() { echo sourced $1; }; return 3; echo no' >lib.sh\n. ./lib.sh; echo $?\ng x\nrm lib.sh\n",
    "assignments": "f() { echo $A; }\nA=1 f\n",
    "a case in it": "f() { case $1 in a) return 1;; *) return 2;; esac; }\nf a; echo $?; f b; echo $?\n",
}

CASES = {
    "patterns": 'for x in a abc a.c "" "*" "a b" -1 [; do\n  case $x in\n  a) echo one;;\n  a?c) echo three;;\n'
                '  "*") echo star;;\n  *" "*) echo blank;;\n  -[0-9]) echo number;;\n  "") echo nothing;;\n'
                '  *) echo other;;\n  esac\ndone\n',
    "alternatives": "for x in 1 2 3; do case $x in (1|2) echo low;; 3|4 ) echo high;; esac; done\n",
    "first counts": "case a in a) echo 1;; a) echo 2;; esac\n",
    "nothing": "false; case a in b) echo b;; esac; echo $?\ncase a in a) ;; esac; echo $?\ncase a in esac; echo $?\n",
    "status": "case a in a) false;; esac; echo $?\n",
    "last without ;;": "case a in b) echo b;; a) echo a\nesac\ncase a in a) echo a; esac\n",
    "patterns from variables": "P='a*'; case abc in $P) echo yes;; esac\ncase abc in \"$P\") echo no;; esac\n"
                               "case 'a*' in \"$P\") echo exact;; esac\n",
    "subject is not split": "X='a  b'; case $X in 'a  b') echo whole;; esac\n",
    "files do not matter": "case tex* in text) echo no;; 'tex*') echo yes;; esac\n",
    "hidden and slashes": "case .a/b in *) echo all;; esac\n",
    "commands": "case $(echo x) in `echo x`) echo same;; esac\n",
    "reserved words": "case in in in) echo in;; esac\ncase esac in (esac) echo esac;; esac\n",
    "redirected": "case a in a) echo out; cat;; esac <text >kept\ncat kept; rm kept\n",
    "in a pipeline": "echo a | case x in x) cat;; esac | cat\n",
    "in a substitution": "echo $(case a in a) echo in;; esac) \"$(case b in (b) echo quoted; esac)\"\n",
    "loops": "for i in 1 2 3 4; do case $i in 2) continue;; 4) break;; esac; echo $i; done\n",
    "lines": "case a\nin\n\n# comment\na)\n\necho a\n\n;;\n\nesac\n",
}

HERE = {
    "expanded": 'X=x; cat <<END\na $X ${X}y "$X" \'$X\'\n$(echo c) `echo d` $((1 + 2)) \\$X \\\\ \\" \\a\njoi\\\nned\nEND\n',
    "quoted": "X=x; cat <<'END'\n$X \\$X $(echo) `\\\nEND\ncat <<\"E D\"\n$X\nE D\ncat <<\\E\n$X\nE\n",
    "stripped": "if true; then\n\tcat <<-END\n\ta\n\t\tb\tc\n\t d\n\tEND\nfi\n",
    "empty": "cat <<END\nEND\necho on\n",
    "two": "cat <<A; cat <<B\na\nA\nb\nB\n",
    "two of one command": "{ cat; cat <&3; } <<A 3<<B\na\nA\nb\nB\n",
    "the last counts": "cat <<A <<B\na\nA\nb\nB\n",
    "with a pipe": "cat <<A | wc -l\n1\n2\nA\n",
    "and more on the line": "cat <<A && echo after; echo end\na\nA\n",
    "of loops": "while read x y; do echo \"$y-$x\"; done <<A\n1 2\n3 4\nA\n",
    "in loops": "for i in 1 2; do cat <<A\n$i\nA\ndone\n",
    "in functions": "f() { cat <<A\n<$1>\nA\n}\nf 1; f 2 | cat; (f 3); echo $(f 4)\n",
    "of functions": "f() { cat; } <<A\nbody $X\nA\nX=1; f; X=2; f\n",
    "in shells of their own": "(cat <<A\na\nA\n)\n{ cat; echo b; } <<A | cat\n1\nA\ncat <<A & wait\n2\nA\n",
    "in a substitution": "X=$(cat <<A\nit's (\nA\n); echo \"$X\"\n",
    "in case": "case a in a) cat <<A;; esac\nx\nA\n",
    "no delimiter yet": "cat <<END\nEND \n END\nENDE\nEND\n",
    "number": "cat 4<<A <&4\nfour\nA\n",
    "only a redirection": "<<A\nx\nA\necho on\n",
    "without a line's end": "cat <<A\nlast\nA",
    "ends no quotes": "cat <<A\nit's \" $\nA\n",
}

SCRIPTS = {f"{group}: {name}": text for group, texts in
           (("functions", FUNCTIONS), ("case", CASES), ("here", HERE)) for name, text in texts.items()}
NAMES = {name: f"s{i}.sh" for i, name in enumerate(SCRIPTS)}
FILES = {"text": "one\ntwo\n", **{NAMES[name]: text for name, text in SCRIPTS.items()},
         "endless.sh": "f() { f; f; }\nf\necho no\n",
         "special.sh": "eval() { :; }\necho $?\n",
         "unended.sh": "echo before\ncat <<END\ntext\n",
         "long.sh": "cat <<END | wc -c\n" + 65536 // 64 * ("x" * 63 + "\n") + "END\n",
         "too-long.sh": "cat <<END\n" + 65536 // 64 * ("x" * 63 + "\n") + "\nEND\necho $?\n"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_as_other_shells_have_it(machine: Machine, files: Path, name: str):
    assert machine.run(f"sh {NAMES[name]}") == bash(f"sh {NAMES[name]}", files)


def test_it_is_read_line_by_line(machine: Machine, files: Path):
    """From a pipe the shell takes no more than it needs."""
    for name in ("here: two", "functions: any compound", "case: lines"):
        assert machine.run(f"cat {NAMES[name]} | sh") == bash(f"cat {NAMES[name]} | sh", files)


def test_what_is_refused(machine: Machine):
    status, shown = machine.run("sh endless.sh")
    assert (status, shown) == (2, "endless.sh: too deep\n")
    assert machine.run("sh special.sh") == \
        (0, "special.sh: eval: a command of the shell that no function can replace\n1\n")
    assert machine.run("sh unended.sh") == (2, "before\nunended.sh: unexpected end of text\n")


def test_length_of_a_here_document(machine: Machine):
    assert machine.output("sh long.sh") == "65536\n"
    assert machine.output("sh too-long.sh") == "too-long.sh: here-document: more than 65536 bytes\n1\n"


def test_on_the_console(machine: Machine):
    for line in ("cat <<END", "a $((1 + 1))"):
        machine.type(line + "\n")
        machine.expect(line + "\r\n> ")
    machine.type("END\n")
    machine.expect(b"END\r\na 2\r\n" + PROMPT)
    for line in ("greet() {", "echo hello $1"):
        machine.type(line + "\n")
        machine.expect(line + "\r\n> ")
    machine.type("}\n")
    machine.expect(PROMPT)
    assert machine.output("greet you") == "hello you\n"
    assert machine.run("return") == (1, "sh: return: not in a function\n")
    machine.type("endless() { endless; }; endless\n")
    machine.expect("sh: too deep\r\n")
    machine.expect(PROMPT)
    assert machine.output("greet me") == "hello me\n"


def test_an_interrupt_leaves_a_here_document(machine: Machine):
    machine.type("cat <<END\n")
    machine.expect("\r\n> ")
    machine.type(b"\x03")
    machine.expect(PROMPT)
    assert machine.output("echo on") == "on\n"


def test_an_interrupt_leaves_a_function(machine: Machine):
    machine.type("f() { while true; do sleep 1000; done; }; f\n")
    machine.system.wait(lambda: re.search(" running .* sleep$", machine.system.prctl("ps"), re.M), "sleep")
    machine.type(b"\x03")
    machine.expect(b"^C")
    machine.expect(PROMPT)
    assert machine.output("echo $?") == "130\n"
