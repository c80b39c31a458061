"""prctl top: what each component does, live."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
from typing import Callable

import pytest

from proteos import PATIENCE, Manifest, System


@pytest.fixture(scope="module")
def running():
    manifest = Manifest.empty().add("counter").add("idle", "peer")
    manifest.add("asker", calls=[{"to": "counter"}])
    manifest.add("prober", args=["stopped"], calls=[{"to": "peer"}, {"to": "mortal"}])
    manifest.add("peer").add("mortal", "peer")
    with System(manifest) as system:
        system.wait(lambda: "prober: waits" in system.log("prober"), "a call in flight")
        yield system


def test_figures(running):
    lines = running.prctl("top", "-d", "0.3", "-n", "2", "--json").splitlines()
    assert len(lines) == 2
    for line in lines:
        told = json.loads(line)
        components = {c["name"]: c for c in told["components"]}
        assert told["instance"] == running.name
        assert set(components) == set(running.status())
        assert components["idle"]["messages_per_s"] == 0
        assert components["idle"]["cpu_percent"] == 0
        assert components["prober"]["calls_in_flight"] == 1
        assert components["counter"]["state"] == "running"
        assert all(c["memory_bytes"] > 0 for c in components.values())
        busy = [c["cpu_percent"] for c in told["components"]]
        assert busy == sorted(busy, reverse=True)
        assert sum(busy) <= 110 * (os.cpu_count() or 1)


def figures(system: System) -> dict[str, dict]:
    """Of a tenth of a second, by component."""
    line = system.prctl("top", "-d", "0.1", "-n", "1", "--json")
    return {c["name"]: c for c in json.loads(line)["components"]}


def test_who_works_is_seen_to_work(running):
    """In one of the next looks: where there is other work it need not be in the first."""
    running.wait(lambda: figures(running)["asker"]["cpu_percent"] > 0, "the asker to be seen")
    running.wait(lambda: figures(running)["counter"]["messages_per_s"] > 0, "its requests")


def test_queue_of_a_component_that_hangs(running):
    """Requests wait for a process that is stopped."""
    running.suspend("counter")
    try:
        running.wait(lambda: running.status()["counter"].queued
                     or running.status()["asker"].calls_in_flight, "the asker's request")
        components = figures(running)
        assert components["asker"]["calls_in_flight"] == 1
        assert components["counter"]["cpu_percent"] == 0
    finally:
        running.resume("counter")


def test_plain_output(running):
    """Into a file: tables, one after the other, without any control sequence."""
    output = running.prctl("top", "-d", "0.1", "-n", "2")
    assert "\033" not in output
    tables = output.split("\n\n")
    assert len(tables) == 2
    for table in tables:
        lines = table.splitlines()
        assert lines[0] == f"instance {running.name}: running, 7 components"
        assert lines[1].split()[0] == "COMPONENT"
        assert {line.split()[0] for line in lines[2:]} == set(running.status())


def on_a_terminal(system: System, end: Callable[[subprocess.Popen], None], status: int) -> str:
    """What a prctl top writes to a terminal of its own, until `end` has ended it."""
    main, side = pty.openpty()
    top = subprocess.Popen(system.prctl_command("top", "-d", "0.1"), env=system.environment(),
                           stdin=side, stdout=side, stderr=side)
    os.close(side)
    seen = ""
    while seen.count("COMPONENT") < 3:
        seen += os.read(main, 4096).decode()
    end(top)
    try:
        while chunk := os.read(main, 4096):
            seen += chunk.decode()
    except OSError:
        pass  # a terminal that nobody has open any more
    os.close(main)
    assert top.wait(timeout=PATIENCE) == status
    return seen


def test_screen_is_left_as_it_was(running):
    """On a terminal it takes another screen, and gives it back when it is interrupted."""
    seen = on_a_terminal(running, lambda top: top.send_signal(signal.SIGINT), 0)
    assert seen.startswith("\033[?1049h\033[?25l")
    assert seen.endswith("\033[?25h\033[?1049l")
    assert not re.search(r"[^\r]\n", seen.replace("\r\n", ""))


def test_end_of_the_instance():
    with System(Manifest.empty()) as system:
        top = system.start_prctl("top", "-d", "0.1")
        assert top.stdout.readline().startswith("instance ")
        system.prctl("shutdown")
        rest, _ = top.communicate(timeout=PATIENCE)
        assert top.returncode == 1
        assert rest.splitlines()[-1] == \
            "prctl: the instance closed the connection before it answered"


def test_end_of_the_instance_is_told_on_the_screen_of_before():
    with System(Manifest.empty()) as system:
        seen = on_a_terminal(system, lambda top: system.prctl("shutdown"), 1)
    assert seen.endswith("\033[?25h\033[?1049lprctl: the instance closed the connection before it "
                         "answered\r\n")


@pytest.mark.parametrize("arguments", [["-d", "0"], ["-d", "x"], ["-n", "0"], ["-n", "-1"], ["x"]])
def test_usage(running, arguments):
    done = running.try_prctl("top", *arguments)
    assert done.returncode == 2
    assert done.stdout == "usage: prctl top [-d SECONDS] [-n COUNT] [--json]\n"
