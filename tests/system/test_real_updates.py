"""Updates as development makes them, each a patch (tests/updates/system/): built, applied to the
running system under load, and counted. docs/real-updates.md has the table."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Iterator, Union

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "updates" / "system"))

from patched import Patch, Tree, count, patches, plan_of  # noqa: E402
from table import DOCUMENT, Row, save, static_columns  # noqa: E402

from consoles import Console  # noqa: E402
from proteos import System  # noqa: E402
from proteos.build import COMPONENTS  # noqa: E402
from proteos.load import Load  # noqa: E402
from puppet import Call  # noqa: E402
from streams import PIPE_BYTES  # noqa: E402
from processes import IS_STOPPED, RUNNING, ZOMBIE, Parent, process_stage  # noqa: E402
from stage import Stage  # noqa: E402
from test_disk import disk_manifest, goes_on, image  # noqa: E402,F401
from test_keyboard import Keyboard  # noqa: E402
from test_pipe import Pipes  # noqa: E402
from sharing import PAGE, WRITE, Sharing  # noqa: E402
from test_scheduler import Scheduled  # noqa: E402

ALL = patches()
found: list[Row] = []


class OnDisk:
    """A disk whose client checks every block."""

    def __init__(self, system: System):
        self.system = system

    def check(self) -> None:
        report = goes_on(self.system)
        assert (report["failed"], report["losses"], report["restarts"]) == (0, 0, 0)


class OnKeyboard:
    """A keyboard; what is typed is what is read."""

    def __init__(self, keyboard: Keyboard):
        self.system = keyboard.system
        self.keyboard = keyboard

    def check(self) -> None:
        self.keyboard.type("Hello, World!")
        self.keyboard.expect("Hello, World!")


class OnPipes:
    """A pipe in which something lies all the time, one whose reader waits, and one whose writer does."""

    def __init__(self, pipes: Pipes):
        self.system = pipes.system
        self.reader, self.writer = pipes.pair()
        self.idle, self.late = pipes.pair()
        self.full, self.early = pipes.pair()
        self.sent = self.taken = 0
        self.waiting = self.idle.start_read()
        self.held: Call | None = None

    @staticmethod
    def _bytes(start: int, n: int) -> bytes:
        return bytes((start + i) * 31 // 7 % 256 for i in range(n))

    def check(self) -> None:
        for _ in range(4):  # more goes in than out, and round
            self.sent += self.writer.write(self._bytes(self.sent, 12_000))
        got = self.reader.read(40_000)
        assert got == self._bytes(self.taken, len(got))
        self.taken += len(got)
        if self.sent - self.taken > 20_000:
            got = self.reader.read()
            assert got == self._bytes(self.taken, len(got))
            self.taken += len(got)
        assert not self.waiting.done()
        self.late.write(b"at last")
        assert self.waiting.answer().payload == b"at last"
        self.waiting = self.idle.start_read()
        if self.held:
            assert self.full.read() == b"." * PIPE_BYTES
            assert self.held.answer().fields("I") == (4000,)
            assert self.full.read() == b"!" * 4000
        self.early.write(b"." * PIPE_BYTES)
        self.held = self.early.start_write(b"!" * 4000)


class OnConsole:
    """A console on which there is always a line to be read, one being edited, and a reader."""

    def __init__(self, console: Console):
        self.system = console.system
        self.console = console
        self.terminal = console.open(console.a)
        console.shown.attach()
        self.console.type("whole\rhalf ä")
        self.console.shown.take("whole\r\nhalf ä".encode())

    def check(self) -> None:
        assert self.terminal.read() == b"whole\n"
        waiting = self.terminal.start_read()
        self.console.type("\x7fa line\r")
        assert waiting.answer().payload == b"half a line\n"
        self.console.shown.take(b"\b \ba line\r\n")
        self.terminal.write(b"shown\n")
        self.console.shown.take(b"shown\r\n")
        self.console.type("whole\rhalf ä")
        self.console.shown.take("whole\r\nhalf ä".encode())


class OnNetwork:
    """The default system, and HTTP clients that check every byte."""

    def __init__(self, system: System, load: Load):
        self.system = system
        self.load = load

    def check(self) -> None:
        self.load.wait_until_busy()
        figures = self.load.mark()
        assert (figures["failed"], figures["wrong"]) == (0, 0), figures


class OnMemory:
    """Components that share memory, give it back, and share it again."""

    def __init__(self, sharing: Sharing):
        self.system = sharing.system
        self.sharing = sharing
        self.area, self.own = sharing.owner.create(4 * PAGE, PAGE)
        self.given: list[int] = []
        self.value = 0

    def check(self) -> None:
        owner, holder = self.sharing.owner, self.sharing.holder
        if len(self.given) > 2:
            assert owner.do("revoke", self.given.pop(0), 60_000) == ["0"]
        self.given.append(owner.grant(self.area, "holder", PAGE, 2 * PAGE, WRITE))
        holder.map(self.given[-1])
        for grant in self.given:
            self.value = (self.value + 1) % 250
            owner.poke(self.own, PAGE, self.value)
            assert holder.peek(grant, 0) == self.value
            holder.poke(grant, PAGE, self.value + 1)
            assert owner.peek(self.own, 2 * PAGE) == self.value + 1


class OnScheduler:
    """Programs that compute and take turns, beside components that talk."""

    def __init__(self, scheduled: Scheduled):
        self.system = scheduled.system
        self.scheduled = scheduled

    def check(self) -> None:
        self.scheduled.take_turns()


class OnProcesses:
    """A family of processes; each has its state, and more are made and end."""
    def __init__(self, stage: Stage):
        self.system = stage.system
        self.init = Parent(stage.actor("init"))
        self.shell = self.init.spawn("shell", group=0)
        self.stopped = self.shell.spawn("stopped")
        self.init.kill(self.stopped.pid, signal.SIGSTOP)
        self.zombie = self.shell.spawn("zombie")
        self.zombie.exit(3)
        self.waiter = self.shell.spawn("waiter")
        self.running = self.waiter.spawn("running")
        self.waiter.begin_wait(self.running.pid)
        self.times = 0
        self.times += 1
        child = self.shell.spawn(f"child{self.times}")
        child.exit(self.times)
        error, pid, status = self.shell.wait(child.pid)
        assert (error, pid, os.waitstatus_to_exitcode(status)) == (0, child.pid, self.times)
        self.system.wait(lambda: self.init.state(self.zombie.pid) == ZOMBIE, "the zombie")
        states = [(i.parent, i.state) for i in self.init.list()]
        assert states == [(1, RUNNING), (self.shell.pid, IS_STOPPED), (self.shell.pid, ZOMBIE),
                          (self.shell.pid, RUNNING), (self.waiter.pid, RUNNING)]
        assert self.waiter.actor.waits()


Use = Union[OnConsole, OnDisk, OnKeyboard, OnMemory, OnNetwork, OnPipes, OnProcesses, OnScheduler]


@pytest.fixture
def use(request: pytest.FixtureRequest, image: Path, tmp_path: Path) -> Iterator[Use]:
    """What uses the component that is updated."""
    component = request.getfixturevalue("patch").component
    if component in ("nvme", "nvme-model"):
        with System(disk_manifest(image)) as system:
            yield OnDisk(system)
    elif component in ("kbd", "kbd-model"):
        keyboard = Keyboard(tmp_path, [])
        yield OnKeyboard(keyboard)
        keyboard.close()
    elif component == "pipe":
        pipes = Pipes(tmp_path)
        yield OnPipes(pipes)
        pipes.close()
    elif component == "tty":
        console = Console(tmp_path)
        yield OnConsole(console)
        console.close()
    elif component == "mm":
        sharing = Sharing(tmp_path, ["owner", "holder"], [])
        yield OnMemory(sharing)
        sharing.close()
    elif component == "sched":
        scheduled = Scheduled(tmp_path)
        yield OnScheduler(scheduled)
        scheduled.close()
    elif component == "pm":
        with process_stage() as stage:
            yield OnProcesses(stage)
    else:
        with System() as system, Load(system.url()) as load:
            yield OnNetwork(system, load)


@pytest.mark.parametrize("patch", ALL, ids=lambda p: f"{p.component}-{p.name}")
def test_update(patch: Patch, use: Use, tmp_path: Path):
    tree = Tree(patch, tmp_path / "tree")
    new = tree.make()
    system = use.system
    use.check()
    before = system.status()[patch.component]
    state = ["-state", patch.heading("Filter")] if patch.heading("Filter") else []
    record = json.loads(system.prctl("update", patch.component, str(new), *state, "--json"))
    use.check()
    after = system.status()[patch.component]
    assert (after.updates, after.restarts) == (before.updates + 1, before.restarts)
    assert after.build_id != before.build_id
    system.prctl("update", patch.component, "self", "-relocate")
    use.check()
    plan = plan_of(COMPONENTS / patch.component, new)
    found.append(Row.of(patch, count(tree, plan), record))
    save(found[-1])


def test_every_update_stands_in_the_document():
    """Not the times, which differ from run to run."""
    if not found:
        pytest.skip("no update was made in this run")
    documented = static_columns(DOCUMENT.read_text())
    if len(found) == len(ALL):
        assert len(documented) == len(ALL), f"{DOCUMENT.name} has updates that are gone"
    for row in found:
        assert documented.get((row.component, row.name)) == row.static(), \
            f"{row.component}/{row.name}: tests/updates/system/table prints another row than " \
            f"{DOCUMENT.name} has"
