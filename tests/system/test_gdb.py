"""prctl gdb: while a debugger holds a component no deadline passes."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import pytest

from proteos import PATIENCE, Manifest, System, process
from updating import converging

DEADLINE_S = 3.0  # which the peer keeps on a machine that has other work, too
HOLD_S = DEADLINE_S + 1
NEVER_TRUE = "num_busy == 123456"


@pytest.fixture
def running() -> Iterator[System]:
    manifest = Manifest.empty().add("peer").add("counter", restart="always")
    manifest.add("prober", args=["deadlines"],
                 calls=[{"to": "peer", "deadline_ms": int(DEADLINE_S * 1000)}])
    with System(manifest) as system:
        system.wait(lambda: system.status()["peer"].messages > 2, "the prober's first questions")
        yield system


def tracer(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("TracerPid:"):
            return int(line.split()[1])
    return 0


def commands(tmp_path: Path) -> list[str]:
    """Has gdb wait, attached, until the file `go` is there."""
    return ["-batch", "-ex", f"shell while [ ! -e {tmp_path}/go ]; do sleep 0.02; done"]


@contextmanager
def held(system: System, component: str, tmp_path: Path, by_hand: bool = False) -> Iterator[None]:
    """The component is held by gdb while the body runs."""
    pid = system.status()[component].pid
    if by_hand:
        gdb = subprocess.Popen(["gdb", "-p", str(pid), *commands(tmp_path)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    else:
        gdb = system.start_prctl("gdb", component, *commands(tmp_path))
    try:
        system.wait(lambda: tracer(pid), "gdb")
        yield
    finally:
        (tmp_path / "go").touch()
        output, _ = gdb.communicate(timeout=PATIENCE)
    assert gdb.returncode == 0, output


def goes_on(system: System) -> None:
    messages = system.status()["peer"].messages
    system.wait(lambda: system.status()["peer"].messages > messages + 2, "the peer to go on")


def refusal(system: System, *arguments: str) -> str:
    done = system.try_prctl(*arguments)
    assert done.returncode == 1, done.stdout
    assert len(done.stdout.splitlines()) == 1, done.stdout
    return done.stdout.strip()


def test_gdb_sees_the_component(running):
    output = running.prctl("gdb", "counter", "-batch", "-ex", "print num_busy")
    assert "$1 = 0" in output
    assert running.status()["counter"].state == "running"


@pytest.mark.parametrize("by_hand", [False, True], ids=["prctl", "by hand"])
def test_deadlines_stand_still(running, tmp_path, by_hand):
    with held(running, "peer", tmp_path, by_hand):
        time.sleep(HOLD_S)
    goes_on(running)
    assert "echo" not in running.log("prober")
    running.suspend("peer")  # without a debugger they pass
    running.wait(lambda: "prober: echo: ETIMEDOUT" in running.log("prober"), "the deadline")
    running.resume("peer")


def test_deadlines_of_everybody_stand_still(running, tmp_path):
    """Not only those at the component that is held."""
    with held(running, "counter", tmp_path):
        running.suspend("peer")
        time.sleep(HOLD_S)
        assert "echo" not in running.log("prober")
    running.wait(lambda: "prober: echo: ETIMEDOUT" in running.log("prober"), "the deadline")
    running.resume("peer")


def test_restarts_wait(running, tmp_path):
    with held(running, "peer", tmp_path):
        running.kill("counter")
        running.wait(lambda: running.status()["counter"].state == "dead", "its death")
        time.sleep(HOLD_S)
        assert running.status()["counter"].state == "dead"
    running.wait_for_restart("counter")


def test_time_outs_of_updates_stand_still(running, tmp_path):
    with held(running, "peer", tmp_path):
        update = running.start_prctl("update", "counter", "/bin/counter.new", "-state", NEVER_TRUE,
                                     "-timeout", "200")
        running.wait(lambda: running.status()["counter"].state == "converging", "the convergence")
        time.sleep(HOLD_S)
        assert update.poll() is None
        assert running.status()["counter"].state == "converging"
    output, _ = update.communicate(timeout=PATIENCE)
    assert "did not reach state quiescence" in output
    running.update("counter", "/bin/counter.new")


@pytest.mark.parametrize("by_hand", [False, True], ids=["prctl", "by hand"])
def test_what_is_held_is_neither_updated_nor_stopped(running, tmp_path, by_hand):
    with held(running, "counter", tmp_path, by_hand):
        assert refusal(running, "update", "counter", "/bin/counter.new") == \
            "UM: Live update of counter refused: a debugger holds counter."
        assert refusal(running, "stop", "counter") == "counter is held by a debugger"
    running.update("counter", "/bin/counter.new")


def test_the_bus_is_updated_under_a_debugger(running, tmp_path):
    with held(running, "peer", tmp_path):
        running.prctl("update", "busd", "self")
        time.sleep(HOLD_S)
        assert refusal(running, "stop", "peer") == "peer is held by a debugger"
    goes_on(running)
    assert "echo" not in running.log("prober")


def test_the_instance_can_end(running, tmp_path):
    """Though who is held is not done with until gdb has taken note of its end."""
    loader = running.instance().loader_pid
    with held(running, "peer", tmp_path):
        running.prctl("shutdown")
        assert process.state(loader) in ("", "Z")


@pytest.mark.parametrize("component, says", [
    ("no-such", "there is no component 'no-such'"),
    ("um", "um is the update manager: it lets no debugger in"),
    ("busd", "busd is the instance itself: prctl boot and prctl shutdown"),
])
def test_refusals(running, component, says):
    assert refusal(running, "gdb", component) == f"prctl: {says}"


def test_component_that_is_stopped_or_updated(running):
    running.prctl("stop", "peer")
    assert refusal(running, "gdb", "peer") == "prctl: peer is not running"
    with converging(running, "counter", "/bin/counter.new", NEVER_TRUE):
        assert refusal(running, "gdb", "counter") == "prctl: counter is being updated"


def test_without_gdb(running, tmp_path):
    """The clocks go on when there is no gdb after all."""
    done = subprocess.run(running.prctl_command("gdb", "counter"), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True,
                          env={**running.environment(), "PATH": str(tmp_path)})
    assert done.returncode == 1
    assert done.stdout == "prctl: there is no gdb here; Debian's package is called gdb\n"
    running.suspend("peer")
    running.wait(lambda: "prober: echo: ETIMEDOUT" in running.log("prober"), "the deadline")
    running.resume("peer")


def test_usage(running):
    done = running.try_prctl("gdb")
    assert done.returncode == 2
    assert done.stdout == "usage: prctl gdb COMPONENT [GDB-ARGUMENT] ...\n"
