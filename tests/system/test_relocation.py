"""Every component survives updates to itself that move all of its state, strictly checked: a pointer
that libst does not know would be found, or would lead nowhere."""

from __future__ import annotations

import re

import pytest

from proteos import System
from proteos.load import Load

COMPONENTS = ["e1000-model", "e1000", "net", "httpd"]
TURNS = 5
MOVED = re.compile(r"relocation: (\d+) blocks have moved; (\d+) are pinned .*, (\d+) have no type")


def relocations(system: System, name: str) -> list[tuple[int, int, int]]:
    """Of each update whose notes are in the log: blocks moved, pinned, without a type."""
    return [(int(m), int(p), int(u)) for m, p, u in MOVED.findall(system.log(name))]


def relocate(system: System, name: str, turn: int) -> None:
    # Only the same build can tell whether it was the moving that broke something.
    system.update(name, f"/bin/{name}", None, "--relocate", "--strict")
    assert system.status()[name].updates == turn
    system.wait(lambda: len(relocations(system, name)) == turn, "the report in its log")


@pytest.mark.parametrize("name", COMPONENTS)
def test_component_moves_under_load(system, name):
    before = system.status()[name]
    with Load(system.url(), connections=4, streams=1, pause_us=2000) as load:
        load.wait_until_busy()
        for turn in range(1, TURNS + 1):
            relocate(system, name, turn)
            load.mark()
            load.wait_until_busy()
        figures = load.finish()
        assert figures["failed"] == 0, f"{figures}\n{load.errors()}"
    after = system.status()[name]
    assert (after.updates, after.restarts) == (TURNS, 0) and after.pid != before.pid
    if name != "net":  # what lwIP holds is not moved: its words may be addresses or not
        assert all((p, u) == (0, 0) for _, p, u in relocations(system, name))


def test_all_move_at_once(system):
    with Load(system.url(), connections=4, streams=1, pause_us=2000) as load:
        load.wait_until_busy()
        for turn in range(1, TURNS + 1):
            for name in COMPONENTS:
                system.mupdate(name, f"/bin/{name}", None, "-relocate", "-strict")
            system.mupdate_start()
            load.mark()
            load.wait_until_busy()
        figures = load.finish()
        assert figures["failed"] == 0, f"{figures}\n{load.errors()}"
    assert [system.status()[n].updates for n in COMPONENTS] == [TURNS] * len(COMPONENTS)
