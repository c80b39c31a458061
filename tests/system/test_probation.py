"""Probation: the old versions are kept after the commit, and take over when a new one dies."""

from __future__ import annotations

import os
import signal

import pytest

from counting import counter_manifest, progress
from proteos import System
from updating import history

LONG, SHORT = "600000", "300"


def processes_of(system: System, name: str) -> int:
    return sum(name in command for command in system.processes().values())


def test_probation_that_passes(counted):
    output = counted.update("counter", "/bin/counter.new", None, "-probation", SHORT)
    assert output.splitlines()[-1] == \
        "UM: On probation for 300 ms: if the new version fails, the old one takes over."
    counted.wait(lambda: "The probation is over: the new versions stay." in counted.log("um"),
                 "the end of the probation")
    counted.wait(lambda: processes_of(counted, "counter") == 1, "the end of the old version")
    assert progress(counted)["version"] == 2
    counted.update("counter", "/bin/counter")  # what was imported has been written back
    assert progress(counted)["version"] == 1
    assert [r["outcome"] for r in history(counted)] == ["done", "done"]


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_old_version_takes_over(losing, signum):
    """It goes on from where it froze: what the asker knows of the time since then is wrong, but it
    gets an answer to everything that it asks."""
    before = losing.status()["counter"]
    losing.update("counter", "/bin/counter.new", None, "-probation", LONG)
    assert progress(losing)["version"] == 2
    assert processes_of(losing, "counter") == 2
    losing.kill("counter", signum)
    losing.wait(lambda: losing.status()["counter"].pid == before.pid, "the old version")
    after = losing.status()["counter"]
    assert (after.updates, after.restarts, after.state) == (0, 0, "running")
    losing.wait(lambda: progress(losing)["version"] == 1, "answers of the old version")
    losing.wait(lambda: processes_of(losing, "counter") == 1, "the end of the new version")
    records = losing.wait(lambda: len(found := history(losing)) > 1 and found, "the second record")
    assert [(r["number"], r["outcome"]) for r in records] == [(1, "done"), (1, "taken-back")]
    assert records[1]["reason"] == "counter died on probation: the old versions have taken over"
    losing.update("counter", "/bin/counter.new")
    assert progress(losing)["version"] == 2


def test_all_members_go_back_together(losing):
    before = losing.status()
    losing.mupdate("counter", "/bin/counter.new")
    losing.mupdate("asker", "self")
    output = losing.prctl("mupdate-start", "-probation", LONG)
    assert output.splitlines()[-1].endswith("all old ones take over.")
    progress(losing)
    losing.kill("asker")
    losing.wait(lambda: {n: c.pid for n, c in losing.status().items()} ==
                {n: c.pid for n, c in before.items()}, "the old versions")
    progress(losing)  # its call in flight has ended as lost, and it goes on


def test_what_is_on_probation_is_left_alone(counted):
    counted.update("counter", "/bin/counter.new", None, "-probation", LONG)
    refused = counted.try_prctl("update", "counter", "/bin/counter")
    assert refused.returncode == 1
    assert "refused: it is on probation since its last update, for another " in refused.stdout
    assert "busd refused: versions are on probation" in \
        counted.try_prctl("update", "busd", "self").stdout
    assert counted.try_prctl("stop", "counter").returncode == 1
    counted.update("asker", "self")
    assert progress(counted)["version"] == 2


@pytest.mark.parametrize("name", ["um", "busd"])
def test_who_carries_it_out_cannot_be_on_it(counted, name):
    done = counted.try_prctl("update", name, "self", "-probation", "100")
    assert done.returncode == 1
    assert "refused: um and busd carry out probation, and cannot be on it" in done.stdout


def test_old_version_that_dies_ends_the_probation(counted):
    before = counted.status()["counter"]
    counted.update("counter", "/bin/counter.new", None, "-probation", LONG)
    os.kill(before.pid, signal.SIGKILL)
    counted.wait(lambda: "The probation is over" in counted.log("um"), "the end of the probation")
    counted.update("counter", "/bin/counter")
    assert progress(counted)["version"] == 1


def test_shutdown_during_probation():
    with System(counter_manifest()) as system:
        progress(system)
        system.update("counter", "/bin/counter.new", None, "-probation", LONG)
        system.shutdown()
        system.wait(lambda: not system.processes(), "the end of every process")


def test_alarms_and_calls_of_the_old_version_go_on(losing):
    """The asker reports by an alarm, and has always a call in flight."""
    for _ in range(3):
        losing.update("asker", "self", None, "-probation", LONG)
        progress(losing)
        losing.kill("asker")
        losing.wait(lambda: losing.status()["asker"].updates == 0, "the old version")
        progress(losing)
