"""A counter, and an asker that asks it all the time and checks every answer: small components whose
state tells what an update has done to it."""

from __future__ import annotations

import re
from typing import Any

from proteos import Manifest, System

NEVER_TRUE = "num_busy == 4711"
REPORT = re.compile(r"rounds (\d+) wrong (\d+) notes (\d+) longest_us (\d+) version (\d+)")


def counter_manifest() -> Manifest:
    manifest = Manifest.empty()
    manifest.add("counter", restart="always")
    manifest.add("asker", calls=[{"to": "counter"}])
    return manifest


def reports(system: System) -> list[dict[str, int]]:
    names = ("rounds", "wrong", "notes", "longest_us", "version")
    return [dict(zip(names, map(int, m))) for m in REPORT.findall(system.log("asker"))]


def progress(system: System) -> dict[str, int]:
    """The asker's second report from now: all of its time is later than the call."""
    seen = len(reports(system))
    system.wait(lambda: len(reports(system)) >= seen + 2, "the asker's reports")
    last, before = reports(system)[-1], reports(system)[-2]
    assert last["rounds"] > before["rounds"], "the asker gets no answers"
    return last


def unchanged(system: System, before: Any) -> None:
    """The counter is the one whose status was `before`."""
    after = system.status()["counter"]
    assert (after.pid, after.updates, after.restarts) == (before.pid, before.updates,
                                                          before.restarts)
