"""Updates as development makes them, each a patch (tests/updates/system/): built, applied to the
running system under load, and counted. docs/real-updates.md has the table."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Iterator, Union

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "updates" / "system"))

from patched import Patch, Tree, count, patches, plan_of  # noqa: E402
from table import DOCUMENT, Row, save, static_columns  # noqa: E402

from filing import CREATE, READ, WRITE, Storage, make_image  # noqa: E402
from proteos import System  # noqa: E402
from proteos.build import COMPONENTS  # noqa: E402
from proteos.load import Load  # noqa: E402
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


class OnFiles:
    """A file system; every file that was written is read."""

    def __init__(self, storage: Storage):
        self.system = storage.system
        self.filer = storage.filer
        self.log = b""
        self.handle = self.filer.open("/log", READ | WRITE | CREATE)

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


Use = Union[OnDisk, OnFiles, OnKeyboard, OnNetwork]


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
    elif component == "storage":
        with Storage(tmp_path, make_image(tmp_path / "files.img", 64)) as storage:
            yield OnFiles(storage)
            storage.end()
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
