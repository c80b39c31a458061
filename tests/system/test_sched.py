"""prctl sched."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Iterator

import pytest

from asking import dies_while_it_is_asked
from proteos import Manifest, System
from proteos.control import pb
from test_scheduler import Scheduled

COLUMNS = ["COMPONENT", "CLASS", "NICE", "RANK", "STATE", "CPUS", "CPU", "SHARE", "%", "PREEMPTED",
           "TURNS"]


@pytest.fixture
def scheduled(tmp_path: Path) -> Iterator[Scheduled]:
    running = Scheduled(tmp_path, "hog-1=2", "hog-2=batch", "counter=urgent")
    yield running
    running.close()


def look(scheduled: Scheduled) -> dict[str, Any]:
    return json.loads(scheduled.system.prctl("sched", "-d", "0.1", "--json"))


def components(scheduled: Scheduled) -> dict[str, dict[str, Any]]:
    return {c["name"]: c for c in look(scheduled)["components"]}


def test_components_are_shown(scheduled):
    names = {"counter", "asker", "hog-1", "hog-2", "overseer"}
    scheduled.wait(lambda: set(components(scheduled)) == names, "all to be known")
    scheduled.take_turns()
    shown = components(scheduled)
    assert {n: (c["class"], c["nice"]) for n, c in shown.items() if n not in ("asker", "overseer")} \
        == {"hog-1": ("normal", 2), "hog-2": ("batch", 0), "counter": ("urgent", 0)}
    status = scheduled.system.status()
    for name, c in shown.items():
        assert c["endpoint"] == status[name].endpoint
        assert os.sched_getaffinity(status[name].pid) == {int(c["cpus"])}
    for name in ("hog-1", "hog-2"):
        assert shown[name]["preempted"] > 0 and shown[name]["cpu_us"] > 0
    assert shown["counter"]["preempted"] == 0
    scheduled.wait(lambda: abs(sum(c["share_percent"] for c in components(scheduled).values()) - 100)
                   < 1, "two looks that a tick came between")
    shares = [c["share_percent"] for c in look(scheduled)["components"]]
    assert shares == sorted(shares, reverse=True)


def test_who_is_stopped_is_seen(scheduled):
    """In one of the next looks each hog is, and in one of them it has its turn."""
    scheduled.wait(lambda: {"hog-1", "hog-2", "overseer"} <= set(components(scheduled)), "all to be known")
    for name in ("hog-1", "hog-2"):
        for state in ("preempted", "its turn"):
            scheduled.wait(lambda: components(scheduled)[name]["state"] == state, state)
    scheduled.wait(lambda: components(scheduled)["overseer"]["state"] == "waits", "the overseer")


def test_table(scheduled):
    scheduled.take_turns()
    title, head, *lines = scheduled.system.prctl("sched", "-d", "0.1").splitlines()
    assert title.startswith("policy feedback, ") and title.endswith(" ticks")
    assert head.split() == COLUMNS
    assert {line.split()[0] for line in lines} == {"counter", "asker", "hog-1", "hog-2", "overseer"}
    assert next(line for line in lines if line.startswith("hog-2")).split()[1:3] == ["batch", "0"]
    scheduled.system.update("sched", "/bin/sched.new")
    assert look(scheduled)["policy"] == "fair share"


def test_without_a_scheduler():
    with System(Manifest.empty()) as system:
        refused = system.try_prctl("sched")
        assert refused.returncode == 1
        assert refused.stdout == ("prctl: this instance has no scheduler (a component with kernel: "
                                  "[schedule])\n")
        for wrong in (["-x"], ["-d", "0"], ["-d", "x"]):
            done = system.try_prctl("sched", *wrong)
            assert (done.returncode, done.stdout) == \
                (2, "usage: prctl sched [-d SECONDS] [--json]\n")


def test_it_is_stopped_or_dies(tmp_path):
    scheduled = Scheduled(tmp_path, hogs={}, restart="never")
    try:
        dies_while_it_is_asked(scheduled.system, "sched", schedule=pb.ScheduleRequest())
    finally:
        scheduled.close()
