"""What uses a component while it is updated, and checks that it serves as before."""

from __future__ import annotations

import os
import random
import signal
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Callable, ContextManager, Iterator, Protocol

import filing
from consoles import Console
from counting import progress
from processes import IS_STOPPED, RUNNING, ZOMBIE, Parent, process_stage
from proteos import Manifest, System
from proteos.load import Load
from puppet import Call
from sharing import PAGE, WRITE, Sharing
from stage import Stage
from streams import PIPE_BYTES
from test_disk import disk_manifest, goes_on, make_disk
from test_keyboard import Keyboard
from test_pipe import Pipes
from test_scheduler import Scheduled


class Use(Protocol):
    """A system in which something uses the component all the time."""

    system: System

    def check(self) -> None:
        """Uses it, and fails if anything is not as it should be."""


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


class OnFiles:
    """A file system; every file that was written is read."""

    def __init__(self, storage: filing.Storage):
        self.system = storage.system
        self.filer = storage.filer
        self.log = b""
        self.handle = self.filer.open("/log", filing.READ | filing.WRITE | filing.CREATE)

    def check(self) -> None:
        more = random.randbytes(50_000)
        self.filer.write_all(self.handle, more)
        self.filer.sync_file(self.handle)
        self.log += more
        assert self.filer.read_all(self.handle) == self.log
        self.filer.put(f"/{len(self.log)}", more)
        assert self.filer.get(f"/{len(self.log)}") == more


class OnNetwork:
    """The default system, and HTTP clients that check every byte."""

    def __init__(self, system: System, load: Load):
        self.system = system
        self.load = load

    def check(self) -> None:
        self.load.wait_until_busy()
        figures = self.load.mark()
        assert (figures["failed"], figures["wrong"]) == (0, 0), figures


class OnBus(OnNetwork):
    """The same, and components that ask each other without a pause, and whom alarms wake."""

    def check(self) -> None:
        super().check()
        assert progress(self.system)["wrong"] == 0


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

    def check(self) -> None:
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


# -- by component: each is a context manager, given a folder for its files ---------------------------


@contextmanager
def until_closed(what: Any, use: Callable[[Any], Use]) -> Iterator[Use]:
    with closing(what):
        yield use(what)


@contextmanager
def on_disk(folder: Path) -> Iterator[Use]:
    with System(disk_manifest(make_disk(folder))) as system:
        yield OnDisk(system)


@contextmanager
def on_processes(folder: Path) -> Iterator[Use]:
    with process_stage() as stage:
        yield OnProcesses(stage)


@contextmanager
def on_files(folder: Path) -> Iterator[Use]:
    with filing.Storage(folder, filing.make_image(folder / "files.img", 64)) as storage:
        yield OnFiles(storage)
        storage.end()


@contextmanager
def on_network(folder: Path) -> Iterator[Use]:
    with System() as system, Load(system.url()) as load:
        yield OnNetwork(system, load)


@contextmanager
def on_bus(folder: Path) -> Iterator[Use]:
    manifest = Manifest().add("counter").add("asker", calls=[{"to": "counter"}])
    with System(manifest) as system, Load(system.url()) as load:
        yield OnBus(system, load)


def on_keyboard(folder: Path) -> ContextManager[Use]:
    return until_closed(Keyboard(folder, []), OnKeyboard)


USES: dict[str, Callable[[Path], ContextManager[Use]]] = {
    "nvme": on_disk, "nvme-model": on_disk, "kbd": on_keyboard, "kbd-model": on_keyboard,
    "pipe": lambda folder: until_closed(Pipes(folder), OnPipes),
    "tty": lambda folder: until_closed(Console(folder), OnConsole),
    "mm": lambda folder: until_closed(Sharing(folder, ["owner", "holder"], []), OnMemory),
    "sched": lambda folder: until_closed(Scheduled(folder), OnScheduler),
    "pm": on_processes, "storage": on_files, "um": on_network, "e1000": on_network,
    "e1000-model": on_network, "net": on_network, "httpd": on_network, "busd": on_bus,
}
