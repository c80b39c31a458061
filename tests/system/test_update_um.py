"""The update manager as a member of an update: alone, with others, and with everything."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from counting import progress
from proteos import PATIENCE, Manifest, System
from proteos.control import pb
from updating import (DONE, REFUSED, ROLLED_BACK, Held, asked, held, newcomer, patience, settled,
                      traced_um, wait_for_line, wait_until_held)


def expect_rollback(system: System, done: Any, before: Held,
                    reason: str) -> None:
    """The same processes go on, nothing is left over, and um works."""
    assert done.returncode == ROLLED_BACK, done.stdout
    last = done.stdout.splitlines()[-1]
    assert last.startswith("UM: Live update failed: um") and reason in last, done.stdout
    wait_until_held(system, before)
    status = system.status()["um"]
    assert (status.updates, status.restarts) == (0, 0)
    system.update("um", "/bin/um")


def test_to_the_same_executable(counted):
    before = counted.status()["um"]
    for round in range(1, 6):
        assert counted.update("um", "/bin/um").splitlines() == [
            "UM: Live update requested for um.",
            "UM: Loading /bin/um into memory...",
            "UM: Applying changes...",
            "UM: Cleaning up old version...",
            DONE,
        ]
        after = counted.status()["um"]
        assert (after.updates, after.restarts) == (round, 0)
        assert (after.pid, after.build_id) != (before.pid, "")
        counted.update("counter", "/bin/counter.new" if round % 2 else "/bin/counter")


def test_to_a_version_with_another_structure(counted):
    builds = set()
    for version in ("um.new", "um", "um.new"):
        counted.update("um", f"/bin/{version}")
        builds.add(counted.status()["um"].build_id)
        counted.update("counter", "/bin/counter")
    assert len(builds) == 2


def test_what_was_requested_is_state(counted):
    """The list of mupdate, with its descriptors and filters, comes along."""
    counted.mupdate("counter", "/bin/counter.new", "num_busy == 0")
    counted.update("um", "/bin/um.new")
    counted.update("um", "/bin/um")
    assert counted.mupdate_start().splitlines()[:2] == [
        "UM: Live update requested for counter.",
        "UM: Loading /bin/counter.new into memory...",
    ]
    assert progress(counted)["version"] == 2


def test_with_others_in_one_transaction(counted):
    for round in range(1, 6):
        counted.mupdate("um", "/bin/um.new" if round % 2 else "/bin/um")
        counted.mupdate("counter", "/bin/counter.new" if round % 2 else "/bin/counter")
        counted.mupdate("asker", "/bin/asker")
        assert counted.mupdate_start().splitlines()[-1] == DONE
        assert [c.updates for c in counted.status().values()] == [round] * 3
        assert progress(counted)["version"] == (2 if round % 2 else 1)


def test_all_components_under_load(system, load):
    names = ["um", "e1000-model", "e1000", "net", "httpd"]
    for round in range(1, 11):
        for name in names:
            new = round % 2 and name != "e1000-model"
            system.mupdate(name, f"/bin/{name}{'.new' if new else ''}")
        assert system.mupdate_start().splitlines()[-1] == DONE
        assert [system.status()[name].updates for name in names] == [round] * 5
    load.wait_until_busy()


def test_twenty_updates_leave_nothing(counted):
    counted.update("um", "/bin/um")
    before = settled(counted)
    for _ in range(20):
        counted.update("um", "/bin/um")
    counted.wait(lambda: (len(held(counted)[0]), *held(counted)[1:]) ==
                 (len(before[0]), *before[1:]), f"{before}, but for um's process id")


@pytest.mark.parametrize("version, reason", [
    ("dead", "um's new version crashed while loading (signal 6)"),
    ("crash", "um's new version crashed during state transfer (signal 6)"),
    ("exit", "um's new version exited with status 7 during state transfer"),
    ("refuse", "um: its live update handler refused (-1)"),
    ("hang", "um's new version did not answer within 5000 ms during state transfer"),
    ("narrow", "which does not fit a signed integer of 8 bits"),
])
@pytest.mark.parametrize("others", [[], ["counter"]], ids=["alone", "with counter"])
def test_failing_version_is_rolled_back(counted, version, reason, others):
    before = settled(counted)
    counted.mupdate("um", f"/bin/um.{version}", None, *patience(version))
    for name in others:
        counted.mupdate(name, f"/bin/{name}.new", None, *patience(version))
    done = counted.try_prctl("mupdate-start")
    # What was requested has brought descriptors along that are closed with the transaction.
    expect_rollback(counted, done, before, reason)
    assert progress(counted)["version"] == 1


def test_another_member_that_fails_rolls_um_back(counted):
    before = settled(counted)
    counted.mupdate("um", "/bin/um.new")
    counted.mupdate("counter", "/bin/counter.crash")
    done = counted.try_prctl("mupdate-start")
    assert "counter's new version crashed during state transfer (signal 11)" in done.stdout
    wait_until_held(counted, before)
    assert counted.status()["um"].updates == 0
    counted.update("um", "/bin/um.new")


def test_filter_of_um(counted):
    before = settled(counted)
    done = counted.try_prctl("update", "um", "/bin/um.new", "-state", "tx.id == 0", "-timeout", "300")
    expect_rollback(counted, done, before,
                    "um did not reach state quiescence ('tx.id == 0') within 300 ms")
    counted.update("um", "/bin/um.new", "tx.members.tqh_first->converging == 0")


@pytest.mark.parametrize("signum, transfer_ms, reason", [
    (signal.SIGKILL, 60_000, "um's new version was killed during state transfer (signal 9)"),
    (signal.SIGSTOP, 4000, "um's new version did not answer within 4000 ms during state transfer"),
])
def test_new_um_is_hit_while_the_old_one_is_frozen(counted, signum, transfer_ms, reason):
    before = settled(counted)
    prctl = counted.start_prctl("update", "um", "/bin/um.hang", "-timeout",
                                f"transfer={transfer_ms}")
    pid = counted.wait(lambda: newcomer(counted, before[0]), "the new version")
    counted.wait(lambda: counted.status()["um"].state == "frozen", "the old one frozen")
    os.kill(pid, signum)
    output, _ = prctl.communicate(timeout=PATIENCE)
    assert prctl.returncode == ROLLED_BACK and reason in output, output
    wait_until_held(counted, before)
    counted.update("um", "/bin/um")


def test_old_um_is_killed_while_it_is_frozen(counted):
    """The update is off, and the next um starts afresh."""
    processes, um = len(counted.processes()), counted.status()["um"].pid
    counted.mupdate("um", "/bin/um.hang", None, "-timeout", "transfer=60000")
    counted.mupdate("counter", "/bin/counter.new")
    prctl = counted.start_prctl("mupdate-start")
    counted.wait(lambda: counted.status()["um"].state == "frozen", "the old one frozen")
    os.kill(um, signal.SIGKILL)
    output, _ = prctl.communicate(timeout=PATIENCE)
    assert prctl.returncode == ROLLED_BACK and "the update manager has died" in output, output
    counted.wait_for_restart("um")
    counted.wait(lambda: len(counted.processes()) == processes, "the new versions' ends")
    assert progress(counted)["version"] == 1
    counted.update("um", "/bin/um.new")
    counted.update("counter", "/bin/counter.new")


def test_client_is_lost_when_um_is_frozen(counted):
    """The outcome is the bus's; there is only nobody left to tell."""
    before = settled(counted)
    prctl = counted.start_prctl("update", "um", "/bin/um.hang", "-timeout", "transfer=60000")
    new = counted.wait(lambda: newcomer(counted, before[0]), "the new version")
    counted.wait(lambda: counted.status()["um"].state == "frozen", "the old one frozen")
    prctl.kill()
    prctl.communicate()
    os.kill(new, signal.SIGKILL)
    wait_until_held(counted, before)
    counted.wait(lambda: "Live update failed: the client that requested it was lost" in
                 counted.log("um"), "the loss in um's log")
    counted.update("um", "/bin/um")


def test_request_that_comes_while_um_is_frozen_is_answered(counted):
    before = set(counted.processes())
    prctl = counted.start_prctl("update", "um", "/bin/um.hang", "-timeout", "transfer=60000")
    new = counted.wait(lambda: newcomer(counted, before), "the new version")
    counted.wait(lambda: counted.status()["um"].state == "frozen", "the old one frozen")
    request = pb.UpdateRequest(action=pb.UpdateRequest.NOW)
    request.members.add(component="counter", self=True)
    with asked(counted, update=request) as answer:
        for _ in range(2):
            counted.status()  # the bus answers in turn: then it has heard of the request, too
        os.kill(new, signal.SIGKILL)
        first, _ = prctl.communicate(timeout=PATIENCE)
        second = answer().text
    assert "was killed during state transfer" in first
    assert second == "UM: Live update refused: another update is running."


def test_trace_stays_attached(counted):
    with traced_um(counted) as trace:
        for version in ("um.new", "um"):
            counted.update("um", f"/bin/{version}")
            wait_for_line(trace, "UM_COMMITTED")


def test_um_that_was_updated_rolls_others_back(counted):
    counted.update("um", "/bin/um.new")
    done = counted.try_prctl("update", "counter", "/bin/counter.crash")
    assert done.stdout.splitlines()[-1].endswith("Rolled back to the old version.")
    counted.update("counter", "/bin/counter.new")


def test_manifest_without_um():
    manifest = Manifest.empty()
    manifest.data["components"] = []
    manifest.add("counter")
    with System(manifest) as system:
        done = system.try_prctl("update", "counter", "/bin/counter.new")
        assert done.returncode == REFUSED and "no update manager" in done.stdout
