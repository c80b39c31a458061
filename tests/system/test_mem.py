"""prctl mem."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator

import pytest

from asking import dies_while_it_is_asked
from proteos import Manifest, System
from proteos.control import pb
from sharing import PAGE, READ, WRITE, Sharing

PATIENT = 60_000


@pytest.fixture
def sharing(tmp_path: Path) -> Iterator[Sharing]:
    running = Sharing(tmp_path, ["owner", "holder"], [f"quota={1 << 20}", "patience=60000"])
    yield running
    running.close()


def told(sharing: Sharing) -> dict[str, Any]:
    return json.loads(sharing.system.prctl("mem", "--json"))


def grants(sharing: Sharing) -> list[tuple[str, int, int, str, str]]:
    """Of the only area, in the order in which they were given."""
    (area,) = told(sharing)["areas"]
    return [(g["holder"], g["first"], g["bytes"], g["rights"], g["state"]) for g in area["grants"]]


def test_areas_and_grants_are_shown(sharing):
    assert told(sharing) == {"areas": [], "components": []}
    area, _ = sharing.owner.create(4 * PAGE, PAGE)
    read = sharing.owner.grant(area, "holder", 0, PAGE, READ)
    written = sharing.owner.grant(area, "holder", PAGE, 2 * PAGE, WRITE)
    sharing.holder.map(written)
    whole = ("owner", 0, 4 * PAGE, "rw", "mapped")
    assert grants(sharing) == [whole, ("holder", 0, PAGE, "r", "given"),
                               ("holder", PAGE, 2 * PAGE, "rw", "mapped")]
    one = told(sharing)["areas"][0]
    assert (one["owner"], one["state"], one["bytes"], one["segment_bytes"]) == \
        ("owner", "live", 4 * PAGE, PAGE)
    accounts = {c["name"]: c for c in told(sharing)["components"]}
    assert {name: (c["areas"], c["bytes"], c["quota"], c["grants"], c["mapped"])
            for name, c in accounts.items()} == {"owner": (1, 4 * PAGE, 1 << 20, 1, 1),
                                                 "holder": (0, 0, 1 << 20, 2, 1)}
    endpoints = {name: c.endpoint for name, c in sharing.system.status().items()}
    assert {name: c["endpoint"] for name, c in accounts.items()}.items() <= endpoints.items()
    sharing.owner.do("revoke", read, PATIENT)
    assert grants(sharing) == [whole, ("holder", PAGE, 2 * PAGE, "rw", "mapped")]


def test_tables(sharing):
    area, _ = sharing.owner.create(2 * PAGE, PAGE)
    sharing.owner.grant(area, "holder", PAGE, PAGE, READ)
    areas, components = sharing.system.prctl("mem").split("\n\n")
    head, *lines = areas.splitlines()
    assert head.split() == ["AREA", "OWNER", "SIZE", "STATE", "GRANT", "HOLDER", "FROM", "SIZE",
                            "RIGHTS", "STATE"]
    assert [line.split() for line in lines] == [
        ["1", "owner", "8", "KB", "live", "1", "owner", "0", "KB", "8", "KB", "rw", "mapped"],
        ["2", "holder", "4", "KB", "4", "KB", "r", "given"]]
    assert lines[0].index("owner  ", 25) == lines[1].index("holder")  # columns
    head, *lines = components.splitlines()
    assert head.split() == ["COMPONENT", "AREAS", "SIZE", "QUOTA", "GRANTS", "MAPPED"]
    assert sorted(line.split() for line in lines) == [
        ["holder", "0", "0", "KB", "1024", "KB", "1", "0"],
        ["owner", "1", "8", "KB", "1024", "KB", "1", "1"]]


def test_what_is_on_its_way_back(sharing):
    """A holder that does not unmap: first for its owner, then for nobody."""
    area, own = sharing.owner.create(PAGE)
    given = sharing.owner.grant(area, "holder", 0, PAGE, WRITE)
    sharing.holder.map(given)
    sharing.holder.do("stubborn", 1)
    sharing.owner.do("unmap", own)
    sharing.owner.send("destroy", area, PATIENT)
    sharing.system.wait(lambda: told(sharing)["areas"][0]["state"] == "ending", "the destruction")
    assert grants(sharing) == [("holder", 0, PAGE, "rw", "revoking")]
    sharing.system.kill("owner")
    sharing.system.wait(lambda: told(sharing)["areas"][0]["owner"] == "", "its death")
    assert sharing.system.prctl("mem").splitlines()[1].split()[1] == "-"
    sharing.holder.do("unmap", given)
    assert told(sharing) == {"areas": [], "components": []}


def test_as_much_as_there_can_be(sharing):
    """All of it comes in one reply."""
    areas = [sharing.owner.create(2 * PAGE, PAGE)[0] for _ in range(16)]
    for i in range(48):
        sharing.owner.grant(areas[i % 16], "holder", PAGE, PAGE, READ)
    shown = told(sharing)["areas"]
    assert [a["area"] for a in shown] == areas
    assert [len(a["grants"]) for a in shown] == [4] * 16


def test_without_a_memory_server():
    with System(Manifest.empty()) as system:
        refused = system.try_prctl("mem")
        assert refused.returncode == 1
        assert refused.stdout == ("prctl: this instance has no memory server (a component with "
                                  "kernel: [memory])\n")
        wrong = system.try_prctl("mem", "-x")
        assert (wrong.returncode, wrong.stdout) == (2, "usage: prctl mem [--json]\n")


def test_it_is_stopped_or_dies(sharing):
    dies_while_it_is_asked(sharing.system, "mm", memory=pb.MemoryRequest())
    sharing.system.wait_for_restart("mm")
    sharing.system.prctl("stop", "mm")
    refused = sharing.system.try_prctl("mem")
    assert refused.returncode == 1 and "the memory server is not running" in refused.stdout


def test_it_fails_on_probation(sharing):
    """The old version, which takes over, has not been asked."""
    sharing.system.update("mm", "self", None, "-probation", "3600000")
    dies_while_it_is_asked(sharing.system, "mm", memory=pb.MemoryRequest())
    assert sharing.system.prctl("mem").startswith("  AREA OWNER")


def test_it_is_updated_meanwhile(sharing):
    sharing.owner.create(PAGE)
    before = told(sharing)
    sharing.system.update("mm", "self")
    sharing.system.update("busd", "self")
    assert told(sharing) == before
