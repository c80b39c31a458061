"""Wrong use: one clear line, a non-zero exit status, and the running system untouched."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Iterator

import pytest

from proteos import PATIENCE, System
from proteos.build import COMPONENTS, PRCTL
from updating import converging

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
    assert subprocess.run(["curl", "-sf", "--max-time", str(PATIENCE), running.url("/bytes/10")],
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
    line = complaint(running, "update", "net", "/bin/net.new", "-state", NEVER_TRUE,
                     "-timeout", "1000")
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


@pytest.mark.parametrize("message, arguments", [
    ("mupdate takes no -maxtime", ["mupdate", "net", "/bin/net.new", "-maxtime", "5"]),
    ("mupdate takes no --probation", ["mupdate", "net", "/bin/net.new", "--probation=5"]),
    ("mupdate takes no --dry-run", ["mupdate", "net", "/bin/net.new", "--dry-run"]),
    ("mupdate takes no --json", ["mupdate", "net", "/bin/net.new", "--json"]),
    ("mupdate takes no --all", ["mupdate", "--all", "/bin"]),
    ("mupdate-start takes no -state", ["mupdate-start", "-state", "1"]),
    ("mupdate-start takes no -validate", ["mupdate-start", "-validate"]),
    ("mupdate-start takes no -check", ["mupdate-start", "-check", "1"]),
    ("mupdate-cancel takes no -timeout", ["mupdate-cancel", "-timeout", "5"]),
    ("mupdate-cancel takes no -v", ["mupdate-cancel", "-v"]),
    ("update --all takes no -state", ["update", "-state", "1", "--all", "/bin"]),
    ("update --all takes no -allow", ["update", "--all", "/bin", "-allow=1"]),
    ("update --all takes no component: 'net'", ["update", "net", "--all", "/bin"]),
    ("update has no option '--all-of-it'", ["update", "--all-of-it"]),
    ("a value is too much in '--dry-run=1'", ["update", "net", "/bin/net.new", "--dry-run=1"]),
    ("a value is missing after '-state'", ["update", "net", "/bin/net.new", "-state"]),
    ("'now' is one word too many", ["mupdate-start", "now"]),
])
def test_wrong_line_of_an_update(running, message, arguments):
    done = running.try_prctl(*arguments)
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[0]) == (2, f"prctl: {message}"), done.stdout
    assert lines[1].startswith(f"usage: prctl {arguments[0]}")
    assert running.try_prctl("mupdate-start").stdout.startswith(
        "UM: Live update refused: nothing is requested.")


@pytest.mark.parametrize("message, arguments", [
    ("'-5' is no number of milliseconds", ["-maxtime=-5"]),
    ("'5s' is no number of milliseconds", ["-timeout", "load=5s"]),
    ("there is no phase 'loading' with a time-out: load, converge, transfer",
     ["-timeout=loading=5"]),
    ("a time-out of 0 ms would leave no time; give 1 or more", ["--probation=0"])])
def test_wrong_value_of_an_option(running, message, arguments):
    done = running.try_prctl("update", "net", "/bin/net.new", *arguments)
    assert (done.returncode, done.stdout) == (2, f"prctl: {message}\n")


@pytest.mark.parametrize("arguments", [
    ["start", "-net"], ["stop", "--all"], ["kill", "-9", "net"], ["kill", "--net"]])
def test_option_in_the_place_of_a_component(running, arguments):
    done = running.try_prctl(*arguments)
    assert done.returncode == 2
    assert done.stdout.startswith(f"usage: prctl {arguments[0]} COMPONENT")


def test_unknown_signal(running):
    done = running.try_prctl("kill", "net", "NO-SUCH")
    assert done.returncode == 2
    assert done.stdout.splitlines()[0] == "prctl: there is no signal 'NO-SUCH'"


def test_wrong_line_is_told_without_an_instance(running):
    def status(*arguments: str) -> int:
        return subprocess.run([PRCTL, "--instance", "no-such", *arguments], stderr=subprocess.PIPE,
                              env=running.environment()).returncode
    assert status("mupdate-start", "-state", "1") == 2
    assert status("mupdate-start") == 1


def test_start_with_nothing_requested(running):
    complaint(running, "mupdate-start")


def test_two_updates_at_once(running):
    with converging(running, "net", "/bin/net.new", NEVER_TRUE):
        complaint(running, "update", "httpd", "/bin/httpd")


def test_update_manager_that_does_not_answer(running):
    """It is told that prctl has gone: once it goes on it does not do what nobody waits for."""
    running.suspend("um")
    try:
        assert complaint(running, "update", "net", "/bin/net.new") == \
            "prctl: the update manager does not answer, and will not do this any more; see " \
            "prctl log um"
    finally:
        running.resume("um")
    running.wait(lambda: "the client that requested it was lost" in running.log("um"),
                 "um to give it up")
