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

from proteos import System  # noqa: E402
from proteos.build import COMPONENTS  # noqa: E402
from proteos.load import Load  # noqa: E402
from processes import IS_STOPPED, RUNNING, ZOMBIE, Parent, process_stage  # noqa: E402
from stage import Stage  # noqa: E402
from test_disk import disk_manifest, goes_on, image  # noqa: E402,F401
from test_keyboard import Keyboard  # noqa: E402

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


class OnNetwork:
    """The default system, and HTTP clients that check every byte."""

    def __init__(self, system: System, load: Load):
        self.system = system
        self.load = load

    def check(self) -> None:
        self.load.wait_until_busy()
        figures = self.load.mark()
        assert (figures["failed"], figures["wrong"]) == (0, 0), figures


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


Use = Union[OnDisk, OnKeyboard, OnNetwork, OnProcesses]


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
