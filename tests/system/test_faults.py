"""Processes that die or stop in the middle of an update."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time

import pytest

from proteos import PATIENCE, System, process

NEVER_TRUE = "num_pending_writes == 123456"
# A version that was stopped need not be waited for as long as one that loads on a busy machine.
LIMITS = ["-timeout", "load=4000", "-timeout", "transfer=4000"]
MOMENTS_MS = [0, 1, 2, 4, 6, 9, 13, 18, 25, 40]


def live(system: System) -> dict[str, int]:
    return {name: c.pid for name, c in system.status().items()}


def start_update(system: System, *state: str) -> tuple[subprocess.Popen[str], int]:
    """Starts an update of net; returns prctl and the pid of the new version once it exists."""
    before = set(system.processes())
    prctl = system.start_prctl("update", "net", "/bin/net.new", *LIMITS, *state)

    def newcomer() -> int:
        # A process in the middle of the loader's fork is the loader's image still.
        return next((pid for pid, command in system.processes().items()
                     if pid not in before and "loader" not in command), 0)

    try:
        return prctl, system.wait(newcomer, "the new version's process")
    except BaseException:
        prctl.kill()
        prctl.communicate()
        raise


def serves(system: System) -> bool:
    """A connection that was lost with the stack is given up soon: the next try makes another."""
    return subprocess.run(["curl", "-sf", "--max-time", "10", system.url("/bytes/1000")],
                          stdout=subprocess.DEVNULL).returncode == 0


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGSTOP])
def test_new_version_dies_or_stops_while_converging(system, load, signum):
    before = live(system)
    prctl, pid = start_update(system, "-state", NEVER_TRUE, "-timeout", "3000")
    os.kill(pid, signum)
    output, _ = prctl.communicate(timeout=PATIENCE)
    assert prctl.returncode != 0, output
    assert live(system) == before
    system.wait(lambda: pid not in system.processes(), "the new version to be gone")
    load.mark()
    load.wait_until_busy()
    system.update("net", "/bin/net.new")


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGSTOP])
def test_new_version_dies_or_stops_at_any_moment(system, signum):
    """Either the update was abandoned and nobody noticed, or it had committed before the signal.
    That it is abandoned when the signal comes early is what the tests around this one are for."""
    for moment_ms in MOMENTS_MS:
        before = system.status()["net"]
        prctl, pid = start_update(system)
        time.sleep(random.uniform(0, moment_ms) / 1000)  # the moment is what is varied
        committed = system.status()["net"].pid == pid
        if not committed:
            os.kill(pid, signum)
        output, _ = prctl.communicate(timeout=PATIENCE)
        after = system.status()["net"]
        if prctl.returncode != 0:
            assert (after.pid, after.updates, after.restarts) == \
                (before.pid, before.updates, before.restarts), output
        elif not committed:
            # The signal came between our look and the commit: it hit a live version.
            if signum == signal.SIGSTOP:
                os.kill(pid, signal.SIGCONT)
            else:
                system.wait_for_restart("net", before.restarts + 1)
        system.wait(lambda: serves(system), "an answer")
        if after.path.endswith(".new"):
            system.update("net", "/bin/net")


def test_old_version_dies_during_an_update(system):
    before = system.status()
    prctl, _ = start_update(system, "-state", NEVER_TRUE)
    system.kill("net")
    output, _ = prctl.communicate(timeout=PATIENCE)
    assert prctl.returncode != 0
    assert "net" in output
    system.wait_for_restart("net")
    after = system.status()
    assert after["net"].updates == 0
    assert {n: c.pid for n, c in after.items() if n != "net"} == \
        {n: c.pid for n, c in before.items() if n != "net"}
    system.wait(lambda: serves(system), "an answer")
    system.update("net", "/bin/net.new")


def test_prctl_dies_during_an_update(system, load):
    before = live(system)
    processes = set(system.processes())
    prctl, _ = start_update(system, "-state", NEVER_TRUE)
    prctl.kill()
    prctl.communicate()
    system.wait(lambda: set(system.processes()) == processes, "the new version to be gone")
    assert live(system) == before
    system.update("net", "/bin/net.new")
    assert system.status()["net"].updates == 1


def test_crash_during_transfer_is_rolled_back(system, load):
    before = live(system)
    done = system.try_prctl("update", "net", "/bin/net.crash")
    assert done.returncode != 0
    assert "roll" in done.stdout.lower(), done.stdout
    assert live(system) == before
    system.update("net", "/bin/net.new")


def test_killed_component_is_restarted(system):
    for name in ("httpd", "net", "e1000"):
        system.kill(name)
        system.wait_for_restart(name)
        system.wait(lambda: serves(system), f"an answer after {name}'s restart")


def test_a_crash_is_in_the_log(system):
    system.kill("httpd", signal.SIGSEGV)
    system.wait_for_restart("httpd")
    build_id = system.status()["httpd"].build_id
    system.wait(lambda: build_id[:8] in system.log("httpd"), "the crash in httpd's log")


def test_death_of_busd_ends_the_instance():
    with System() as system:
        pids = list(system.processes())
        os.kill(system.instance().busd_pid, signal.SIGKILL)
        system.wait(lambda: not any(map(process.command, pids)), "the end of every process")


def test_death_of_the_loader_ends_the_instance():
    with System() as system:
        pids = list(system.processes())
        os.kill(system.instance().loader_pid, signal.SIGKILL)
        system.wait(lambda: not any(map(process.command, pids)), "the end of every process")
