"""The shell on the console: commands, pipelines, redirections, jobs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from machine import PROMPT, Machine, bash, machine, made_with  # noqa: F401 (a fixture)

FILES = {
    "text": "one\ntwo\nthree\n",
    "a.c": "a", "b.c": "b", "dir/x.h": "x", "dir/y.h": "y", "it's": "", ".hidden": "",
    "args.sh": 'echo $# "$1" "$2"; shift; echo "$@"; exit 3\n',
    "bad.sh": "echo before\nif true; then\n",
    "fail.sh": "set -e\nfalse || echo caught\nif false; then :; fi\nfalse\necho not reached\n",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = made_with(tmp_path_factory.mktemp("host") / "files", FILES)
    os.chmod(folder / "args.sh", 0o755)
    return folder


# What prints the same in every shell.
SAME = [
    "echo hello world", "echo 'a  b' \"c  d\" e\\ f", "echo -n x; echo y", "X=1; echo $X ${X}2 '$X' \"$X\"",
    "false; echo $?", "true && echo yes || echo no", "false && echo yes || echo no", "! true; echo $?",
    "cat text | wc -l", "cat < text | grep t | wc -l", "echo a > new; echo b >> new; cat new; rm new",
    "echo x | cat | cat | cat", "seq 5 | head -n 2", "echo *.c", "echo d*/*.h", "echo no*thing '*.c' it*",
    "echo \"$(echo a b)\" `echo c`", "echo $((2 * (3 + 4))) $((7 / 2)) $((1 < 2))",
    "for x in 1 2 3; do echo -n $x,; done; echo", "i=0; while [ $i -lt 3 ]; do i=$((i+1)); echo $i; done",
    "for i in 1 2 3 4; do if [ $i = 2 ]; then continue; fi; if [ $i = 4 ]; then break; fi; echo $i; done",
    "if grep -q two text; then echo found; else echo not; fi", "until true; do echo x; done; echo end",
    "{ echo a; echo b; } > both; cat both; rm both", "(IN=in; echo $IN); echo ${IN:-out}",
    "cat text | while read line; do echo \"<$line>\"; done", "seq 3 | { read a; read b; echo $b $a; }",
    "echo a b c | { read x y; echo \"$y:$x\"; }", "test -f text && test -d dir && test ! -e none; echo $?",
    "[ abc = abc ] && [ 1 -lt 2 ] && [ -z '' ] && echo all", "X='a b'; for w in $X; do echo $w; done",
    "cat none 2>/dev/null; echo $?", "echo err >&2 2>/dev/null", "nonesuch 2>/dev/null; echo $?",
    "nonesuch 2>&1 | wc -l",  "{ echo out; echo err >&2; } 2>&1 | wc -l",
    "echo x >/dev/null; cat </dev/null", "sh args.sh one 'two three'; echo $?",
    "cd dir; echo *; pwd >/dev/null; cd ..; echo [ab].c", "export E=exported; sh -c 'echo $E'; unset E; echo [$E]",
    "N=not; sh -c 'echo [$N]'", "V=1 sh -c 'echo $V'; echo [$V]", "exec_me='echo indirect'; $exec_me",
    "eval 'X=5; echo $X'", "echo ${#HOME} >/dev/null; echo ${NONE:=set} $NONE", "mkdir -p p/q; ls p; rm -r p",
    "false | true; echo $?", "true | false; echo $?", "sh fail.sh; echo $?", "kill -0 $$; echo $?",
    "echo one two | wc -w", "grep -c o text; grep -n t text; grep -v o text", "set -- a b; echo $2 $#",
    "{ echo a; echo b >&3; } 3>three; cat three; rm three", "{ sh -c 'echo c >&4'; } 4>&1",
    "{ echo x; cat text; } 5</dev/null 4<text 3<&4 <&3", "echo out >&2 2>&1",
    "{ { cat; } <text; } </dev/null",
    "echo a#b", "umask 027; umask", "sleep 0; echo $?",
    "sh -c '(exit 3) & sleep 0.1; true | true; wait $!; echo $?'",
    "sh -c 'for i in $(seq 40); do true & done; wait; echo all'",
]



@pytest.mark.parametrize("command", SAME)
def test_as_other_shells_have_it(machine: Machine, files: Path, command: str):
    _, expected = bash("cd .; " + command, files)
    _, shown = machine.run(f"cd /; {command}")
    assert shown == expected


def test_messages(machine: Machine):
    assert machine.run("nonesuch") == (127, "sh: nonesuch: not found\n")
    assert machine.run("./none.sh") == (127, "sh: ./none.sh: No such file or directory\n")
    assert machine.run("./text") == (126, "sh: ./text: Permission denied\n")
    assert machine.run("cat < /none") == (1, "sh: /none: No such file or directory\n")
    assert machine.run("cd /none") == (1, "sh: cd: /none: No such file or directory\n")
    assert machine.run("sh bad.sh") == (2, "before\nbad.sh: unexpected end of text\n")


def test_script_by_its_path(machine: Machine):
    assert machine.run("./args.sh 1 2 3") == (3, "3 1 2\n2 3\n")


def test_syntax_error_is_told_and_survived(machine: Machine):
    machine.type("echo a | | b\n")
    assert b'sh: unexpected "|"\r\n' in machine.expect(PROMPT) + b"\r\n"
    assert machine.output("echo on") == "on\n"


def test_lines_are_continued(machine: Machine):
    machine.type("echo 'a\n")
    machine.expect("\r\n> ")
    machine.type("b'\n")
    machine.expect("\r\na\r\nb\r\n" + PROMPT.decode())


def test_directories_are_remembered(machine: Machine):
    assert machine.output("cd /dir; pwd; cd ..; pwd; cd - ; echo $OLDPWD $PWD; cd /") == \
        "/dir\n/\n/dir\n/ /dir\n"


def test_a_directory_is_renamed_below_us(machine: Machine):
    assert machine.output("mkdir /m; cd /m; mv /m /n; pwd; cd /; rmdir n") == "/n\n"


# -- editing -------------------------------------------------------------------------------------

UP, LEFT = "\x1b[A", "\x1b[D"


def test_a_former_line_is_edited(machine: Machine):
    machine.type("echo one\n")
    machine.expect(b"\r\none\r\n" + PROMPT)
    machine.type(UP + "\x7f" * 3 + "tö" + LEFT + "w\n")
    machine.expect("\r\ntwö\r\n".encode() + PROMPT)


def test_names_are_completed(machine: Machine):
    machine.type("gre\t -c o te\t\n")
    machine.expect(b"grep  -c o text \r\n2\r\n" + PROMPT)
    machine.type("ls a.\t\n")
    machine.expect(b"ls a.c \r\na.c\r\n" + PROMPT)
    machine.type("ls dir/\t\t")
    machine.expect(b"\r\nx.h  y.h  \r\n" + PROMPT + b"ls dir/")
    machine.type("x\t\n")
    machine.expect(b"x.h \r\ndir/x.h\r\n" + PROMPT)


def test_the_window_gets_narrow(machine: Machine):
    machine.type("echo 0123456789")
    machine.expect("9")
    machine.screen.sendall(b"\x1b[8;24;15t")
    machine.expect(b"\r\x1b[J" + PROMPT + b"456789")
    machine.screen.sendall(b"\x1b[8;24;80t")
    machine.expect(b"\r\x1b[J" + PROMPT + b"echo 0123456789")
    machine.type("\n")
    machine.expect(b"\r\n0123456789\r\n" + PROMPT)


def expect_usual_modes(machine: Machine) -> None:
    """What a program reads is echoed, and edited by the console."""
    machine.type("cat\n")
    machine.expect("cat\r\n")
    machine.type("ab\x7fc\n")
    machine.expect("ab\b \bc\r\nac\r\n")
    machine.type(b"\x04")
    machine.expect(PROMPT)


def programs(machine: Machine, name: str) -> list[str]:
    """The places of those that run it."""
    return [place for place, c in machine.system.status().items() if c.path.endswith(f"/{name}")]


def start_inner_shell(machine: Machine, then: str) -> None:
    """One that edits a line when it is sent a signal."""
    machine.type("PS1='in> ' sh\n")
    machine.expect("\r\nin> ")
    machine.type(f"ME=$$; {{ sleep 1000; kill -{then} $ME; }} 2> /dev/null &\n")
    machine.expect("\r\nin> ")
    machine.type("echo half")
    machine.expect("echo half")
    sleep, = machine.system.wait(lambda: programs(machine, "sleep"), "the sleep")
    machine.system.kill(sleep)


def test_a_shell_is_killed_at_its_prompt(machine: Machine):
    start_inner_shell(machine, "KILL")
    machine.expect(b"Killed\r\n" + PROMPT)
    expect_usual_modes(machine)


def test_a_shell_is_stopped_at_its_prompt(machine: Machine):
    start_inner_shell(machine, "STOP")
    machine.expect(b"Stopped    PS1='in> ' sh\r\n" + PROMPT)
    expect_usual_modes(machine)
    machine.type("fg\n")
    machine.expect("in> echo half")
    machine.type("\x7f" * 4 + "wole" + LEFT * 3 + "h\n")
    machine.expect("\r\nwhole\r\n")
    machine.expect("in> ")
    machine.type("exit\n")
    machine.expect(PROMPT)
    expect_usual_modes(machine)


# -- jobs ----------------------------------------------------------------------------------------


def test_interrupt_ends_the_foreground_only(machine: Machine):
    machine.type("sleep 1000 | sleep 2000\n")
    machine.expect("sleep 1000 | sleep 2000\r\n")
    wait_for_process(machine, "sleep", 2)
    machine.type(b"\x03")
    machine.expect(b"^C")
    machine.expect(PROMPT)
    assert machine.output("echo $?") == "130\n"


def wait_for_process(machine: Machine, name: str, how_many: int = 1) -> None:
    """Until it is started, and its parent knows it."""
    running = re.compile(rf" running .* {name}$", re.M)
    machine.system.wait(lambda: len(running.findall(machine.system.prctl("ps"))) == how_many, name)


def test_interrupt_of_a_program_that_has_not_begun(machine: Machine):
    """A component never begins. The loop ends as well."""
    machine.type("while true; do counter; done\n")
    machine.system.wait(lambda: programs(machine, "counter"), "counter")
    machine.type(b"\x03")
    machine.expect("^Csh: counter: ended before it began\r\n" + PROMPT.decode())
    assert machine.output("echo on") == "on\n"


def test_interrupt_at_the_prompt_drops_the_line(machine: Machine):
    machine.type("echo never")
    machine.expect("echo never")
    machine.type(b"\x03")
    machine.expect(PROMPT)
    assert machine.output("echo on") == "on\n"


def test_stop_and_go_on(machine: Machine):
    machine.type("cat\n")
    machine.expect("cat\r\n")
    machine.type("first\n")
    machine.expect("first\r\nfirst\r\n")
    machine.type(b"\x1a")
    machine.expect("[1]+ Stopped    cat\r\n")
    machine.expect(PROMPT)
    assert machine.output("jobs") == "[1]+ Stopped    cat\n"
    machine.type("fg\n")
    machine.expect("cat\r\n")
    machine.type("second\n")
    machine.expect("second\r\nsecond\r\n")
    machine.type(b"\x04")
    machine.expect(PROMPT)
    assert machine.output("jobs") == ""


def test_background(machine: Machine):
    machine.type("sleep 1000 &\n")
    machine.expect("\r\n[1] ")
    pid = int(machine.expect("\r\n"))
    machine.expect(PROMPT)
    assert machine.output("echo $!") == f"{pid}\n"
    assert f"\n{pid:5} " in "\n" + machine.output("ps")
    machine.output("kill %1; wait %1; echo $?")
    assert f"\n{pid:5} " not in "\n" + machine.output("ps")


def test_reader_in_the_background_is_stopped(machine: Machine):
    machine.type("cat &\n")
    machine.expect(PROMPT)
    machine.system.wait(lambda: "stopped" in machine.system.prctl("ps"), "stopped")
    machine.type("fg\n")
    machine.expect("cat\r\n")
    machine.type("x\n")
    machine.expect("x\r\nx\r\n")
    machine.type(b"\x04")
    machine.expect(PROMPT)


def test_bg_lets_a_stopped_job_go_on(machine: Machine):
    machine.type("sleep 1000\n")
    machine.expect("sleep 1000\r\n")
    wait_for_process(machine, "sleep")
    machine.type(b"\x1a")
    machine.expect("Stopped    sleep 1000\r\n")
    machine.expect(PROMPT)
    machine.output("bg")
    assert "Running    sleep 1000" in machine.output("jobs")
    assert machine.run("kill -9 %1; wait %1")[0] == 137


def stop_pipeline(machine: Machine) -> None:
    machine.type("sleep 1000 | sleep 2000\n")
    machine.expect("\r\n")
    wait_for_process(machine, "sleep", 2)
    machine.type(b"\x1a")
    machine.expect("[1]+ Stopped    sleep 1000 | sleep 2000\r\n")


def test_a_stopped_pipeline_is_told_of_once(machine: Machine):
    for _ in range(5):
        stop_pipeline(machine)
        assert machine.expect(PROMPT) == b""
        machine.system.wait(lambda: machine.system.prctl("ps").count("stopped") == 2, "both to be stopped")
        assert machine.output("true") == ""
        assert machine.run("kill -9 %1; wait %1")[0] == 137


def test_a_stopped_job_is_ended(machine: Machine):
    stop_pipeline(machine)
    machine.expect(PROMPT)
    assert machine.run("kill %1; wait %1")[0] == 143


def test_wait_for_all(machine: Machine):
    machine.type("sleep 0.1 & sleep 0.2 & wait; echo waited\n")
    machine.expect("\r\nwaited\r\n")
    machine.expect(PROMPT)
    machine.run("true")


@pytest.mark.parametrize("who", ["", "%1", "$!"])
def test_interrupt_ends_waiting(machine: Machine, who: str):
    machine.type(f"sleep 1000 & wait {who}\n")
    machine.expect("\r\n[1] ")
    wait_for_process(machine, "sleep")
    machine.type(b"\x03")
    machine.expect(b"^C")
    machine.expect(PROMPT)
    assert "Running    sleep 1000" in machine.output("jobs")
    assert machine.run("kill -9 %1; wait %1")[0] == 137


def test_interrupt_ends_waiting_for_several(machine: Machine):
    machine.type("sleep 1000 & sleep 1000 & wait %1 %2\n")
    machine.expect("\r\n[2] ")
    wait_for_process(machine, "sleep", 2)
    machine.type(b"\x03")
    machine.expect(b"^C")
    machine.expect(PROMPT)
    assert machine.run("kill -9 %1 %2; wait %1 %2")[0] == 137


def test_writer_without_readers_ends(machine: Machine):
    assert machine.output("yes | head -n 3") == "y\ny\ny\n"
    assert "yes" not in machine.output("ps")


def test_more_processes_than_there_are_places(machine: Machine):
    machine.type("sleep 1000 | " * 15 + "sleep 1000\n")
    machine.expect("Resource temporarily unavailable\r\n")
    machine.type(b"\x03")
    machine.expect(PROMPT)
    assert machine.output("echo on") == "on\n"


def test_shell_is_started_again(machine: Machine):
    """It leaves no stopped jobs behind."""
    stop_pipeline(machine)
    machine.expect(PROMPT)
    machine.type("exit\n")
    machine.expect("sh: there are stopped jobs\r\n")
    machine.type("exit\n")
    machine.expect("[sh has ended; press a key to start it]")
    machine.system.wait(lambda: "sleep" not in machine.system.prctl("ps"), "the jobs' end")
    machine.type("x")
    machine.expect("/ $ ")
    machine.type("PS1='@> '\n")
    machine.expect(b"\r\n" + PROMPT)
    assert machine.output("echo back") == "back\n"
