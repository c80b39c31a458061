"""prctl console: a terminal becomes the screen and the keyboard of a console, over updates and
deaths of all that is between them."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import termios
from pathlib import Path
from typing import Iterator

import pytest

from consoles import Console
from proteos import PATIENCE, Manifest, System
from proteos.console import LEAVE, Console as Window
from streams import IO_IN, TTY_ALL, Terminal


def ended(window: Window) -> int:
    """Waits for its end; the terminal is as it was. Its exit status."""
    status = window.wait()
    assert status < 0 or window.is_restored()
    return status


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    made = Console(tmp_path, "console")
    yield made
    made.close()


@pytest.fixture
def window(console: Console) -> Iterator[Window]:
    with Window(console.system) as made:
        made.expect(b"Ctrl-] leaves the console")
        yield made


def exchange(window: Window, terminal: Terminal, text: bytes) -> None:
    """What is typed is echoed and read, and what is written is shown."""
    window.type(text + b"\r")
    assert terminal.read() == text + b"\n"
    window.expect(text + b"\r\n")
    terminal.write(b"<" + text + b">\n")
    window.expect(b"<" + text + b">\r\n")


def test_typed_and_shown(console: Console, window: Window):
    exchange(window, console.open(console.a), b"hello")


def test_escape_leaves(console: Console, window: Window):
    terminal = console.open(console.a)
    window.type(b"kept" + LEAVE.encode() + b"dropped")
    assert ended(window) == 0
    with Window(console.system) as again:
        again.type(b"\r")
        assert terminal.read() == b"kept\n"
        again.type(LEAVE)
        ended(again)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_signals_end_it(console: Console, window: Window, number: int):
    exchange(window, console.open(console.a), b"x")  # it has the terminal
    window.process.send_signal(number)
    assert ended(window) == 1


def test_the_instance_ends(console: Console, window: Window):
    exchange(window, console.open(console.a), b"x")
    console.system.shutdown()
    assert ended(window) == 1
    window.expect(b"the instance has ended")


def test_one_at_a_time(console: Console, window: Window):
    exchange(window, console.open(console.a), b"x")
    refused = console.system.try_prctl("console")
    assert refused.returncode == 1
    assert "another program shows console console" in refused.stdout
    window.type(LEAVE)
    ended(window)
    assert console.system.try_prctl("console").returncode == 0


def test_which_console(console: Console):
    refused = console.system.try_prctl("console", "nonesuch")
    assert refused.returncode == 1 and "there is no console 'nonesuch'" in refused.stdout
    refused = console.system.try_prctl("console", "kbd0")
    assert refused.returncode == 1 and "there is no console 'kbd0'" in refused.stdout
    assert console.system.try_prctl("console", "console").returncode == 0
    assert console.system.try_prctl("console", "a", "b").returncode == 2


def test_no_console():
    with System(Manifest.empty()) as system:
        refused = system.try_prctl("console")
    assert refused.returncode == 1 and "this instance has no console" in refused.stdout


def test_window_size(console: Console):
    with Window(console.system, rows=40, columns=100) as made:
        terminal = console.open(console.a)
        terminal.set_group(7)
        console.system.wait(lambda: terminal.size() == (100, 40), "the size")
        made.resize(50, 120)
        os.kill(made.process.pid, signal.SIGWINCH)
        console.system.wait(lambda: terminal.size() == (120, 50), "the new size")
        console.system.wait(lambda: (-7, signal.SIGWINCH) in console.manager.killed, "the signal")
        made.type(LEAVE)
        ended(made)


def test_what_was_shown_is_shown_again(console: Console, window: Window):
    terminal = console.open(console.a)
    terminal.write(b"before\n")
    window.expect(b"before\r\n")
    window.process.kill()
    ended(window)
    for i in range(100):
        terminal.write(b"meanwhile %d\n" % i, 0)
    with Window(console.system) as again:
        again.expect(b"meanwhile 99\r\n")
        again.type(LEAVE)
        ended(again)


def test_who_looks_but_does_not_read_holds_the_writer(console: Console, window: Window):
    terminal = console.open(console.a)
    exchange(window, terminal, b"x")
    os.kill(window.process.pid, signal.SIGSTOP)
    written = 0
    with pytest.raises(OSError) as full:
        while written < 64 << 20:
            written += terminal.write(b"%09d\n" % (written // 10) * 1000, 0)
    assert full.value.errno == errno.EAGAIN
    waiting = terminal.start_write(b"the end\n")
    os.kill(window.process.pid, signal.SIGCONT)
    window.expect(b"the end\r\n")
    assert waiting.answer().fields("I") == (8,)


def test_whoever_is_killed_while_it_does_not_read_holds_nobody(console: Console, window: Window):
    terminal = console.open(console.a)
    exchange(window, terminal, b"x")
    os.kill(window.process.pid, signal.SIGSTOP)
    with pytest.raises(OSError):
        while True:
            terminal.write(b"." * 60000, 0)
    waiting = terminal.start_write(b"y" * 50000 + b"\nthe end\n")
    window.process.kill()
    taken = waiting.answer().fields("I")[0]
    while taken < 50009:
        taken += terminal.write((b"y" * 50000 + b"\nthe end\n")[taken:], 0)
    with Window(console.system) as again:
        again.expect(b"leaves the console\r\n")
        again.expect(b"the end\r\n")
        assert b"." not in again.seen
        again.type(LEAVE)
        ended(again)


def test_a_terminal_that_takes_nothing(console: Console, window: Window):
    """It can be left all the same."""
    terminal = console.open(console.a)
    exchange(window, terminal, b"x")
    with pytest.raises(OSError):
        while True:
            terminal.write(b"." * 60000, 0)
    os.kill(window.process.pid, signal.SIGTERM)
    window.process.wait(PATIENCE)
    assert ended(window) == 1


def test_stopped_and_continued(console: Console, window: Window):
    terminal = console.open(console.a)
    exchange(window, terminal, b"x")
    raw = termios.tcgetattr(window.terminal)
    os.kill(window.process.pid, signal.SIGSTOP)
    termios.tcsetattr(window.terminal, termios.TCSANOW, window.modes)
    os.kill(window.process.pid, signal.SIGCONT)
    console.system.wait(lambda: termios.tcgetattr(window.terminal) == raw, "it to take the terminal")
    exchange(window, terminal, b"y")
    window.type(LEAVE)
    assert ended(window) == 0


@pytest.mark.parametrize("name", ["tty", "kbd", "kbd-model", "busd"])
def test_updates(console: Console, window: Window, name: str):
    terminal = console.open(console.a)
    for turn in range(3):
        window.type(b"half ")
        window.expect(b"half ")
        if name == "busd":
            console.system.prctl("update", "busd", "self")
        else:
            console.update(name)
        window.type(b"%d\r" % turn)
        assert terminal.read() == b"half %d\n" % turn
        exchange(window, terminal, b"whole")
    window.type(LEAVE)
    assert ended(window) == 0
    with Window(console.system) as again:
        again.expect(b"whole")
        again.type(LEAVE)
        ended(again)


def test_all_at_once(console: Console, window: Window):
    terminal = console.open(console.a)
    for turn in range(3):
        window.type(b"half ")
        window.expect(b"half ")
        waiting = terminal.start_read()
        for name in ("tty", "kbd", "kbd-model", "um", "busd"):
            console.system.prctl("mupdate", name, "self")
        console.system.prctl("mupdate-start")
        window.type(b"%d\r" % turn)
        assert waiting.answer().payload == b"half %d\n" % turn
        exchange(window, terminal, b"whole")


@pytest.mark.parametrize("name", ["tty", "kbd", "kbd-model"])
def test_deaths(console: Console, window: Window, name: str):
    exchange(window, console.open(console.a), b"before")
    for turn in range(1, 4):
        console.system.kill(name)
        console.system.wait_for_restart(name, turn)
        if name == "kbd-model":
            console.system.wait(lambda: console.system.log("kbd").count("is back") == turn,
                                "the driver to notice")
        terminal = console.open(console.a)
        assert terminal.modes()[0] == TTY_ALL
        exchange(window, terminal, b"after %d" % turn)


def read_until(client: subprocess.Popen[bytes], text: bytes) -> None:
    assert client.stdout
    out = b""
    while text not in out:
        more = os.read(client.stdout.fileno(), 1000)
        assert more, out
        out += more


def test_without_a_terminal(console: Console):
    terminal = console.open(console.a)
    client = subprocess.Popen(console.system.prctl_command("console"),
                              env=console.system.environment(), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert client.stdin and client.stdout
    client.stdin.write(b"one\x1d two\n")
    client.stdin.flush()
    assert terminal.read() == b"one\x1d two\n"
    terminal.write(b"answer\n")
    read_until(client, b"answer\r\n")
    client.stdin.write(b"last\n")
    client.stdin.flush()
    read_until(client, b"last\r\n")
    _, errors = client.communicate(timeout=PATIENCE)
    assert client.returncode == 0 and errors == b""
    assert terminal.read() == b"last\n"


def test_a_long_paste_loses_nothing(console: Console):
    """More than keyboard, driver and tty keep, for a reader who comes late."""
    lines = [b"line %05d of what was typed before anybody read it\n" % i for i in range(600)]
    terminal = console.open(console.a)
    client = subprocess.Popen(console.system.prctl_command("console"),
                              env=console.system.environment(), stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL)
    assert client.stdin
    client.stdin.write(b"".join(lines))
    client.stdin.flush()
    console.system.wait(lambda: terminal.watch(IO_IN) == IO_IN, "the first line")
    for turn, name in enumerate(("kbd", "tty", "kbd-model")):
        console.update(name)
        for line in lines[200 * turn:200 * (turn + 1)]:
            assert terminal.read() == line
    client.stdin.close()
    assert client.wait(PATIENCE) == 0


def test_a_serial_line(tmp_path: Path):
    """A wire without a keyboard is bytes both ways."""
    manifest = Manifest.empty()
    manifest.data["wires"] = [{"name": "puppet-p", "kind": "console", "to": "p"}]
    manifest.add("p", "puppet")
    with System(manifest) as system:
        client = subprocess.Popen(system.prctl_command("console"), env=system.environment(),
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert client.stdin
        client.stdin.write(b"call 5 nobody 900 - -\n")
        client.stdin.flush()
        read_until(client, b"reply 5 -")
        client.communicate(timeout=PATIENCE)
        assert client.returncode == 0
