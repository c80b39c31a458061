"""The application library, and the tools over it."""

from __future__ import annotations

import http.server
import threading
from pathlib import Path
from typing import Iterator

import pytest

from filing import debugfs
from machine import PROMPT, Machine, bash, files, machine  # noqa: F401 (fixtures)
from proteos import bytes as known

CASES = ["files", "names", "directories", "duplicates", "null", "pipes", "broken_pipe", "polls", "children",
         "output_of_a_child", "signals", "streams", "console", "system_figures"]
FILES = {"text": "one\ntwo\nthree\n", "dir/a": "a\n", "dir/sub/b": "b\n", "big": known.body(300_000)}


@pytest.mark.parametrize("case", CASES)
def test_library(machine: Machine, case: str):
    assert machine.run(f"cd /; posix {case}") == (0, "all hold\n")


def test_program_of_the_page(machine: Machine):
    assert machine.output("program /text") == "1\tone\n2\ttwo\n3\tthree\n"
    assert machine.run("program /none") == (1, "program: /none: No such file or directory\n")


# What prints the same on the host.
SAME = [
    "ls", "ls dir", "ls -a dir | head -n 3", "ls dir text", "ls none 2>/dev/null", "cat text dir/a",
    "wc -c < big", "cp text new && cat new && rm new",
    "cp -r dir copy && cat copy/a copy/sub/b && rm -r copy", "cp text dir/a dir/sub && ls dir/sub && rm dir/sub/text",
    "cp big big2; wc -c big2; mv big2 dir; ls dir; rm dir/big2", "cp dir x 2>/dev/null; echo $?",
    "mkdir -p m/n/o && ls m/n && rmdir m/n/o m/n m", "mkdir dir 2>/dev/null; echo $?", "rm none 2>/dev/null; echo $?",
    "rm -f none; echo $?", "ln -s text link && cat link && rm link && cat text", "ln text hard && cat hard; rm hard",
    "touch t && wc t && rm t", "grep two text; grep -E '^t' text; grep -i ONE text", "grep -F o. text; echo $?",
    "grep -q none text; echo $?", "grep x none 2>/dev/null; echo $?", "grep -n o text dir/a", "head -n 2 text",
    "seq 3; seq 2 4", "echo -n x; echo", "chmod 600 text && ls -l text | grep -c '^-rw------- '; chmod 644 text",
    "cat big | wc -c", "cat none text 2>/dev/null; echo $?", "env | grep -c ^PWD=", "true; echo $?; false; echo $?",
    "sleep x 2>/dev/null; [ $? != 0 ] && echo wrong", "pwd | wc -l", "mv none x 2>/dev/null; echo $?",
    "head -2 text", "head -c 5 text; echo", "head -n 1 text dir/a", "head -n x text 2>/dev/null; [ $? != 0 ] && echo wrong",
    "head none text 2>/dev/null; echo $?", "ls -1 dir", "ls -d dir text", "ls -R dir", "ls -R text dir/sub",
    "ls -lh big | grep -c ' 293K '; ls -lh text | grep -c ' 14 '", "ls -ld dir | grep -c ^d",
    "grep -l o text dir/a", "grep -r b dir", "cd dir; grep -r b; cd ..", "grep -rl e text dir", "grep -rc zz dir/sub/b",
    "grep -r e none text 2>/dev/null; echo $?", "grep two dir 2>/dev/null; echo $?",
    "for m in u+x go-r a=rx +w u=rwx,go= 640 -x o+t,g+s a-st 644; do chmod $m text; ls -l text | head -c 10; echo; done",
    "chmod g+X text; ls -l text | head -c 10; echo; chmod u+x,g+X text; ls -l text | head -c 10; echo; chmod 644 text",
    "for m in x u+ u+q 8 99999 u+x, ''; do chmod $m none 2>/dev/null; [ $? = 0 ] && echo $m; done; echo end",
    # What fails right after something was changed.
    *(f"chmod 640 text; {fails} 2>/dev/null; chmod 644 text; touch after && rm after && echo goes on" for fails in
      ("rm dir", "rmdir dir", "rmdir text", "mv dir dir/sub", "mv text none/x", "ln dir hard", "mkdir text/x")),
    "echo deep > dir/sub/c; mv dir moved; cat moved/sub/c; mv moved dir; rm dir/sub/c",
]


@pytest.mark.parametrize("command", SAME)
def test_as_on_the_host(machine: Machine, files: Path, command: str):
    if command == "ls":
        machine.run("cd /; rm -rf lost+found p new")
    _, expected = bash(f"export LC_ALL=C; {command}", files)
    _, shown = machine.run(f"cd /; {command}")
    assert shown == expected


def test_stat_and_list_tell_what_is_there(machine: Machine):
    shown = machine.output("stat /text")
    assert "bytes: 14\n" in shown and "mode: 0644 -rw-r--r--\n" in shown
    assert "-> text" in machine.output("ln -s text /l; ls -l /l; rm /l")


def test_counts(machine: Machine):
    assert machine.output("wc /text; wc -l text dir/a; wc -w < text") == \
        "3 3 14 /text\n3 text\n1 dir/a\n4 total\n3\n"


def test_processes_are_listed(machine: Machine):
    lines = machine.output("ps").splitlines()
    assert lines[0].split() == ["PID", "PPID", "GROUP", "USER", "STATE", "CPU", "NAME"]
    assert {line.split()[-1] for line in lines[1:]} == {"sh", "ps"}


def test_kill(machine: Machine):
    assert machine.run("kill 99999") == (1, "sh: kill: 99999: No such process\n")
    assert machine.run("env kill; echo x | kill -9 99999")[1].endswith("kill: 99999: No such process\n")


@pytest.mark.parametrize("where", ["", "true | "], ids=["shell", "program"])
def test_signals_of_kill(machine: Machine, where: str):
    """The shell's kill and the program."""
    for option in ("-TERM", "-s TERM", "-s SIGTERM", "-15", "--", ""):
        assert machine.output(f"sleep 1000 & {where}kill {option} $!; wait $!; echo $?").endswith("\n143\n"), option
    assert machine.run(f"{where}kill -s NONE 1") == (2, f"{'' if where else 'sh: '}kill: NONE: no such signal\n")
    shown = machine.output(f"{where}kill -l")
    assert " 1 HUP " in shown and "15 TERM " in shown and "31 SYS" in shown


def test_figures_of_the_disk(machine: Machine):
    kilobytes = machine.output("df").splitlines()[1].split()
    units = machine.output("df -h").splitlines()[1].split()
    assert kilobytes[0] == "32768" and units[0] == "32M" and units[3:] == kilobytes[3:]


def test_the_screen_is_emptied(machine: Machine):
    assert machine.output("clear") == "\033[H\033[2J\033[3J"


def test_files_are_kept(tmp_path: Path, files: Path):
    with Machine(tmp_path, files) as machine:
        machine.output("cp -r /dir /copy; echo new > /copy/new; sync; mv /text /copy/moved; sync")
        machine.end()
        assert debugfs(machine.image, "cat /copy/sub/b") == "b\n"
        assert debugfs(machine.image, "cat /copy/new") == "new\n"
        assert debugfs(machine.image, "cat /copy/moved") == FILES["text"]


def test_programs_go_on_through_updates(tmp_path: Path, files: Path):
    """A copy loop that runs over a pipe, while all its servers are replaced."""
    with Machine(tmp_path, files) as machine:
        machine.type("i=0; while [ $i -lt 20 ]; do cat /big | cat > /to; cmp=$(wc -c < /to); echo $i:$cmp; "
                     "i=$((i+1)); done\n")
        for turn in range(3):
            machine.expect(f"\r\n{turn * 2}:300000\r\n")
            for name in ("storage", "pipe", "tty", "pm", "nvme", "kbd"):
                machine.system.update(name, "self", None, "-relocate")
        machine.expect("\r\n19:300000\r\n")
        machine.expect(PROMPT)
        assert all(c.restarts == 0 for c in machine.system.status().values())


def test_storage_is_restarted_below_programs(tmp_path: Path, files: Path):
    with Machine(tmp_path, files) as machine:
        assert machine.output("cd /dir; cat a") == "a\n"
        machine.type("{ read x; echo $x; read y; echo $?; } < /text\n")
        machine.expect("\r\none\r\n")
        machine.expect(PROMPT)
        machine.system.kill("storage")
        machine.system.wait_for_restart("storage")
        assert machine.output("cat a; echo more > b; cat b; pwd") == "a\nmore\n/dir\n"


# -- wget ----------------------------------------------------------------------------------------


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/none":
            self.send_error(404)
        elif self.path == "/chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n")
        elif self.path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"short")
            self.close_connection = True
        else:
            body = known.body(int(self.path.split("/")[-1]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[int]:
    """An HTTP server of the host; its port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running.server_port
        running.shutdown()
        thread.join()


def test_a_connection_is_given_to_a_program(tmp_path: Path):
    with Machine(tmp_path, net=True) as machine:
        assert machine.run("posix sockets") == (0, "all hold\n")


def test_wget(tmp_path: Path, server: int):
    host = f"http://10.0.2.2:{server}"
    with Machine(tmp_path, net=True) as machine:
        machine.output("cd /")
        assert machine.output(f"wget {host}/files/3000000") == "3000000: 3000000 bytes\n"
        assert machine.output(f"wget -q -O c {host}/chunks; cat c; echo") == "hello world\n"
        assert machine.output(f"wget -q -O - {host}/100 | wc -c") == "100\n"
        assert machine.output(f"wget -q -O - 10.0.2.2:{server}/100 | wc -c") == "100\n"
        assert machine.run("wget ftp://10.0.2.2/x") == \
            (1, "wget: ftp://10.0.2.2/x: only http:// is known\n")
        assert machine.run(f"wget {host}/none") == (1, "wget: the server answers 404\n")
        assert machine.run(f"wget {host}/short")[0] == 1
        assert machine.run("ls short none")[0] == 1
        assert "no DNS" in machine.run("wget http://localhost/x")[1]
        assert machine.run("wget http://10.0.2.2:1/x")[0] == 1
        machine.end()
        whole = tmp_path / "whole"
        debugfs(machine.image, f"dump /3000000 {whole}")
        assert whole.read_bytes() == known.body(3_000_000)
