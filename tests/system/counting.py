"""A counter, and an asker that asks it all the time and checks every answer: small components whose
state tells what an update has done to it."""

from __future__ import annotations

import re
from typing import Any

from proteos import Manifest, System

CHECK_EVERY = 64  # rounds, of the asker
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
    """A report whose time is all later than the call, and in which the asker has got answers; enough
    for it to have asked for the counter's version."""
    seen = len(reports(system))

    def last() -> dict[str, int] | None:
        new = reports(system)[seen:]
        return new[-1] if len(new) > 1 and new[-1]["rounds"] > new[0]["rounds"] + CHECK_EVERY else None

    return system.wait(last, "answers for the asker")


def unchanged(system: System, before: Any) -> None:
    """The counter is the one whose status was `before`."""
    after = system.status()["counter"]
    assert (after.pid, after.updates, after.restarts) == (before.pid, before.updates,
                                                          before.restarts)
