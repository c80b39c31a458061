"""Convergence: interface filters, time-outs of phases and of the whole, deadlocks of filters."""

from __future__ import annotations

import json
import re

import pytest

from counting import NEVER_TRUE, counter_manifest, progress, unchanged
from proteos import Manifest, System
from updating import ROLLED_BACK


def refused(system: System, *arguments: str, status: int = 2) -> str:
    """The line with which prctl refuses; of a wrong command line it also tells the usage."""
    done = system.try_prctl(*arguments)
    assert done.returncode == status, done.stdout
    first, _, rest = done.stdout.partition("\n")
    assert not rest or status == 2 and rest.startswith("usage: prctl "), done.stdout
    return first


# ---- interface filters ----


def test_requests_that_the_interface_filter_allows_still_arrive(counted):
    """The filter comes true by the asker's own work, which waits without -allow. How much it works
    until then depends on the machine: where it was enough, it was no test."""
    for distance in (2000, 20_000, 200_000):
        goal = f"total > {progress(counted)['rounds'] + distance}"
        before = counted.status()["counter"]
        done = counted.try_prctl("update", "counter", "/bin/counter.new", "-state", goal,
                                 "-timeout", "converge=5000")
        if done.returncode == ROLLED_BACK:
            break
        counted.update("counter", "/bin/counter")
    assert done.returncode == ROLLED_BACK and "within 5000 ms" in done.stdout, done.stdout
    assert "asker's message 0xf0" in done.stdout and "not let through (see -allow)" in done.stdout
    unchanged(counted, before)
    counted.update("counter", "/bin/counter.new", goal, "-allow", "m.source == asker",
                   "-timeout", "converge=600000")
    assert progress(counted)["version"] == 2


def test_interface_filter_looks_at_the_type(counted):
    """Without COUNTER_NOTE (0xf01) the asker gets to its next note and no further: after a multiple
    of 64 rounds."""
    goal = f"total > {progress(counted)['rounds'] + 100} && total % 64 == 0"
    counted.update("counter", "/bin/counter.new", goal, "-allow",
                   "m.source == asker && (m.type < 0xf01 || m.type >= 3842) && !(m.payload > 64)",
                   "-timeout", "converge=600000")
    assert progress(counted)["version"] == 2


def test_interface_filter_that_lets_nothing_through(counted):
    done = counted.try_prctl("update", "counter", "/bin/counter", "-state", NEVER_TRUE, "-allow",
                             "m.type == 0", "-timeout", "converge=5000")
    assert done.returncode == ROLLED_BACK and "not let through" in done.stdout, done.stdout


@pytest.mark.parametrize("expression, complaint", [
    ("m.source == nobody", "column 13: there is neither a message nor a component 'nobody'"),
    ("m.sauce == asker", "column 1: a message has m.type, m.source and m.payload, but no 'm.sauce'"),
    ("m.type == ", "column 11: the expression ends too early"),
    ("m.type = 3", "column 8: '= 3' is not understood"),
    ("(m.type == 3", "column 13: ')' is missing"),
    ("m.type == 99999999999", "column 11: '99999999999' is no number of 32 bits"),
    ("m.type == 0x3g", "column 11: '0x3g' is no number of 32 bits"),
    ("!" * 40 + "m.type", "nested too deeply"),
    (" || ".join(["m.type == 1"] * 60), "the expression is too long"),
])
def test_interface_filter_that_is_wrong(counted, expression, complaint):
    before = counted.status()["counter"]
    line = refused(counted, "update", "counter", "/bin/counter.new", "-allow", expression, status=1)
    assert complaint in line
    unchanged(counted, before)


# ---- time-outs ----


@pytest.mark.parametrize("arguments, complaint", [
    (["-timeout", "0"], "a time-out of 0 ms"),
    (["-timeout", "load=0"], "a time-out of 0 ms"),
    (["-maxtime", "0"], "a time-out of 0 ms"),
    (["-timeout", "rest=10"], "there is no phase 'rest' with a time-out: load, converge, transfer"),
    (["-timeout", "soon"], "'soon' is no number of milliseconds"),
    (["-timeout", "-5"], "'-5' is no number of milliseconds"),
    (["-maxtime"], "a value is missing after '-maxtime'"),
    (["-no-such"], "update has no option '-no-such'"),
])
def test_wrong_time_out(counted, arguments, complaint):
    assert complaint in refused(counted, "update", "counter", "/bin/counter", *arguments)


def test_time_out_of_the_transfer(counted):
    done = counted.try_prctl("update", "counter", "/bin/counter.hang", "-timeout", "transfer=150")
    assert done.returncode == ROLLED_BACK
    assert "did not answer within 150 ms during state transfer" in done.stdout


def test_maxtime_ends_whatever_phase_runs(counted):
    before = counted.status()["counter"]
    done = counted.try_prctl("update", "counter", "/bin/counter.new", "-state", NEVER_TRUE,
                             "-maxtime", "3000", "-timeout", "25000")
    assert done.returncode == ROLLED_BACK
    assert "within 3000 ms (-maxtime); counter was" in done.stdout, done.stdout
    unchanged(counted, before)
    counted.mupdate("counter", "/bin/counter.hang", None, "-timeout", "25000")
    done = counted.try_prctl("mupdate-start", "-maxtime", "500")
    assert done.returncode == ROLLED_BACK and "(-maxtime); counter was" in done.stdout, done.stdout


def test_maxtime_of_the_manifest():
    manifest = counter_manifest()
    manifest.data["timeouts_ms"]["maxtime"] = 400
    with System(manifest) as system:
        done = system.try_prctl("update", "counter", "/bin/counter", "-state", NEVER_TRUE)
        assert done.returncode == ROLLED_BACK and "within 400 ms (-maxtime)" in done.stdout


# ---- deadlocks ----


def test_deadlock_of_filters_is_not_waited_out(counted):
    """The counter waits for the asker, which is frozen before it. The time-out is far away."""
    before = counted.status()["counter"]
    counted.mupdate("asker", "self")
    counted.mupdate("counter", "/bin/counter.new", NEVER_TRUE, "-timeout", "3600000")
    done = counted.try_prctl("mupdate-start")
    assert done.returncode == ROLLED_BACK, done.stdout
    last = done.stdout.splitlines()[-1]
    assert f"counter did not reach state quiescence ('{NEVER_TRUE}') and never can: " in last
    assert "asker, which could send to counter, is held" in last
    unchanged(counted, before)
    progress(counted)


def test_a_caller_that_waits_itself_reaches_nobody():
    """A plain program blocks in the very call that the update withholds."""
    manifest = Manifest.empty()
    manifest.add("counter")
    manifest.add("blocker", calls=[{"to": "counter"}])
    with System(manifest) as system:
        system.wait(lambda: system.status()["counter"].messages > 2, "the blocker's calls")
        done = system.try_prctl("update", "counter", "/bin/counter.new", "-state", NEVER_TRUE,
                                "-timeout", "3600000")
        assert done.returncode == ROLLED_BACK
        assert re.search(r"never can: .*blocker's message 0xf00 to counter is not let through",
                         done.stdout), done.stdout


def test_times_of_every_phase_and_component(counted):
    output = counted.prctl("update", "counter", "/bin/counter.new", "-v")
    for phase in ("load", "converge", "transfer", "commit", "all"):
        assert re.search(rf"^{phase} +[\d.]+ +[\d.]+$", output, re.MULTILINE), output
    assert re.search(r"^counter +([\d.]+ ?){1}", output, re.MULTILINE), output
    record = json.loads(counted.prctl("update", "counter", "/bin/counter", "--json"))
    times = [record["members"][0][key] for key in
             ("loaded_us", "planned_us", "converging_us", "frozen_us", "transferred_us")]
    assert times == sorted(times) and times[0] > 0, record
    assert times[-1] <= record["took_us"]
