"""A hundred successive updates under load: nothing fails, nothing is leaked."""

from __future__ import annotations

import pytest

from proteos import System, process
from proteos.load import Load

UPDATES = 100
MEMORY_TOLERANCE = 0.05


def update_all(system: System, names: list[str], turn: int) -> None:
    """The new versions and the first ones, by turns."""
    for name in names:
        system.mupdate(name, f"/bin/{name}{('.new', '')[turn % 2]}")
    system.mupdate_start()


def update_under_load(system: System, names: list[str], turns: range) -> None:
    with Load(system.url(), connections=4, streams=1, pause_us=2000) as load:
        load.wait_until_busy()
        for turn in turns:
            update_all(system, names, turn)
        load.mark()
        load.wait_until_busy()
        figures = load.finish()
        assert figures["failed"] == 0, f"{figures}\n{load.errors()}"


def holdings(system: System) -> tuple[int, dict[str, int]]:
    """Processes of the instance, and descriptors by component."""
    return (len(system.processes()),
            {name: c.descriptors for name, c in system.status().items()})


def settled(system: System) -> dict:
    """Status once no component's memory changes any more: a new version tidies up at first."""
    seen: list[dict[str, int]] = []

    def unchanged() -> bool:
        seen.append({name: c.memory_bytes for name, c in system.status().items()})
        return len(seen) >= 8 and all(sample == seen[-1] for sample in seen[-8:])

    system.wait(unchanged, "memory to settle")
    return system.status()


def least_memory(system: System, names: list[str], turns: range) -> dict[str, int]:
    """The least that a version without traffic holds, of several in succession: the kernel maps up
    to 16 pages of the heap at once, and which ones is a matter of chance."""
    least: dict[str, int] = {}
    for turn in turns:
        update_all(system, names, turn)
        if turn % 2:  # always the same build
            status = settled(system)
            for name in names:
                least[name] = min(least.get(name, 1 << 40), status[name].memory_bytes)
    return least


@pytest.mark.parametrize("names", [["net"], ["e1000"], ["httpd"], ["net", "e1000", "httpd"]],
                         ids=["net", "e1000", "httpd", "all"])
def test_hundred_updates(system, names):
    """Memory is compared between versions without traffic, before and after some: what a version
    holds beside its state must not depend on how many came before it."""
    before, held = system.status(), holdings(system)
    update_under_load(system, names, range(0))
    early = least_memory(system, names, range(10))
    update_under_load(system, names, range(10, UPDATES - 10))
    late = least_memory(system, names, range(UPDATES - 10, UPDATES))
    system.wait(lambda: holdings(system) == held, f"{held}, as before the first update")
    after = system.status()
    for name in names:
        assert after[name].updates == UPDATES
        assert after[name].restarts == 0
        assert after[name].build_id == before[name].build_id
        growth = late[name] / early[name] - 1
        assert growth <= MEMORY_TOLERANCE, f"{name}: memory grew by {growth:.1%}"
    for name in set(after) - set(names):
        assert after[name].pid == before[name].pid


@pytest.mark.root
def test_loader_and_busd_leak_no_descriptor(system):
    instance, processes = system.instance(), len(system.processes())

    def held() -> list[int]:
        system.wait(lambda: len(system.processes()) == processes, "the old versions' ends")
        return [process.descriptors(pid) for pid in (instance.loader_pid, instance.busd_pid)]

    update_under_load(system, ["net", "e1000"], range(2))
    early = held()
    update_under_load(system, ["net", "e1000"], range(2, 22))
    system.wait(lambda: held() == early, f"{early}, as early on")
