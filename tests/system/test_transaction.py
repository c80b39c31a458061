"""The update transaction on small components: a counter, and an asker that checks every answer."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from counting import NEVER_TRUE, counter_manifest, progress, unchanged
from proteos import PATIENCE, Manifest, System
from updating import newcomer, patience, wait_for_line

def test_update_carries_state_and_loses_no_answer(counted):
    for round in range(1, 6):
        version = "/bin/counter.new" if round % 2 else "/bin/counter"
        output = counted.update("counter", version)
        assert output.splitlines() == [
            "UM: Live update requested for counter.",
            f"UM: Loading {version} into memory...",
            "UM: Applying changes...",
            "UM: Cleaning up old version...",
            "UM: Live update done.",
        ]
        assert counted.status()["counter"].updates == round
        assert progress(counted)["version"] == (2 if round % 2 else 1)


@pytest.mark.parametrize("version, reason", [
    ("crash", "crashed during state transfer (signal 11)"),
    ("exit", "exited with status 7 during state transfer"),
    ("refuse", "live update handler refused (-1)"),
    ("send", "live update handler refused (-2004)"),
    ("hang", "did not answer within 5000 ms during state transfer"),
    ("narrow", "total"),
])
def test_failing_version_is_rolled_back(counted, version, reason):
    before = counted.status()["counter"]
    done = counted.try_prctl("update", "counter", f"/bin/counter.{version}", *patience(version))
    assert done.returncode == 3
    last = done.stdout.splitlines()[-1]
    assert last.startswith("UM: Live update failed: counter") and reason in last, done.stdout
    assert last.endswith("Rolled back to the old version.")
    unchanged(counted, before)
    progress(counted)
    counted.update("counter", "/bin/counter.new")


def test_shared_memory_is_written_after_commit_only():
    manifest = counter_manifest()
    manifest.data["regions"] = [{"name": "shared", "bytes": 4096, "share": ["counter"]}]
    with System(manifest) as system:
        before = system.status()["counter"]
        done = system.try_prctl("update", "counter", "/bin/counter.scribble")
        assert "crashed during state transfer (signal 11)" in done.stdout
        unchanged(system, before)
        system.update("counter", "/bin/counter.new")  # which writes there when it is live
        assert progress(system)["version"] == 2
        after = system.status()["counter"]
        assert (after.updates, after.restarts) == (1, 0)


def test_several_components_in_one_transaction():
    manifest = counter_manifest()
    manifest.add("second", file="counter")
    with System(manifest) as system:
        assert system.mupdate("counter", "/bin/counter.new") == ""
        assert system.mupdate("second", "/bin/counter.crash") == ""
        before = system.status()
        failed = system.try_prctl("mupdate-start")
        assert failed.returncode == 3
        assert failed.stdout.splitlines()[-1].endswith("Rolled back to the old versions.")
        for name in ("counter", "second"):
            assert system.status()[name].pid == before[name].pid
        system.mupdate("second", "/bin/counter.new")
        system.mupdate("counter", "/bin/counter.new")
        output = system.mupdate_start()
        assert output.splitlines()[0] == "UM: Live update requested for second, counter."
        assert output.splitlines()[-1] == "UM: Live update done."
        assert [system.status()[n].updates for n in ("counter", "second")] == [1, 1]
        assert progress(system)["wrong"] == 0


def test_caller_is_updated_with_its_call_in_flight(counted):
    """The answer to the old version's call comes to the new one, and its alarm goes off there."""
    for round in range(1, 6):
        counted.update("asker", "/bin/asker")
        assert counted.status()["asker"].updates == round
        progress(counted)


def test_caller_and_callee_in_one_transaction(counted):
    for round in range(1, 6):
        counted.mupdate("counter", "/bin/counter.new" if round % 2 else "/bin/counter")
        counted.mupdate("asker", "/bin/asker")
        counted.mupdate_start()
        assert [counted.status()[n].updates for n in ("counter", "asker")] == [round, round]
        progress(counted)


def test_cancel_forgets_what_was_requested(counted):
    counted.mupdate("counter", "/bin/counter.new")
    counted.prctl("mupdate-cancel")
    assert counted.try_prctl("mupdate-start").returncode == 1
    assert counted.try_prctl("mupdate-cancel").returncode == 1


def test_filter_time_out_names_the_filter(counted):
    before = counted.status()["counter"]
    done = counted.try_prctl("update", "counter", "/bin/counter.new", "--state", NEVER_TRUE,
                             "-timeout", "300")
    assert done.returncode == 3
    assert f"did not reach state quiescence ('{NEVER_TRUE}') within 300 ms" in done.stdout
    unchanged(counted, before)


def test_mupdate_remembers_the_time_out(counted):
    counted.prctl("mupdate", "counter", "/bin/counter.new", "-state", NEVER_TRUE, "-timeout", "300")
    done = counted.try_prctl("mupdate-start")
    assert done.returncode == 3 and "within 300 ms" in done.stdout, done.stdout


def test_filter_that_is_too_long_is_refused(counted):
    before = counted.status()["counter"]
    long = "num_busy == 0" + " && num_busy == 0" * 300
    done = counted.try_prctl("update", "counter", "/bin/counter.new", "-state", long)
    assert done.returncode == 1
    assert done.stdout == ("UM: Live update of counter refused: its state filter is longer than "
                           "4095 bytes.\n")
    done = counted.try_prctl("update", "counter", "/bin/counter.new", "-state", "1" * 70000)
    assert done.returncode == 1
    assert done.stdout == ("UM: Live update of counter refused: the request is longer than "
                           "65536 bytes.\n")
    unchanged(counted, before)


def test_um_tells_of_a_lost_client(counted):
    prctl = counted.start_prctl("update", "counter", "/bin/counter.new", "-state", NEVER_TRUE)
    wait_for_line(prctl, "UM: Applying")
    before = counted.status()["counter"]
    prctl.kill()
    prctl.communicate()
    counted.wait(lambda: "the client that requested it was lost" in counted.log("um"),
                 "the loss in um's log")
    unchanged(counted, before)
    counted.update("counter", "/bin/counter.new")


@pytest.mark.parametrize("signum, transfer_ms", [(signal.SIGKILL, 60_000), (signal.SIGSTOP, 4000)])
def test_new_version_that_hangs_in_transfer_is_hit(counted, signum, transfer_ms):
    """By then the old version is frozen: it must come back."""
    before = set(counted.processes())
    status = counted.status()["counter"]
    prctl = counted.start_prctl("update", "counter", "/bin/counter.hang", "-timeout",
                                f"transfer={transfer_ms}")
    pid = counted.wait(lambda: newcomer(counted, before), "the new version")
    counted.wait(lambda: counted.status()["counter"].state == "frozen", "the old one frozen")
    os.kill(pid, signum)
    output, _ = prctl.communicate(timeout=PATIENCE)
    assert prctl.returncode == 3, output
    counted.wait(lambda: set(counted.processes()) == before, "the new version's end")
    unchanged(counted, status)


def test_old_version_is_killed_when_frozen():
    with System(counter_manifest()) as system:
        before = set(system.processes())
        prctl = system.start_prctl("update", "counter", "/bin/counter.hang")
        system.wait(lambda: newcomer(system, before), "the new version")
        system.wait(lambda: system.status()["counter"].state == "frozen", "the old one frozen")
        system.kill("counter")
        output, _ = prctl.communicate(timeout=PATIENCE)
        assert prctl.returncode == 4
        assert "the running version of counter was killed" in output
        assert output.endswith("The update is abandoned.\n")
        system.wait_for_restart("counter")
        progress(system)


def test_um_dies_during_an_update(counted):
    """The old versions go on, and its successor performs the next update."""
    processes = len(counted.processes())
    status = counted.status()["counter"]
    prctl = counted.start_prctl("update", "counter", "/bin/counter.new", "-state", NEVER_TRUE)
    counted.wait(lambda: counted.status()["counter"].state == "converging", "convergence")
    counted.kill("um")
    prctl.communicate(timeout=PATIENCE)
    assert prctl.returncode == 3
    counted.wait_for_restart("um")
    counted.wait(lambda: len(counted.processes()) == processes, "the new version's end")
    unchanged(counted, status)
    counted.update("counter", "/bin/counter.new")


def test_component_cannot_be_updated_while_dead():
    manifest = Manifest.empty()
    manifest.add("counter", restart="never")
    with System(manifest) as system:
        system.kill("counter")
        system.wait(lambda: system.status()["counter"].state == "dead", "its death")
        done = system.try_prctl("update", "counter", "/bin/counter.new")
        assert done.stdout == "UM: Live update of counter refused: it is not running.\n"
        assert done.returncode == 1


def test_wrong_command_lines(counted):
    for arguments in (["update"], ["update", "counter"], ["update", "counter", "-state", "x"],
                      ["mupdate", "counter"], ["mupdate", "--all", "self"],
                      ["mupdate-start", "counter"]):
        done: subprocess.CompletedProcess[str] = counted.try_prctl(*arguments)
        assert done.returncode == 2, arguments
        assert "usage: prctl " in done.stdout, done.stdout
