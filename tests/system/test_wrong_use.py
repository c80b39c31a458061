"""Wrong use: one clear line, a non-zero exit status, and the running system untouched."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from typing import Iterator

import pytest

from proteos import System
from proteos.build import COMPONENTS

NEVER_TRUE = "num_pending_writes == 123456"


@pytest.fixture(scope="module")
def running() -> Iterator[System]:
    """One system for all: none of this may change it."""
    with System() as system:
        yield system


@pytest.fixture(autouse=True)
def untouched(running: System) -> Iterator[None]:
    before = {name: (c.pid, c.updates, c.restarts) for name, c in running.status().items()}
    processes = set(running.processes())
    yield
    running.wait(lambda: set(running.processes()) == processes, "exactly the processes of before")
    status = running.status()
    assert {name: (c.pid, c.updates, c.restarts) for name, c in status.items()} == before
    assert all(c.state == "running" for c in status.values())
    assert subprocess.run(["curl", "-sf", "--max-time", "10", running.url("/bytes/10")],
                          stdout=subprocess.DEVNULL).returncode == 0


def complaint(system: System, *arguments: str) -> str:
    """The one line with which prctl refuses; UM's progress may stand before it."""
    done = system.try_prctl(*arguments)
    assert done.returncode != 0, done.stdout
    lines = [line for line in done.stdout.splitlines()
             if not line.startswith(("UM: Live update requested", "UM: Loading", "UM: Applying"))]
    assert len(lines) == 1, done.stdout
    return lines[0]


def test_unknown_command(running):
    assert running.try_prctl("no-such-command").returncode != 0


def test_unknown_component(running):
    assert "no-such" in complaint(running, "update", "no-such", "/bin/net.new")


def test_unknown_component_in_a_multi_update(running):
    assert "no-such" in complaint(running, "mupdate", "no-such", "/bin/net.new")


def test_missing_file(running):
    assert "/bin/no-such" in complaint(running, "update", "net", "/bin/no-such")


def test_filter_with_an_unknown_variable(running):
    line = complaint(running, "update", "net", "/bin/net.new", "-state", "no_such_variable == 0")
    assert "no_such_variable" in line


def test_filter_with_a_type_error(running):
    line = complaint(running, "update", "net", "/bin/net.new", "-state",
                     "num_pending_writes.member == 0")
    assert "num_pending_writes" in line


def test_filter_with_a_syntax_error(running):
    complaint(running, "update", "net", "/bin/net.new", "-state", "num_pending_writes == ")


def test_filter_with_bytes_that_are_no_text(running):
    line = complaint(running, "update", "net", "/bin/net.new", "-state", os.fsdecode(b"\xff == 0"))
    assert "filter '? == 0'" in line


def test_filter_with_a_misspelt_variable(running):
    line = complaint(running, "update", "net", "/bin/net.new", "-state", "num_pending_write == 0")
    assert line.endswith("did you mean 'num_pending_writes'?")


def test_filter_that_never_becomes_true(running):
    line = complaint(running, "update", "net", "/bin/net.new", "-state", NEVER_TRUE)
    assert "net" in line


def test_version_of_another_component(running):
    assert "net" in complaint(running, "update", "net", "/bin/httpd")


def test_no_instrumented_executable(running):
    assert "/usr/bin/true" in complaint(running, "update", "net", "/usr/bin/true")


def test_no_executable_at_all(running, tmp_path):
    text = tmp_path / "net.new"
    text.write_text("no program\n")
    text.chmod(0o755)
    assert "net.new" in complaint(running, "update", "net", str(text))


@pytest.mark.parametrize("tool", [
    ["strip"], ["objcopy", "--strip-all", "--remove-section=.st_meta"]], ids=["symbols", "all"])
def test_stripped_version(running, tmp_path, tool):
    stripped = tmp_path / "net.new"
    shutil.copy(COMPONENTS / "net.new", stripped)
    subprocess.run([*tool, stripped], check=True)
    line = complaint(running, "update", "net", str(stripped))
    assert str(stripped) in line and "strip" in line


def test_start_with_nothing_requested(running):
    complaint(running, "mupdate-start")


def test_two_updates_at_once(running):
    first = running.start_prctl("update", "net", "/bin/net.new", "-state", NEVER_TRUE)
    assert first.stdout
    assert first.stdout.readline().startswith("UM: Live update requested")
    complaint(running, "update", "httpd", "/bin/httpd")
    first.communicate(timeout=20)
    assert first.returncode != 0


def test_update_manager_that_does_not_answer(running):
    """It is told that prctl has gone: once it goes on it does not do what nobody waits for."""
    running.kill("um", signal.SIGSTOP)
    try:
        assert complaint(running, "update", "net", "/bin/net.new") == \
            "prctl: the update manager does not answer, and will not do this any more; see " \
            "prctl log um"
    finally:
        running.kill("um", signal.SIGCONT)
    running.wait(lambda: "the client that requested it was lost" in running.log("um"),
                 "um to give it up")
