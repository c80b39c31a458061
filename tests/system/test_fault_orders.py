"""prctl fault: orders at fault points, and what is said of wrong ones."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from pathlib import Path

import pytest

from proteos import PATIENCE, Manifest, System, process
from proteos.build import COMPONENTS


def update(system: System, *options: str) -> tuple[int, str]:
    done = system.try_prctl("update", "counter", "/bin/counter.new", *options)
    return done.returncode, done.stdout


def listed(system: System) -> list[list[str]]:
    lines = system.prctl("fault", "--list").splitlines()
    return [line.split() for line in lines]


def test_an_ordinary_instance_has_no_page():
    with System(Manifest.empty()) as system:
        done = system.try_prctl("fault", "um", "um.load", "kill")
        assert done.returncode == 1
        assert done.stdout == "this instance has no fault points: boot it with --faults\n"
        done = system.try_prctl("fault", "--list")
        assert (done.returncode, done.stdout) == \
            (1, "prctl: this instance has no fault points: boot it with --faults\n")
        for pid in system.processes():
            with contextlib.suppress(PermissionError):  # who hides from an ordinary user
                assert "memfd:faults" not in Path(f"/proc/{pid}/maps").read_text()


@pytest.mark.parametrize("action, says", [
    ("crash", "crashed"), ("kill", "was killed"), ("error", "too little memory"),
    ("stop", "did not answer within 2000 ms"), ("hang", "did not answer within 2000 ms"),
])
def test_each_action_does_what_it_says(faulty, action, says):
    """At a point that comes after convergence: who dies before it dies at no certain phase."""
    before = faulty.status()["counter"]
    faulty.prctl("fault", "counter.next", "import.run", action)
    ends = [] if "answer" not in says else ["-timeout", "transfer=2000"]
    status, output = update(faulty, *ends)
    assert status != 0 and says in output, output
    assert faulty.status()["counter"].pid == before.pid
    assert any("it has happened" in " ".join(line) for line in listed(faulty))
    assert update(faulty)[0] == 0, "a fault happens once"


def test_delay_waits_and_goes_on(faulty):
    faulty.prctl("fault", "counter.next", "import.header", "delay", "-value", "10000")
    status, output = update(faulty, "-timeout", "transfer=2000")
    assert status != 0 and "did not answer within" in output
    faulty.prctl("fault", "counter.next", "import.header", "delay", "-value", "20")
    assert update(faulty)[0] == 0


def test_a_stopped_party_can_be_continued(faulty):
    faulty.prctl("fault", "um", "um.load", "stop")
    um = faulty.status()["um"].pid
    prctl = faulty.start_prctl("update", "counter", "/bin/counter.new")
    faulty.wait(lambda: process.state(um) == "T", "um to stop")
    os.kill(um, signal.SIGCONT)
    output, _ = prctl.communicate(timeout=PATIENCE)
    assert prctl.returncode == 0, output


def test_the_old_version_is_stopped_and_the_new_one_runs(faulty):
    """An old version that is frozen, and stopped then, is not who goes on."""
    old = faulty.status()["counter"].pid
    faulty.prctl("fault", "counter.next", "import.run", "stop")
    prctl = faulty.start_prctl("update", "counter", "/bin/counter.new", "-timeout", "transfer=60000")
    faulty.wait(lambda: faulty.status()["counter"].state == "frozen", "the freeze")
    new = faulty.wait(lambda: next((pid for pid, command in faulty.processes().items()
                                    if command.startswith("counter") and pid != old
                                    and process.state(pid) == "T"), None), "its new version to stop")
    faulty.prctl("kill", "counter", "STOP")
    os.kill(new, signal.SIGCONT)
    output, _ = prctl.communicate(timeout=PATIENCE)
    assert prctl.returncode == 0, output
    assert faulty.status()["counter"].pid == new
    faulty.prctl("kill", "counter", "STOP")
    faulty.wait(lambda: process.state(new) == "T", "the new version to be stopped")
    faulty.prctl("kill", "counter", "CONT")
    faulty.wait(lambda: process.state(new) != "T", "it to go on")
    assert update(faulty)[0] == 0


def test_the_errno_may_be_chosen(faulty):
    for value in ("EIO", str(errno.EIO)):
        faulty.prctl("fault", "counter.next", "import.header", "error", "-value", value)
        assert os.strerror(errno.EIO) in update(faulty)[1]


def test_nth_counts_from_the_order_on(faulty):
    assert update(faulty)[0] == 0
    faulty.prctl("fault", "um", "um.load", "error", "-nth", "2")
    assert update(faulty)[0] == 0
    assert update(faulty)[0] != 0
    assert update(faulty)[0] == 0


def test_clear_forgets_orders_and_hits(faulty):
    assert ["um", "sys.start", "1", "-"] in listed(faulty)
    faulty.prctl("fault", "um", "um.load", "error")
    faulty.prctl("fault", "--clear")
    assert listed(faulty) == [["PARTY", "POINT", "HITS", "ERROR"]]
    assert update(faulty)[0] == 0


def test_too_many_orders_are_refused(faulty):
    for _ in range(64):
        faulty.prctl("fault", "um.next", "um.load", "kill")
    done = faulty.try_prctl("fault", "um.next", "um.load", "kill")
    assert done.returncode == 1
    assert done.stdout == "there are 64 orders already; prctl fault --clear forgets them\n"


@pytest.mark.parametrize("arguments", [
    [], ["um"], ["um", "um.load"], ["um", "um.load", "kill", "x"], ["--list", "--clear"],
    ["--list", "um"],
])
def test_wrong_command_lines(faulty, arguments):
    done = faulty.try_prctl("fault", *arguments)
    assert done.returncode == 2, done.stdout
    assert done.stdout.startswith("usage: prctl fault ")


@pytest.mark.parametrize("message, arguments", [
    ("there is no action 'explode'", ["explode"]),
    ("'0' is no number of a hit: the first one is 1", ["kill", "-nth", "0"]),
    ("'ENOENT' is no number of a hit: the first one is 1", ["kill", "-nth=ENOENT"]),
    ("fault has no option '-nht', or it lacks a value", ["kill", "-nht", "1"]),
    ("fault has no option '-nth', or it lacks a value", ["kill", "-nth"]),
    ("'EBROKEN' is no errno: give its name or its number", ["error", "-value", "EBROKEN"]),
    ("'-5' is no number of milliseconds up to 1000000", ["delay", "-value", "-5"]),
    ("'EIO' is no number of milliseconds up to 1000000", ["delay", "-value", "EIO"]),
    ("-value is for error and delay only", ["hang", "-value", "5"]),
])
def test_wrong_orders(faulty, message, arguments):
    done = faulty.try_prctl("fault", "um", "um.load", *arguments)
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[0]) == (2, f"prctl: {message}")
    assert lines[1].startswith("usage: prctl fault ")
    assert all(line[0] != "ordered:" for line in listed(faulty))


@pytest.mark.parametrize("party", ["nobody", "counter.nxt", "loader.next", ".next", "x" * 40])
def test_unknown_parties_are_refused(faulty, party):
    done = faulty.try_prctl("fault", party, "um.load", "kill")
    assert (done.returncode, done.stdout) == (
        1, f"prctl: there is no '{party}' here: name loader, busd, or a component of prctl status, "
        "with .next for its next version\n")


def test_unknown_points_are_noted(faulty):
    """They are not refused: a new version may have more."""
    done = faulty.try_prctl("fault", "counter.next", "counter.no-such", "kill")
    assert (done.returncode, done.stdout) == (
        0, "prctl: note: nothing that runs here has a point 'counter.no-such'; prctl fault --points "
        "lists points\n")
    assert faulty.prctl("fault", "counter.next", "import.header", "kill") == ""
    assert faulty.prctl("fault", "busd.next", "busd.rebound", "kill") == ""
    assert faulty.prctl("fault", "loader", "loader.spawn", "kill", "-nth", "99") == ""
    done = faulty.try_prctl("fault", "um", "x" * 28, "kill")
    assert done.returncode == 2
    assert "prctl: a point's name has at most 27 characters" in done.stdout


def test_points_are_read_from_files(faulty):
    points = dict(line.split() for line in faulty.prctl("fault", "--points").splitlines())
    assert points["import.header"] == "ENOMEM" and points["busd.rebound"] == "-"
    of_um = faulty.prctl("fault", "--points", str(COMPONENTS / "um")).splitlines()
    assert of_um and all(line.startswith("um.") for line in of_um)
    done = faulty.try_prctl("fault", "--points", __file__)
    assert done.returncode == 1
    assert done.stdout == f"prctl: {__file__} is no executable and no library\n"
    done = faulty.try_prctl("fault", "--points", "/no/such")
    assert (done.returncode, done.stdout) == (1, "prctl: /no/such: No such file or directory\n")


@pytest.mark.root  # who alone can count busd's descriptors
@pytest.mark.parametrize("party, point", [("loader", "loader.spawn"), ("busd", "busd.channel"),
                                          ("busd", "busd.pair"), ("busd", "busd.load")])
def test_a_version_that_cannot_be_started_leaves_nothing(faulty, party, point):
    busd = faulty.instance().busd_pid
    assert update(faulty)[0] == 0  # the journal is open now
    faulty.wait(lambda: sum("counter" in c for c in faulty.processes().values()) == 1,
                "the end of the old version")
    before = len(os.listdir(f"/proc/{busd}/fd"))
    faulty.prctl("fault", party, point, "error")
    assert update(faulty)[0] != 0
    faulty.wait(lambda: len(os.listdir(f"/proc/{busd}/fd")) <= before, f"{before} descriptors")
    assert update(faulty)[0] == 0


def test_a_new_busd_says_that_the_loader_has_died(faulty):
    """The old one has gone already, and the new one has not been told that it goes on."""
    pids = list(faulty.processes())
    faulty.prctl("fault", "loader", "loader.replaced", "kill")
    assert faulty.try_prctl("update", "busd", "/bin/busd").returncode != 0
    faulty.wait(lambda: not any(map(process.command, pids)), "the end of every process")
    log = (faulty.runtime / "log" / "instance.log").read_text()
    assert "the loader has died: the instance ends" in log
