"""Updates as development makes them, each a patch (tests/updates/system/): built, applied to the
running system under load, and counted. docs/real-updates.md has the table."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "updates" / "system"))

from patched import Patch, Tree, count, patches, plan_of  # noqa: E402
from table import DOCUMENT, Row, save, static_columns  # noqa: E402

from proteos import System  # noqa: E402
from proteos.build import BUILD, COMPONENTS, SOURCE  # noqa: E402
from uses import USES, Use  # noqa: E402

ALL = patches()
found: list[Row] = []


@pytest.fixture
def use(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Use]:
    """What uses the component that is updated."""
    with USES[request.getfixturevalue("patch").component](tmp_path) as running:
        yield running


@dataclass(frozen=True)
class Version:
    """What runs as a component, or as busd, and how it came about."""
    build_id: str
    updates: int
    restarts: int

    @classmethod
    def of(cls, system: System, component: str) -> Version:
        if component == "busd":
            instance = system.instance()
            return cls(instance.busd_build_id, instance.busd_updates, 0)
        status = system.status()[component]
        return cls(status.build_id, status.updates, status.restarts)


@pytest.mark.parametrize("patch", ALL, ids=lambda p: f"{p.component}-{p.name}")
def test_update(patch: Patch, use: Use, tmp_path: Path):
    tree = Tree(patch, tmp_path / "tree")
    new = tree.make()
    system = use.system
    use.check()
    before = Version.of(system, patch.component)
    state = ["-state", patch.heading("Filter")] if patch.heading("Filter") else []
    record = json.loads(system.prctl("update", patch.component, str(new), *state, "--json"))
    use.check()
    after = Version.of(system, patch.component)
    assert (after.updates, after.restarts) == (before.updates + 1, before.restarts)
    assert after.build_id != before.build_id
    system.prctl("update", patch.component, "self", "-relocate")
    use.check()
    plan = plan_of(COMPONENTS / patch.component, new)
    found.append(Row.of(patch, count(tree, plan), record))
    save(found[-1])


def fill(build: Path, built: Path) -> None:
    """Links what is missing in one build directory to what another one has."""
    for entry in built.iterdir():
        same = build / entry.name
        if not same.exists():
            same.symlink_to(entry)
        elif entry.is_dir():
            fill(same, entry)


def test_build_directory_outside_of_the_source(tmp_path: Path):
    build = tmp_path / "elsewhere"
    subprocess.run(["meson", "setup", build, SOURCE], check=True, stdout=subprocess.DEVNULL)
    fill(build, BUILD)
    patch = next(p for p in ALL if (p.component, p.name) == ("httpd", "1-not-found"))
    new = Tree(patch, tmp_path / "tree", build).make()
    changed = [v["name"] for v in plan_of(COMPONENTS / "httpd", new)["variables"]
               if v["fate"] == "converted"]
    assert changed == ["figures"]


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
