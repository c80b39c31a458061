"""The console: what is typed, edited, shown and signalled; over updates and deaths."""

from __future__ import annotations

import errno
import signal
from pathlib import Path
from typing import Iterator

import pytest

from consoles import Console
from puppet import body
from streams import (IO_HUP, IO_IN, IO_OUT, IO_READY, TTY_ALL, TTY_CANONICAL, TTY_CR_TO_NL,
                     TTY_SET_GROUP, USUAL_CONTROLS, Stream, Terminal)


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    made = Console(tmp_path)
    yield made
    made.close()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Console]:
    """A console that runs a program."""
    made = Console(tmp_path, program="sh")
    yield made
    made.close()


def fails(number: int, call, *args) -> None:
    with pytest.raises(OSError) as raised:
        call(*args)
    assert raised.value.errno == number


def test_lines(console: Console):
    console.shown.attach()
    terminal = console.open(console.a)
    fails(errno.EAGAIN, terminal.read, 100, 0)
    console.type("hello\rworld\r")
    assert terminal.read() == b"hello\n" and terminal.read() == b"world\n"
    console.shown.take(b"hello\r\nworld\r\n")


def test_reader_waits_for_the_line(console: Console):
    terminal = console.open(console.a)
    waiting = terminal.start_read()
    console.shown.attach()
    console.type("hello")
    console.shown.take(b"hello")
    assert terminal.waits(waiting)
    console.type("\r")
    assert waiting.answer().payload == b"hello\n"


def test_editing(console: Console):
    console.shown.attach()
    terminal = console.open(console.a)
    console.type("abx\x7fc\r")
    assert terminal.read() == b"abc\n"
    console.shown.take(b"abx\b \bc\r\n")
    console.type("wrong\x15one two\x17\x16\x03\r")
    assert terminal.read() == b"one \x03\n"
    console.shown.take(b"wrong" + b"\b \b" * 5 + b"one two" + b"\b \b" * 3 + b"^\b^C\r\n")


def test_end_of_input(console: Console):
    terminal = console.open(console.a)
    console.type("abc\x04\x04")
    assert terminal.read() == b"abc" and terminal.read() == b""


def test_short_reads_of_a_line(console: Console):
    terminal = console.open(console.a)
    console.type("abcdef\r")
    assert [terminal.read(4), terminal.read(4)] == [b"abcd", b"ef\n"]


def test_raw_mode(console: Console):
    console.shown.attach()
    terminal = console.open(console.a)
    console.type("half")
    console.shown.take(b"half")
    assert terminal.modes() == (TTY_ALL, USUAL_CONTROLS)
    assert terminal.set_modes(0) == 0
    assert terminal.read() == b"half"
    console.type("\x03\r\x04")
    got = b""
    while len(got) < 3:
        got += terminal.read()
    assert got == b"\x03\r\x04"
    terminal.write(b"a\nb")
    console.shown.take(b"a\nb")


def test_modes_are_checked(console: Console):
    terminal = console.open(console.a)
    assert terminal.set_modes(32) == -errno.EINVAL
    assert terminal.set_modes(0, b"short") == -errno.EINVAL
    assert terminal.modes()[0] == TTY_ALL
    console.type("gone\r")
    console.system.wait(lambda: terminal.watch(IO_IN) == IO_IN, "the line")
    assert terminal.set_modes(TTY_ALL, drop=True) == 0
    fails(errno.EAGAIN, terminal.read, 100, 0)


def test_signals(console: Console):
    console.shown.attach()
    terminal = console.open(console.a)
    assert terminal.set_group(7) == 0 and terminal.group() == 7
    console.manager.groups[console.numbers["a"]] = 7
    for byte, number in ((b"\x03", signal.SIGINT), (b"\x1c", signal.SIGQUIT),
                         (b"\x1a", signal.SIGTSTP)):
        waiting = terminal.start_read()
        assert terminal.waits(waiting)
        console.type(b"xy" + byte)
        assert waiting.answer().status == -errno.EINTR
        console.manager.take_killed((-7, number))
        console.shown.take(b"xy^" + bytes([byte[0] + 0x40]))
    console.type("z\r")
    assert terminal.read() == b"z\n"


def test_reading_in_the_background(console: Console):
    front, back = console.open(console.a), console.open(console.b)
    console.manager.groups.update({console.numbers["a"]: 7, console.numbers["b"]: 8})
    front.set_group(7)
    fails(errno.EINTR, back.read)
    console.manager.take_killed((-8, signal.SIGTTIN))
    waiting = front.start_read()
    front.set_group(8)  # while the other one waits: it is judged when there is something to read
    console.type("line\r")
    assert waiting.answer().status == -errno.EINTR
    console.manager.take_killed((-7, signal.SIGTTIN))
    assert back.read() == b"line\n"


def test_group_without_a_handle(console: Console):
    terminal = console.open(console.a)
    assert console.pm.ask("tty", TTY_SET_GROUP, body("Ii", 0, 9)).status == 0
    assert terminal.group() == 9
    assert console.a.ask("tty", TTY_SET_GROUP, body("Ii", 0, 10)).status == -errno.EBADF
    assert terminal.set_group(-1) == -errno.EINVAL


def test_window_size(console: Console):
    terminal = console.open(console.a)
    terminal.set_group(7)
    assert terminal.size() == (0, 0)
    assert terminal.set_size(80, 24) == 0 and terminal.size() == (80, 24)
    console.manager.take_killed((-7, signal.SIGWINCH))
    assert terminal.set_size(80, 24) == 0
    console.shown.wire.sendall(b"\x1b[8;50;132t")
    console.manager.take_killed((-7, signal.SIGWINCH))
    assert terminal.size() == (132, 50)
    assert terminal.set_size(70000, 1) == -errno.EINVAL


def test_nobody_looks(console: Console):
    terminal = console.open(console.a)
    for i in range(3000):
        assert terminal.write(b"line %d\n" % i, 0) > 0
    console.shown.attach(77)
    console.system.wait(lambda: console.shown.bytes.endswith(b"line 2999\r\n"), "the last line")
    lines = console.shown.bytes.split(b"\r\n")
    assert 1000 < len(lines) < 3000
    assert lines[:-1] == [b"line %d" % i for i in range(3001 - len(lines), 3000)]


def test_somebody_looks_again(console: Console):
    terminal = console.open(console.a)
    console.shown.attach(1)
    terminal.write(b"one\n")
    console.shown.take(b"one\r\n")
    console.shown.detach()
    terminal.write(b"two\n")
    console.shown.attach(2)
    console.shown.take(b"one\r\ntwo\r\n")


def test_watch(console: Console):
    terminal = console.open(console.a)
    assert terminal.watch(IO_IN | IO_OUT) == IO_OUT
    assert terminal.watch(IO_IN) == 0
    console.type("a\r")
    console.a.wait_notified("tty", IO_READY)
    assert terminal.watch(IO_IN) == IO_IN
    assert terminal.watch(IO_HUP) == 0


def test_program_is_started(program: Console):
    assert program.manager.spawned == []
    program.type("x")
    program.system.wait(lambda: program.manager.waits, "the wait for it")
    spawn = program.manager.spawned[0].payload
    assert spawn[:32] == body("IIIiIIII", 3, 1, 3, 0, 0, 0, 0, 1)
    fds = [spawn[32 + 16 * i:48 + 16 * i] for i in range(3)]
    number = program.numbers["tty"]
    assert fds == [body("IiII", fd, number, 1, 0) for fd in range(3)]
    assert spawn[80:].split(b"\0")[:2] == [b"sh", b"sh"]
    terminal = program.open(program.a)
    terminal.set_modes(0)
    program.type("y")
    assert terminal.read() == b"y"  # what starts it is not input
    assert terminal.set_group(41) == 0  # until its end
    program.pm.reply(program.manager.waits[0], 0, body("iI", 41, 0))
    program.system.wait(lambda: terminal.group() == 0, "its end")
    program.type("z")
    program.system.wait(lambda: len(program.manager.waits) == 2, "the wait for the next one")
    assert terminal.modes()[0] == TTY_ALL


def test_program_is_started_for_whoever_comes(program: Console):
    program.shown.attach()
    program.system.wait(lambda: program.manager.waits, "its start")
    program.shown.detach()
    program.shown.attach(2)
    assert len(program.manager.spawned) == 1


def test_program_that_cannot_be_started(program: Console):
    program.manager.spawn_status = -errno.ENOENT
    program.shown.attach()
    program.shown.take(b"[sh cannot be started: No such file or directory; press a key to start it]\r\n")
    program.manager.spawn_status = 0
    program.type("x")
    program.system.wait(lambda: program.manager.waits, "its start")
    terminal = program.open(program.a)
    terminal.write(b"half a line")
    program.pm.reply(program.manager.waits[0], 0, body("iI", 41, 0))
    program.shown.take(b"half a line\r\n[sh has ended; press a key to start it]\r\n")


def test_process_manager_dies(program: Console):
    program.shown.attach()
    program.system.wait(lambda: program.manager.waits, "the program")
    program.system.kill("pm")
    program.shown.take(b"[sh has ended; press a key to start it]\r\n")
    program.type("x")
    program.shown.take(b"[sh cannot be started: ")


def test_too_many_wait(console: Console):
    terminal = console.open(console.a)
    waiting = [terminal.start_read(1) for _ in range(32)]
    assert terminal.start_read(1).answer().status == -errno.ENOMEM
    console.type("z" * 31 + "\r")
    assert [w.answer().payload for w in waiting] == [b"z"] * 31 + [b"\n"]


@pytest.mark.parametrize("name", ["tty", "kbd", "kbd-model"])
def test_updates_keep_everything(console: Console, name: str):
    console.shown.attach()
    terminal, other = console.open(console.a), console.open(console.b)
    for turn in range(2):
        console.type("unread\rhalf ä")
        console.shown.take("unread\r\nhalf ä".encode())
        console.update(name)
        assert terminal.read() == b"unread\n"
        waiting = terminal.start_read()
        console.update(name)
        console.type(" \x7f\x7f line\r")
        assert waiting.answer().payload == b"half  line\n"
        console.shown.take(b" " + b"\b \b" * 2 + b" line\r\n")
        assert other.set_modes(TTY_CANONICAL | TTY_CR_TO_NL) == 0
        console.update(name)
        assert other.modes()[0] == TTY_CANONICAL | TTY_CR_TO_NL
        assert other.set_modes(TTY_ALL) == 0


def test_recovery_keeps_everything(tmp_path: Path):
    console = Console(tmp_path, program="sh", tty={"recover": "state"})
    try:
        console.shown.attach()
        console.system.wait(lambda: console.manager.waits, "the program")
        terminal = console.open(console.a)
        terminal.write(b"before\n")
        console.type("unread\rhalf ")
        console.shown.take(b"before\r\nunread\r\nhalf ")
        terminal.size()  # it has noted that all is shown
        console.system.kill("tty")
        console.system.wait(lambda: console.system.status()["tty"].recovered == 1 and
                            console.system.status()["tty"].state == "running", "its recovery")
        console.system.wait(lambda: len(console.manager.waits) == 2, "it to wait for the program again")
        assert terminal.read() == b"unread\n"
        waiting = terminal.start_read()
        console.type("a line\r")
        assert waiting.answer().payload == b"half a line\n"
        console.shown.take(b"a line\r\n")
        console.pm.reply(console.manager.waits[1], 0, body("iI", 41, 0))
        console.shown.take(b"[sh has ended; press a key to start it]\r\n")
        console.shown.attach(2)
        console.shown.take(b"before\r\n")
    finally:
        console.close()


def test_wrong_requests(console: Console):
    terminal = console.open(console.a)
    for handle in (0, terminal.handle + 1, 65, 2**32 - 1):
        wrong = Terminal(console.a, "tty", handle)
        fails(errno.EBADF, wrong.read)
        fails(errno.EBADF, wrong.write, b"x")
        fails(errno.EBADF, wrong.watch, IO_IN)
        assert wrong.close() == wrong.set_modes(0) == wrong.set_group(1) == -errno.EBADF
    fails(errno.EBADF, Stream(console.b, "tty", terminal.handle).read)
    fails(errno.EINVAL, terminal.read, 1, 0x80)
    fails(errno.EINVAL, terminal.watch, 0x80)
    assert terminal.start_read(offset=0).answer().status == -errno.ESPIPE
    assert terminal.start_write(b"x", offset=0).answer().status == -errno.ESPIPE
    for number in list(range(0x800, 0x806)) + list(range(0xB80, 0xB8A)):
        console.a.ask("tty", number, b"\xff" * 40)
        console.a.ask("tty", number, body("I", terminal.handle) + b"\xff" * 36)
    assert terminal.close() in (0, -errno.EBADF)
    assert console.system.status()["tty"].restarts == 0


def test_too_many_handles(console: Console):
    made = [console.open(console.a) for _ in range(64)]
    fails(errno.EMFILE, console.open, console.a)
    assert made[3].close() == 0
    assert console.open(console.a).handle == made[3].handle
