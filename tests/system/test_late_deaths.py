"""Processes that die at moments that only an ordered fault makes long enough to meet: it stops
somebody there until the other one is dead."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest

from counting import counter_manifest, progress
from proteos import PATIENCE, System, process

TRANSFER_MS = 3000  # what the loader has for a decision, too
ABANDONED = "the update manager has died: the update is abandoned, the old versions go on\n"
DONE = "the update manager has died, but the update is done: the new versions go on\n"


def update_without_um(system: System, point: str, seconds: float = 0) -> tuple[int, str]:
    """Kills um, which is started again, while the loader is stopped at a point.

    @param seconds  for which it stays stopped after um's end
    @return prctl's exit status and what it prints"""
    loader, um = system.instance().loader_pid, system.status()["um"].pid
    system.prctl("fault", "loader", point, "stop")
    prctl = system.start_prctl("update", "counter", "/bin/counter.new", "-timeout",
                               f"transfer={TRANSFER_MS}")
    system.wait(lambda: process.state(loader) == "T", "the loader's turn")
    os.kill(um, signal.SIGKILL)
    system.wait(lambda: process.state(um) in ("Z", ""), "um's end")
    time.sleep(seconds)
    os.kill(loader, signal.SIGCONT)
    output, _ = prctl.communicate(timeout=PATIENCE)
    system.wait_for_restart("um")
    return prctl.returncode, output


def test_refused_for_an_um_that_has_died_thaws_all(faulty):
    """The loader comes too late for a decision, and um is started again meanwhile."""
    before = faulty.status()["counter"]
    status, output = update_without_um(faulty, "loader.decide", TRANSFER_MS / 1000 + 0.2)
    assert status == 3 and output.endswith(ABANDONED)
    faulty.wait(lambda: faulty.status()["counter"].state == "running", "the thaw")
    assert faulty.status()["counter"].pid == before.pid
    faulty.update("counter", "/bin/counter.new")


def test_committed_for_an_um_that_has_died_is_said_so(faulty):
    status, output = update_without_um(faulty, "loader.decided")
    assert status == 0 and output.endswith(DONE)
    assert faulty.status()["counter"].updates == 1
    faulty.update("counter", "/bin/counter")


def test_um_that_dies_after_the_commit(faulty):
    faulty.prctl("fault", "um", "um.committed", "kill")
    done = faulty.try_prctl("update", "counter", "/bin/counter.new")
    assert done.returncode == 0 and done.stdout.endswith(DONE)
    assert faulty.status()["counter"].updates == 1
    faulty.prctl("fault", "um", "um.check", "kill")
    done = faulty.try_prctl("update", "counter", "/bin/counter")
    assert done.returncode == 3 and done.stdout.endswith(ABANDONED)


def test_um_that_dies_at_a_request_to_remember(faulty):
    """There is no update yet that could be rolled back."""
    faulty.prctl("fault", "um", "um.check", "kill")
    done = faulty.try_prctl("mupdate", "counter", "/bin/counter.new")
    assert done.returncode == 1 and done.stdout.endswith(ABANDONED)


@pytest.mark.parametrize("point, status, outcome, reason", [
    ("um.committed", 0, "done", DONE), ("um.check", 3, "rolled-back", ABANDONED)])
def test_um_that_dies_is_told_to_programs(faulty, point, status, outcome, reason):
    faulty.prctl("fault", "um", point, "kill")
    done = subprocess.run(
        faulty.prctl_command("update", "counter", "/bin/counter.new", "--json"), text=True,
        env=faulty.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    record = json.loads(done.stdout)
    assert (done.returncode, record["outcome"], record["number"]) == (status, outcome, 0)
    assert record["reason"] + "\n" == reason and done.stderr == f"prctl: {reason}"


def test_component_dies_while_its_new_version_is_started(faulty):
    """busd hears of it before it hears of the new process, for which um waits."""
    faulty.prctl("fault", "busd", "busd.channel", "stop")
    pid, busd = faulty.status()["counter"].pid, faulty.instance().busd_pid
    prctl = faulty.start_prctl("update", "counter", "/bin/counter.new")
    faulty.wait(lambda: process.state(busd) == "T", "um's order")
    os.kill(pid, signal.SIGKILL)
    # Once the loader has collected it, it tells busd before it does anything else.
    faulty.wait(lambda: process.state(pid) == "", "the counter's end")
    os.kill(busd, signal.SIGCONT)
    output, _ = prctl.communicate(timeout=PATIENCE)
    assert prctl.returncode != 0
    assert "counter.new could not be started" in output, output
    faulty.wait_for_restart("counter")
    faulty.update("counter", "/bin/counter.new")


def test_answers_wait_for_an_old_version_whose_export_fails():
    """It waits for the end of the update, which um takes its time to call off, and for nothing else."""
    with System(counter_manifest(), faults=True) as system:
        progress(system)
        system.prctl("fault", "asker", "export.header", "error")
        system.prctl("fault", "um", "um.undo", "delay", "-value", "300")
        done = system.try_prctl("update", "asker", "self")
        assert done.returncode == 3 and "Rolled back" in done.stdout, done.stdout
        assert progress(system)["wrong"] == 0


def test_answers_wait_for_an_old_version_that_freezes_when_the_new_one_is_gone():
    with System(counter_manifest(), faults=True) as system:
        progress(system)
        system.prctl("fault", "asker.next", "import.header", "kill")
        system.prctl("fault", "asker", "sys.exported", "delay", "-value", "300")
        system.prctl("fault", "um", "um.undo", "delay", "-value", "900")
        done = system.try_prctl("update", "asker", "self")
        assert done.returncode == 3 and "Rolled back" in done.stdout, done.stdout
        assert progress(system)["wrong"] == 0
        assert system.status()["asker"].restarts == 0
