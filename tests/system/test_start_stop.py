"""prctl start and stop: a component ends in order and stays down until it is started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time

import pytest

import clocks
from proteos import PATIENCE, Manifest, System
from proteos.build import COMPONENTS
from updating import converging

NEVER_TRUE = "num_busy == 123456"


def counter_and_asker() -> Manifest:
    manifest = Manifest.empty(timeouts_ms={"stop": 60_000}).add("counter", restart="always")
    return manifest.add("asker", calls=[{"to": "counter"}], restart="always")


@pytest.fixture(scope="module")
def running():
    with System(counter_and_asker()) as system:
        yield system


def refusal(system: System, *arguments: str) -> str:
    done = system.try_prctl(*arguments)
    assert done.returncode == 1, done.stdout
    assert len(done.stdout.splitlines()) == 1, done.stdout
    return done.stdout.strip()


def test_stop_runs_the_shutdown_handler_and_start_starts_afresh():
    with System(counter_and_asker()) as system:
        before = system.status()["asker"]
        reports = system.log("asker").count("asker: rounds")
        assert system.prctl("stop", "asker") == "asker is stopped\n"
        assert system.log("asker").count("asker: rounds") > reports
        stopped = system.status()["asker"]
        assert (stopped.state, stopped.pid) == ("stopped", 0)
        assert "asker" in system.prctl("status") and "stopped" in system.prctl("status")
        assert "exited with status 0" in system.log("instance")
        assert system.prctl("start", "asker") == "asker is running\n"
        after = system.status()["asker"]
        assert (after.state, after.restarts, after.endpoint) == \
            ("running", before.restarts + 1, before.endpoint)
        assert after.pid != before.pid


def test_callers_and_peers_of_a_stopped_component():
    """The prober learns of the death of `mortal` in the end, here of one that was stopped."""
    manifest = Manifest.empty().add("peer", restart="always")
    manifest.add("mortal", file="peer", restart="always")
    manifest.add("prober", args=["stopped"], calls=[{"to": "peer"}, {"to": "mortal"}])
    with System(manifest) as system:
        system.wait(lambda: "prober: waits" in system.log("prober"), "the prober")
        system.prctl("stop", "mortal")
        system.wait(lambda: "prober: done" in system.log("prober"), "the prober's end")
        log = system.log("prober")
        for line in ("call pending at the stopped: EDEADSRCDST", "told of the stop: OK",
                     "sendrec to the stopped: EDEADSRCDST"):
            assert f"prober: {line}" in log, log
        assert "told of the start" not in log
        system.prctl("start", "mortal")
        system.wait(lambda: "sendrec to the started: OK" in system.log("prober"), "the news")
        assert "prober: told of the start: OK" in system.log("prober")


def test_component_that_does_not_end_is_killed():
    manifest = Manifest.empty().add("peer", restart="always")
    manifest.add("prober", args=["hang"], calls=[{"to": "peer", "deadline_ms": 200}])
    with System(manifest) as system:
        system.wait(lambda: "sendrec to one that hangs: ETIMEDOUT" in system.log("prober"),
                    "the peer to hang")
        assert system.prctl("stop", "peer") == "peer is stopped\n"
        assert "is killed: it does not stop by itself" in system.log("instance")
        assert system.status()["peer"].state == "stopped"


def test_manifest_says_how_long_an_end_may_take():
    manifest = counter_and_asker()
    manifest.data["timeouts_ms"]["stop"] = 3_600_000
    with System(manifest) as system:
        pid = system.status()["counter"].pid
        os.kill(pid, signal.SIGSTOP)
        stopping = system.start_prctl("stop", "counter")
        system.wait(lambda: system.status()["counter"].state == "stopping", "it to be told to end")
        time.sleep(2.5)  # longer than it may take without that
        assert system.status()["counter"].state == "stopping"
        os.kill(pid, signal.SIGCONT)
        assert stopping.communicate(timeout=PATIENCE)[0] == "counter is stopped\n"
        assert "is killed" not in system.log("instance")


def test_stop_of_a_dead_component_ends_its_restarts():
    with System(counter_and_asker()) as system:
        with clocks.stopped(system, "asker"):  # it is not restarted meanwhile
            system.kill("counter")
            system.wait(lambda: system.status()["counter"].state == "dead", "its death")
            assert system.prctl("stop", "counter") == "counter is stopped\n"
        assert (system.status()["counter"].state, system.status()["counter"].restarts) == \
            ("stopped", 0)
        assert system.prctl("start", "counter") == "counter is running\n"


def test_start_of_one_that_fails(tmp_path):
    executable = tmp_path / "counter"
    shutil.copy(COMPONENTS / "counter", executable)
    with System(Manifest.empty().add("counter", file=str(executable))) as system:
        system.prctl("stop", "counter")
        executable.unlink()
        assert refusal(system, "start", "counter") == \
            f"counter did not start: {executable}: No such file or directory"
        assert system.status()["counter"].state == "dead"


def test_dead_update_manager_can_be_started():
    manifest = counter_and_asker()
    manifest.component("um")["restart"] = "never"
    with System(manifest) as system:
        system.kill("um")
        system.wait(lambda: system.status()["um"].state == "dead", "um's death")
        assert system.prctl("start", "um") == "um is running\n"
        system.update("counter", "/bin/counter.new")


@pytest.mark.parametrize("command, component, says", [
    ("start", "no-such", "there is no component 'no-such'"),
    ("stop", "no-such", "there is no component 'no-such'"),
    ("start", "counter", "counter is running already"),
    ("start", "busd", "busd is the instance itself: prctl boot and prctl shutdown"),
    ("stop", "busd", "busd is the instance itself: prctl boot and prctl shutdown"),
    ("stop", "um", "um is the update manager, without which nothing can be updated: it is not "
                   "stopped"),
])
def test_refusals(running, command, component, says):
    assert refusal(running, command, component) == says


def test_stopped_already(running):
    running.prctl("stop", "asker")
    assert refusal(running, "stop", "asker") == "asker is stopped already"
    assert "it is not running" in refusal(running, "update", "asker", "/bin/asker")
    running.prctl("start", "asker")


def test_stop_while_it_is_updated(running):
    with converging(running, "counter", "/bin/counter.new", NEVER_TRUE):
        assert refusal(running, "stop", "counter") == "counter is being updated"


@pytest.mark.parametrize("command", ["start", "stop"])
def test_usage(running, command):
    done = running.try_prctl(command)
    assert done.returncode == 2
    assert done.stdout == f"usage: prctl {command} COMPONENT\n"


def test_while_the_instance_ends():
    """The loader, which is stopped, does not tell of any end: the instance is ending so long."""
    with System(counter_and_asker()) as system:
        loader = system.instance().loader_pid
        os.kill(loader, signal.SIGSTOP)
        try:
            shutdown = system.start_prctl("shutdown")
            system.wait(lambda: system.instance().state == "stopping", "the end")
            assert refusal(system, "start", "counter") == "the instance is booting or ending"
            assert refusal(system, "stop", "counter") == "the instance is booting or ending"
        finally:
            os.kill(loader, signal.SIGCONT)
        shutdown.communicate(timeout=PATIENCE)


def test_too_many_connections(running):
    """Those that have no place are told so."""
    held = []
    try:
        for _ in range(32):
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            sock.connect(str(running.socket))
            held.append(sock)
        for command in (["status"], ["stop", "asker"], ["update", "counter", "/bin/counter.new"]):
            assert "too many programs are connected to the instance" in \
                refusal(running, *command)
    finally:
        for sock in held:
            sock.close()
    running.wait(lambda: running.try_prctl("status").returncode == 0, "a free place")
