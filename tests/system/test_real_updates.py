"""Updates as development makes them, each a patch (tests/updates/system/): built, applied to the
running system under load, and counted. docs/real-updates.md has the table."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Iterator

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "updates" / "system"))

from patched import Patch, Tree, count, patches, plan_of  # noqa: E402
from table import DOCUMENT, Row, save, static_columns  # noqa: E402

from proteos import Manifest, System  # noqa: E402
from proteos.build import COMPONENTS  # noqa: E402
from proteos.load import Load  # noqa: E402
from test_disk import disk_manifest, goes_on, image, last_report  # noqa: E402,F401

DISK = ("nvme", "nvme-model")
ALL = patches()
found: list[Row] = []


class OnDisk:
    """A disk whose client checks every block."""

    def __init__(self, image: Path):
        self.manifest = disk_manifest(image)

    def check(self, system: System) -> None:
        report = goes_on(system)
        assert (report["failed"], report["losses"], report["restarts"]) == (0, 0, 0)


class OnNetwork:
    """The default system, and HTTP clients that check every byte."""

    def __init__(self) -> None:
        self.manifest = Manifest()
        self.load: Load | None = None

    def check(self, system: System) -> None:
        if self.load is None:
            self.load = Load(system.url())
            self.load.__enter__()
        self.load.wait_until_busy()
        figures = self.load.mark()
        assert (figures["failed"], figures["wrong"]) == (0, 0), figures


@pytest.fixture
def use(request: pytest.FixtureRequest, image: Path) -> Iterator[OnDisk | OnNetwork]:
    patch: Patch = request.getfixturevalue("patch")
    use: OnDisk | OnNetwork = OnDisk(image) if patch.component in DISK else OnNetwork()
    yield use
    if isinstance(use, OnNetwork) and use.load:
        use.load.__exit__()


@pytest.mark.parametrize("patch", ALL, ids=lambda p: f"{p.component}-{p.name}")
def test_update(patch: Patch, use: OnDisk | OnNetwork, tmp_path: Path):
    tree = Tree(patch, tmp_path / "tree")
    new = tree.make()
    with System(use.manifest) as system:
        use.check(system)
        before = system.status()[patch.component]
        state = ["-state", patch.heading("Filter")] if patch.heading("Filter") else []
        record = json.loads(system.prctl("update", patch.component, str(new), *state, "--json"))
        use.check(system)
        after = system.status()[patch.component]
        assert (after.updates, after.restarts) == (before.updates + 1, before.restarts)
        assert after.build_id != before.build_id
        system.prctl("update", patch.component, "self", "-relocate")
        use.check(system)
    plan = plan_of(COMPONENTS / patch.component, new)
    found.append(Row.of(patch, count(tree, plan), record))
    save(found[-1])


def test_every_update_stands_in_the_document():
    """Not the times, which differ from run to run."""
    if not found:
        pytest.skip("no update was made in this run")
    documented = static_columns(DOCUMENT.read_text())
    for row in found:
        assert documented.get((row.component, row.name)) == row.static(), \
            f"{row.component}/{row.name}: tests/updates/system/table prints another row than " \
            f"{DOCUMENT.name} has"
